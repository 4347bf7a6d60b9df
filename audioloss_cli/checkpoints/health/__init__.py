"""Statistics of every tensor, read as bytes, in one pass and in bounded memory."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from audioloss_cli.checkpoints.stored import Fault, StoredTensor

#: Called with the bytes done, the bytes in all, and the name of a tensor.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class TensorStatistics:
    """What the values of one tensor are like.

    Attributes:
        elements: how many there are.
        nan, infinite, zero, denormal: how many of them are so; of integers and bools ``zero`` alone is counted.
        first_bad: flat index (in the order of the shape) of the first NaN or infinity; -1 if there is none.
        lowest, highest: of the finite values; NaN where there is none.
        norm: L2 norm of the finite values, in float64.
        is_constant: whether all values are one number.
        dead_rows: indices along the first axis, at most 65,536, of rows that are zero throughout.
        twin_rows: pairs of indices, at most 65,536, of rows that are the same bit by bit and not zero.
        dead, twins: how many such rows there are in all.
        digest: 16 hex digits of the bytes; empty if it was not asked for.
    """

    elements: int
    nan: int = 0
    infinite: int = 0
    zero: int = 0
    denormal: int = 0
    first_bad: int = -1
    lowest: float = float("nan")
    highest: float = float("nan")
    norm: float = float("nan")
    is_constant: bool = False
    dead_rows: tuple[int, ...] = ()
    twin_rows: tuple[tuple[int, int], ...] = ()
    dead: int = 0
    twins: int = 0
    digest: str = ""


@dataclass(slots=True)
class HealthReport:
    """Statistics by the names of tensors, and what could not be read of them."""

    statistics: dict[str, TensorStatistics] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def examine(
    tensors: Mapping[str, StoredTensor],
    *,
    rows_of: Iterable[str] = (),
    jobs: int = 1,
    progress: Progress | None = None,
    quick: bool = False,
    digests: bool = False,
) -> HealthReport:
    """Read every tensor once, in bounded memory; those that are the same bytes of a file together.

    Args:
        tensors: by name.
        rows_of: names of those, such as embeddings and heads, whose rows are looked at as well.
        jobs: threads.
        progress: called as bytes are read, by one thread at a time.
        quick: look for NaN, infinity and tensors of zeros alone, at nearly the speed of reading: of other floats
            neither the lowest, the highest, the norm nor the number of zeros and denormals is known.
        digests: ask for digests.
    """
    from audioloss_cli.checkpoints.health.examined import Examination  # noqa: PLC0415  # numpy comes with it

    return Examination(frozenset(rows_of), quick, digests, progress).run(tensors, jobs)
