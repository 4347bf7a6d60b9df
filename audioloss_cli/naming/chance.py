"""What guessing costs: ln V nats for one of V codes, by a table of the vocabularies of the field, or as configured.

A model that knows nothing gives each of V codes the same probability, and its cross entropy is ln V. Where a
configuration file beside the log names the vocabulary, that alone counts; else these do.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

#: Vocabulary -> whose it is. Sizes whose ln differs by less than the tolerance are all listed: the nearest is named.
VOCABULARIES: dict[int, str] = {
    512: "codecs of 512 codes",
    1024: "EnCodec, DAC, SpeechTokenizer",
    1025: "GPT-SoVITS: 1024 codes and EOS",
    1026: "Higgs Audio: 1024 codes, BOS and EOS",
    2048: "MusicGen, Mimi of Moshi",
    2051: "CSM: 2048 codes and three more",
    3072: "Qwen3-TTS",
    4096: "SNAC, CosyVoice, X-codec",
    6561: "CosyVoice2: 3 to the 8th",
    8192: "Spark-TTS, XTTS, Tortoise",
    10000: "Bark, text to semantics",
    16384: "GLM-4-Voice",
    65536: "Llasa: X-codec2",
    156940: "Orpheus: the text of Llama 3 and seven times 4096 codes",
}
#: Codebooks over which some trainers sum; tried for a loss of audio codes alone, unless the log says how many there are.
CODEBOOKS = (4, 8, 9, 12, 16, 32)
_OF_SUMS = (512, 1024, 1026, 2048, 2051, 4096)
_NEAR = 0.02


class Chance(NamedTuple):
    """A level at which a loss says that the model guesses: so many codes, summed over so many codebooks, in nats."""

    vocabulary: int
    codebooks: int
    level: float

    def __str__(self) -> str:
        """As it stands in a sentence: ``8 x ln 1026 = 55.47``."""
        times = f"{self.codebooks} x " if self.codebooks > 1 else ""
        return f"{times}ln {self.vocabulary} = {self.level:.4g}"


@lru_cache(maxsize=1024)  # asked at every point, of few values
def chance_near(
    value: float, vocabularies: Sequence[int] = (), codebooks: int = 0, *, sums: bool = False, near: float = _NEAR
) -> Chance | None:
    """Return the chance level near a value, the nearest if there are several; None if there is none.

    Args:
        value: in nats.
        vocabularies: those of the run, a tuple; the table, if there are none.
        codebooks: how many the run has, 0 for not known: a sum over so many counts as well.
        sums: whether sums over the usual numbers of codebooks count, where that is not known.
        near: share of the level.
    """
    levels = _levels(tuple(vocabularies), codebooks, sums)
    nearest = min(levels, key=lambda chance: abs(value - chance.level))
    return nearest if abs(value - nearest.level) <= near * nearest.level else None


@lru_cache(maxsize=256)
def _levels(vocabularies: tuple[int, ...], codebooks: int, sums: bool) -> list[Chance]:
    sizes = vocabularies or tuple(VOCABULARIES)
    counts = (codebooks,) if codebooks > 1 else CODEBOOKS if sums else ()
    summed = [(count, size) for count in counts for size in vocabularies or _OF_SUMS]
    return [Chance(size, count, count * math.log(size)) for count, size in [*((1, size) for size in sizes), *summed]]
