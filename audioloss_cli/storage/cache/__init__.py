"""What was read of a log is kept, so that a log that did not change is not read again, and of a longer one the rest.

One file for each log and for each way to read it, see ``key``. A log counts as unchanged when its size, its
modification time and a digest of its first and last bytes are what they were; as grown when it is longer and those
bytes stand where they stood. An edit in its middle that leaves these as they were goes unseen. What cannot be used,
whatever the reason, is read anew and replaced. Readings are kept, never verdicts.
"""

from audioloss_cli.storage.cache.cache import Cache, CacheError, prepare
from audioloss_cli.storage.cache.draft import forget_drafts

__all__ = ["Cache", "CacheError", "forget_drafts", "prepare"]
