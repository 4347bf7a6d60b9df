"""Pickles, walked through and never loaded: nothing of them is imported, called or made.

``read_pickle_stream(stream, name, locate) -> PickleContents`` goes through one pickle of any protocol: its plain
values, its tensors, the names that loading it would import, and its faults. ``outline`` in ``dry_run.py`` is the strict
one: it refuses whatever ``torch.save`` does not write, for the probe, which loads the file afterwards.
"""

from audioloss_cli.checkpoints.pickles.values import Call, Cut, Global, Location, Storage
from audioloss_cli.checkpoints.pickles.walker import OddKey, PickleContents, read_pickle_stream

__all__ = ["Call", "Cut", "Global", "Location", "OddKey", "PickleContents", "Storage", "read_pickle_stream"]
