"""river's Page-Hinkley test on the logarithm of the loss, with its defaults.

A NaN would stay in its running mean for ever, so values that are not finite are kept from it; a loss of 0 or less
counts as 1e-8.
"""

from collections.abc import Iterator, Sequence

from audioloss_cli.model import Series
from tests.benchmarks.detection.alarm import Alarm
from tests.benchmarks.peers._river import changes

REQUIRES = "river"


def alarms(loss: Series, beside: Sequence[Series]) -> Iterator[Alarm]:
    """One for each change, up or down."""
    from river.drift import PageHinkley

    return changes(PageHinkley(), loss)
