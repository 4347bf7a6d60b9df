"""What a log alone says about the cause of an incident, one cause a file, named as in ``probe/causes``."""

from audioloss_cli.signatures._names import looks_at
from audioloss_cli.signatures._weigh import explain, likely_causes

__all__ = ["explain", "likely_causes", "looks_at"]
