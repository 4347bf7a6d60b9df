"""The scalars of a step, and the slot of each in a row of numbers."""

from typing import Any, NamedTuple

Values = dict[str, float]

#: The audio part of what is trained, or a total that is no smaller.
PART, BOUND = "part", "bound"
#: What logits and labels give at label offsets 0, 1 and 2: within segments, and across them.
AT_OFFSETS, ACROSS = ("at_0", "at_1", "at_2"), ("across_0", "across_1", "across_2")
#: What is watched, what stands beside it, what a framework logs as trained, whether the batch has findings, and whether
#: the audio loss is gone for good. Codebooks follow.
NAMED = (
    *("audio", "total", "text", "logged", "grad_norm", "trained", "findings", "gone"),
    *(PART, BOUND, *AT_OFFSETS, *ACROSS),
)
LOSSES = 4  # of them, the first ones
#: Those that are watched one by one. A model may have more: they are in the mean over all of them, which is watched.
CODEBOOKS = tuple(f"codebook/{number}" for number in range(16))
#: Name of a tensor [K] of the losses of these codebooks, which travels in one copy and arrives under their names.
TOGETHER = "codebooks"
NAMES = (*NAMED, *CODEBOOKS)
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
    first = len(NAMED) if name == TOGETHER else _PLACES[name]
    return range(first, first + (value.shape[0] if name == TOGETHER else 1))
