"""river's ADWIN on the logarithm of the loss, with its defaults; values are prepared as for Page-Hinkley."""

from collections.abc import Iterator, Sequence

from audioloss_cli.model import Series
from tests.benchmarks.detection.alarm import Alarm
from tests.benchmarks.peers._river import changes

REQUIRES = "river"


def alarms(loss: Series, beside: Sequence[Series]) -> Iterator[Alarm]:
    """One for each change, up or down."""
    from river.drift import ADWIN

    return changes(ADWIN(), loss)
