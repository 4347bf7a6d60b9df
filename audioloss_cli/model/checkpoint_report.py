"""What an audit says of one checkpoint: what lies in it, module by module, and what was found."""

from dataclasses import dataclass, field

from audioloss_cli.model.finding import Finding


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
    """One checkpoint.

    Attributes:
        path: as the user would type it.
        kind: in words, such as ``HF Trainer checkpoint`` or ``safetensors file``.
        step: of the training; None where nothing says it.
        family: of the model, in words; empty where none is known.
        files: how many files it is made of.
        nbytes: of these files.
        tensors, parameters: how many there are of the model's own.
        dtypes: dtype -> parameters.
        against: path of what it was compared with; empty if it was not.
        modules: in the order of their names.
        findings: about it.
        imports: names that loading its pickles would import, and that are none of torch's own, sorted.
        notes: what the reader must know about how it was read.
        identity: how fingerprints name it; empty for the only one of a probe.
    """

    path: str
    kind: str = ""
    step: int | None = None
    family: str = ""
    files: int = 0
    nbytes: int = 0
    tensors: int = 0
    parameters: int = 0
    dtypes: dict[str, int] = field(default_factory=dict)
    against: str = ""
    modules: list[ModuleSummary] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    identity: str = ""
