"""What changed from one checkpoint to another."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audioloss_cli.checkpoints.health import Progress
from audioloss_cli.checkpoints.stored import Checkpoint


@dataclass(frozen=True, slots=True)
class TensorChange:
    """How one tensor differs from that of the base.

    Attributes:
        norm: L2 norm of the difference, in float64.
        base_norm: of the base's tensor.
        is_same: whether it is the same bit by bit (or value by value, in another dtype).
        same_rows: indices along the first axis, at most 100, of rows that are the same bit by bit, where not all are.
        same: how many rows are.
    """

    norm: float
    base_norm: float
    is_same: bool
    same_rows: tuple[int, ...] = ()
    same: int = 0


@dataclass(slots=True)
class Comparison:
    """One checkpoint held against another.

    Attributes:
        path: of the base, as the user would type it.
        steps: of training between the two; None where nobody says.
        changes: by the name of a tensor, of those that both have in one shape.
        only_here, only_there, reshaped: names of the others.
    """

    path: str
    steps: int | None = None
    changes: Mapping[str, TensorChange] = field(default_factory=dict)
    only_here: list[str] = field(default_factory=list)
    only_there: list[str] = field(default_factory=list)
    reshaped: list[str] = field(default_factory=list)


def compare(ours: Checkpoint, base: Checkpoint, *, jobs: int = 1, progress: Progress | None = None) -> Comparison:
    """Read the tensors of both, in bounded memory."""
    raise NotImplementedError
