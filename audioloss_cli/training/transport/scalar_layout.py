"""The scalars of a step, and the slot of each in a row of numbers."""

from typing import Any, NamedTuple

Values = dict[str, float]

#: The audio part of what is trained, or a total that is no smaller.
PART, BOUND = "part", "bound"
#: What logits and labels give at label offsets 0, 1 and 2: within segments, and across them.
AT_OFFSETS, ACROSS = ("at_0", "at_1", "at_2"), ("across_0", "across_1", "across_2")
#: What is measured at the steps at which the run logs, see ``learning``.
LABEL_SHARE, AUDIO_GRAD_NORM = "label_share", "audio_grad_norm"
#: What is watched, what stands beside it, what a framework logs as trained, whether the batch has findings, and whether
#: the audio loss is gone for good. Codebooks follow.
NAMED = (
    *("audio", "total", "text", "logged", "grad_norm", "trained", "findings", "gone"),
    *(PART, BOUND, *AT_OFFSETS, *ACROSS, LABEL_SHARE, AUDIO_GRAD_NORM),
)
LOSSES = 4  # of them, the first ones
#: Those that are watched one by one. A model may have more: they are in the mean over all of them, which is watched.
CODEBOOKS = tuple(f"codebook/{number}" for number in range(16))
#: Name of a tensor [K] of the losses of these codebooks, which travels in one copy and arrives under their names.
TOGETHER = "codebooks"
#: Cross entropy of each codebook where logits and labels were measured, for the figures alone; and all in a tensor.
MEASURED, MEASURED_TOGETHER = tuple(f"measured/{number}" for number in range(16)), "measured"
NAMES = (*NAMED, *CODEBOOKS, *MEASURED)
#: First slot of what is a tensor [K].
WIDE = {TOGETHER: len(NAMED), MEASURED_TOGETHER: len(NAMED) + len(CODEBOOKS)}
_PLACES = {name: place for place, name in enumerate(NAMES)}


class Arrived(NamedTuple):
    """The scalars of one step.

    Attributes:
        step: the training step they belong to.
        values: by name, those that there were; over all ranks the mean of those that had one.
        broken: ranks whose loss is not finite; -1 for several that are not known by number.
    """

    step: int
    values: Values
    broken: tuple[int, ...] = ()


def slots_of(name: str, value: Any) -> range:
    """Which ones a value takes."""
    if name in WIDE:
        return range(WIDE[name], WIDE[name] + value.shape[0])
    return range(_PLACES[name], _PLACES[name] + 1)
