"""What guessing costs in a run, and whether a loss is there; a private module is no plugin."""

from audioloss_cli.model import SeriesHistory
from audioloss_cli.naming.chance import NEAR, Chance

_LEFT, _STEADY = 0.98, 0.03
STILL = 2.0  # the first few points may lie twice as far below as the usual level, by noise: nothing learns upwards


def chance_near(value: float, history: SeriesHistory, times: float = 1.0) -> Chance | None:
    """Return the chance level within 2 % of a value, or 1 % where nobody knows the codes; or so many times as far away.

    Of a sum over codebooks only for a loss of codes, or where the run says how many there are.
    """
    found: Chance | None = history.chances.near(value, sums=history.kind == "ce", share=times * _share(history))
    return found


def _share(history: SeriesHistory) -> float:
    """Of the level, how far away is near: less where nothing tells that a loss is one of codes, and of how many."""
    return NEAR if history.kind == "ce" or history.chances.vocabularies else NEAR / 2


def start_at(history: SeriesHistory, times: float = 1.0) -> Chance | None:
    """Return the chance level at which the series started; None if it did not, or nobody knows yet."""
    return chance_near(history.start, history, times) if history.start is not None else None


def stuck_at(history: SeriesHistory) -> Chance | None:
    """Return the chance level at which the series started and still is; None if it is not, or never was.

    A model that guesses does so alike for every batch: neighbouring points differ by less than 3 %.
    """
    chance = start_at(history, STILL)
    if chance is None or (history.start or 0.0) > (1 + _share(history)) * chance.level:  # it has come down to there
        return None
    if history.reference is not None and abs(history.reference - chance.level) > _share(history) * chance.level:
        return None
    if history.lowest < _LEFT * chance.level or history.spread > _STEADY * chance.level:
        return None
    return chance
