"""TensorBoard event files, of any writer: several files a run, nested directories, checksums verified.

Claims: files with ``tfevents`` in their name; others that begin as an event file does.

Example: ``runs/Nov30_12-00-00_host/events.out.tfevents.1700000000.host.1.0``
"""

from pathlib import Path

from audioloss_cli.readers.tensorboard.framing import HEADER_BYTES, is_header
from audioloss_cli.readers.tensorboard.reading import read
from audioloss_cli.readers.tensorboard.together import read_many
from audioloss_cli.storage.log_file import LogFile

__all__ = ["CONTINUES", "ORDER", "claims", "read", "read_many", "run_of"]

ORDER = 10
CONTINUES = True

_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # gzip, Zstandard


def claims(file: LogFile) -> bool:
    """Follow TensorBoard's own rule, ``tfevents`` in the name; or a first record whose length has the right checksum.

    The profiler's empty marker file is no log.
    """
    if "tfevents" in file.name:
        return not file.name.endswith(".profile-empty")
    head = file.head if file.raw_head.startswith(_COMPRESSED) else file.raw_head
    return is_header(head[:HEADER_BYTES]) and b"brain.Event:" in head[:64]


def run_of(path: Path) -> Path:
    """Return the directory: all event files of one are of one run."""
    return path.parent
