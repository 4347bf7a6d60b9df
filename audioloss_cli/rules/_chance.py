"""What guessing costs: ln V for the vocabularies of audio codecs; a private module is no plugin."""

import math
from functools import lru_cache
from typing import NamedTuple

from audioloss_cli.model import SeriesHistory

# Higgs Audio v2 has 1024 codes, BOS and EOS (1026); MusicGen and EnCodec 2048 and 1024; Moshi's Mimi 2048, CSM 2051;
# DAC 1024; SNAC and CosyVoice 4096; codecs of 512 codes exist.
_VOCABULARIES = (512, 1024, 1026, 2048, 2051, 4096)
_CODEBOOKS = (1, 4, 8, 9, 12, 16, 32)
_NEAR, _LEFT, _STEADY = 0.02, 0.98, 0.03


class Chance(NamedTuple):
    """A level at which a loss says that the model guesses: so many codes, summed over so many codebooks, in nats."""

    vocabulary: int
    codebooks: int
    level: float


_CHANCES = [Chance(size, count, count * math.log(size)) for count in _CODEBOOKS for size in _VOCABULARIES]


@lru_cache(maxsize=256)  # asked at every point, of few values
def chance_near(value: float) -> Chance | None:
    """The chance level within 2 % of a value, in nats; the nearest, if there are several."""
    nearest = min(_CHANCES, key=lambda chance: abs(value - chance.level))
    return nearest if abs(value - nearest.level) <= _NEAR * nearest.level else None


def stuck_at(history: SeriesHistory) -> Chance | None:
    """The chance level at which the series started and still is; None if it is not, or never was.

    A model that guesses does so alike for every batch: neighbouring points differ by less than 3 %.
    """
    chance = chance_near(history.start) if history.start is not None else None
    if chance is None or history.lowest < _LEFT * chance.level or history.spread > _STEADY * chance.level:
        return None
    return chance
