"""What changed from one checkpoint to another."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audioloss_cli.checkpoints.health import Progress
from audioloss_cli.checkpoints.names import by_common
from audioloss_cli.checkpoints.stored import Checkpoint


@dataclass(frozen=True, slots=True)
class TensorChange:
    """How one tensor differs from that of the base.

    Attributes:
        norm: L2 norm of the difference, in float64.
        base_norm: of the base's tensor.
        is_same: whether it is the same bit by bit; in another floating dtype than the base's, whether it is the base,
            rounded to that dtype, number by number.
        same_rows: indices along the first axis, at most 100, of rows that are the same, where not all are.
        same: how many rows are.
        same_runs: first row and row behind the last of stretches of such rows, at most 100 of them, the longest first.
    """

    norm: float
    base_norm: float
    is_same: bool
    same_rows: tuple[int, ...] = ()
    same: int = 0
    same_runs: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class Comparison:
    """One checkpoint held against another.

    Attributes:
        path: of the base, as the user would type it.
        steps: of training between the two; None where nobody says.
        changes: by the name of a tensor, of those that both have in one shape.
        only_here, only_there, reshaped: names of the others.
        unread: why values could not be compared, by the names of tensors that both have.
    """

    path: str
    steps: int | None = None
    changes: Mapping[str, TensorChange] = field(default_factory=dict)
    only_here: list[str] = field(default_factory=list)
    only_there: list[str] = field(default_factory=list)
    reshaped: list[str] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)


def compare(ours: Checkpoint, base: Checkpoint, *, jobs: int = 1, progress: Progress | None = None) -> Comparison:
    """Read the tensors of both, in bounded memory.

    Tensors are found by what their names have in common without prefixes of wrappers, in either layout of Higgs Audio.
    A base of which nobody says the step is taken for the model that the training began with.

    Args:
        ours: the later one.
        base: what it is held against.
        jobs: threads.
        progress: called as tensors are done, with bytes of ours.
    """
    from audioloss_cli.checkpoints.changes import change_of_each  # noqa: PLC0415  # numpy, and values are read seldom

    here, there = by_common(ours.tensors), by_common(base.tensors)
    common = [key for key in here if key in there]
    pairs = {here[key]: (ours.tensors[here[key]], base.tensors[there[key]]) for key in common}
    fitting = {name: pair for name, pair in pairs.items() if pair[0].shape == pair[1].shape}
    changes, unread = change_of_each(fitting, jobs=jobs, progress=progress)
    return Comparison(
        path=str(base.path),
        steps=None if ours.step is None else ours.step - (base.step or 0),
        changes=changes,
        only_here=sorted(set(ours.tensors) - set(pairs)),
        only_there=sorted(set(base.tensors) - {there[key] for key in common}),
        reshaped=sorted(set(pairs) - set(fitting)),
        unread=unread,
    )
