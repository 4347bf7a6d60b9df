"""What an audit says of one checkpoint beside its findings: what lies in it, module by module."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModuleSummary:
    """Tensors of one module of a model, taken together.

    Attributes:
        name: as far as names are told apart, such as ``layers.*.audio_mlp`` or ``audio_lm_head``.
        tensors, parameters: how many.
        dtypes: of its tensors, sorted.
        norm: L2 norm of all its values; NaN where values were not read, or are not finite.
        change: norm of the difference from the base, relative to the norm of the base; NaN where there is none.
        unchanged: how many of the tensors are bit by bit those of the base.
        faults: how many of the tensors something is wrong with.
    """

    name: str
    tensors: int
    parameters: int
    dtypes: tuple[str, ...]
    norm: float = float("nan")
    change: float = float("nan")
    unchanged: int = 0
    faults: int = 0


@dataclass(slots=True)
class CheckpointReport:
    """What lies in one checkpoint.

    Attributes:
        path: as the user would type it.
        step: of the training; None where nothing says it.
        family: of the model, in words; empty where none is known.
        nbytes: of all its files.
        tensors, parameters: how many there are of the model's own.
        dtypes: dtype -> parameters.
        against: path of what it was compared with; empty if it was not.
        modules: in the order of their names.
        imports: names that loading its pickles would import, and that are none of torch's own, sorted.
        notes: what the reader must know about how it was read.
    """

    path: str
    step: int | None = None
    family: str = ""
    nbytes: int = 0
    tensors: int = 0
    parameters: int = 0
    dtypes: dict[str, int] = field(default_factory=dict)
    against: str = ""
    modules: list[ModuleSummary] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
