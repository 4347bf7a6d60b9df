"""What a log says about whether the audio part of a model learns, beside what is wrong with it."""

from typing import Literal, NamedTuple

FigureKind = Literal["nats-below-chance", "label-share", "audio-grad-norm"]


class LearningFigure(NamedTuple):
    """One series of a run that tells effective training: how far a loss is below guessing, or what the live guard logs.

    Attributes:
        kind: ``nats-below-chance`` of the audio loss or of a codebook, as a mean over codebooks; ``label-share``, the
            share of audio labels that count; ``audio-grad-norm``, the gradient norm of the audio parameters.
        tag: name of the scalar, as logged.
        codebook: number of the codebook it is of; None for all of them.
        points: how many points the series has.
        first, last: medians of the first and the last five finite values.
        last_step: step of the last point.
        chance: what guessing costs, in words (``ln 1026 = 6.933``), where it was computed from a loss; empty where the
            figure itself was logged.
        level: that level in nats, of one codebook; 0 where the figure itself was logged.
    """

    kind: FigureKind
    tag: str
    codebook: int | None
    points: int
    first: float
    last: float
    last_step: int
    chance: str = ""
    level: float = 0.0

    @property
    def has_learnt_nothing(self) -> bool:
        """Whether it is of a loss that still stands at chance after 100 points."""
        return self.level > 0 and self.points >= _LEAST_POINTS and self.last < _NOTHING * self.level


_LEAST_POINTS = 100
_NOTHING = 0.02  # share of the level
