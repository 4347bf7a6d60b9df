"""The time axis of a run: what its steps count, and one count where they start anew in each epoch."""

from audioloss_cli.runs.axis.count_on import CountedOn, counted_on
from audioloss_cli.runs.axis.unit import axis_of

__all__ = ["CountedOn", "axis_of", "counted_on"]
