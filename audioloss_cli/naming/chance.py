"""What guessing costs: ln V nats for one of V codes, by a table of the vocabularies of the field, or as configured.

A model that knows nothing gives each of V codes the same probability, and its cross entropy is ln V. Where a
configuration file beside the log names the vocabulary, that alone counts; else these do.
"""

import math
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
#: Codebooks over which some trainers sum; tried for a loss of audio codes alone, unless the log says how many there
#: are.
CODEBOOKS = (4, 8, 9, 12, 16, 32)
_OF_SUMS = (512, 1024, 1026, 2048, 2051, 4096)
NEAR = 0.02  # share of the level


class Chance(NamedTuple):
    """A level at which a loss says that the model guesses: so many codes, summed over so many codebooks, in nats."""

    vocabulary: int
    codebooks: int
    level: float

    def __str__(self) -> str:
        """As it stands in a sentence: ``8 x ln 1026 = 55.47``."""
        times = f"{self.codebooks} x " if self.codebooks > 1 else ""
        return f"{times}ln {self.vocabulary} = {self.level:.4g}"


class ChanceTable(NamedTuple):
    """What guessing costs in one run.

    Attributes:
        vocabularies: the numbers of codes, where they are known; the table of this module, if there are none.
        codebooks: how many codebooks the run has: a loss may be a sum over them; 0 for not known.
    """

    vocabularies: tuple[int, ...] = ()
    codebooks: int = 0

    def near(self, value: float, *, sums: bool = False, share: float = NEAR) -> Chance | None:
        """Return the chance level near a value in nats, the nearest if there are several; None if there is none.

        Args:
            value: in nats.
            sums: whether sums over the usual numbers of codebooks count, where theirs is not known.
            share: of the level, how far away is near.
        """
        return _near(value, self.vocabularies, self.codebooks, sums, share)

    def between(self, low: float, high: float) -> bool:
        """Whether a chance level lies from ``low`` to ``high``, in nats; sums only where their number is known."""
        return any(low <= chance.level <= high for chance in _levels(self.vocabularies, self.codebooks, sums=False))


USUAL_CHANCES = ChanceTable()


@lru_cache(maxsize=1024)  # asked at every point, of few values
def _near(value: float, vocabularies: tuple[int, ...], codebooks: int, sums: bool, share: float) -> Chance | None:
    levels = _levels(vocabularies, codebooks, sums)
    nearest = min(levels, key=lambda chance: abs(value - chance.level))
    return nearest if abs(value - nearest.level) <= share * nearest.level else None


@lru_cache(maxsize=256)
def _levels(vocabularies: tuple[int, ...], codebooks: int, sums: bool) -> list[Chance]:
    sizes = vocabularies or tuple(VOCABULARIES)
    counts = (codebooks,) if codebooks > 1 else CODEBOOKS if sums and not codebooks else ()
    summed = [(count, size) for count in counts for size in vocabularies or _OF_SUMS]
    return [Chance(size, count, count * math.log(size)) for count, size in [*((1, size) for size in sizes), *summed]]
