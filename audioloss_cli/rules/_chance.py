"""What guessing costs in a run, and whether a loss is there; a private module is no plugin."""

from audioloss_cli.model import SeriesHistory
from audioloss_cli.naming.chance import NEAR, Chance

_LEFT, _STEADY = 0.98, 0.03
# From above: a head that is not trained guesses worse than evenly, by half a nat and more; a share of the level.
_UNTRAINED, _EXACTLY, _HARDLY, _EVENLY = 1.25, 0.005, 0.99, 0.02
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
    return _never_left(history) or _come_down_to(history)


def _never_left(history: SeriesHistory) -> Chance | None:
    chance = start_at(history, STILL)
    if chance is None or (history.start or 0.0) > (1 + _share(history)) * chance.level:  # it has come down to there
        return None
    if history.reference is not None and abs(history.reference - chance.level) > _share(history) * chance.level:
        return None
    if history.lowest < _LEFT * chance.level or history.spread > _STEADY * chance.level:
        return None
    return chance


def may_come_down(history: SeriesHistory) -> bool:
    """Whether the series may yet come down to a chance level from above, and stay there; not from another one."""
    start, chances = history.start, history.chances
    if history.kind != "ce" or start is None or (not chances.vocabularies and chances.near(start) is not None):
        return False
    found: bool = chances.between(start / _UNTRAINED, min(start / (1 + NEAR), history.lowest / _HARDLY))
    return found


def _come_down_to(history: SeriesHistory) -> Chance | None:
    """The chance level at which an untrained head, which starts above it, has arrived; nothing was learnt since.

    Losses come to rest at many levels: this one must be met exactly.
    """
    start, usual = history.start, history.reference
    if start is None or usual is None or not may_come_down(history):
        return None
    found: Chance | None = history.chances.near(usual, share=_EXACTLY)
    if found is None or not (1 + NEAR) * found.level < start <= _UNTRAINED * found.level:
        return None
    still = history.lowest >= _HARDLY * found.level and history.spread <= _EVENLY * found.level
    return found if still else None
