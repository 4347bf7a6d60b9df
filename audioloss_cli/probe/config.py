"""What to probe, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from audioloss_cli.model import Gate
from audioloss_cli.probe.errors import UsageError
from audioloss_cli.probe.model_io.adapter import Options


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """Everything that decides what a probe does.

    Attributes:
        checkpoint: path; see ``probe.model_io.checkpoint``.
        data: import string or path; see ``probe.data``.
        held_out: the same, for data that the model has not seen; empty: none.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        dtype: ``float32``, ``bfloat16``, ``float16``; empty: that of the checkpoint.
        batches: how many batches to take.
        model: import string of a factory that builds the model; empty: the checkpoint says what it is.
        model_arguments, data_arguments: keyword arguments of the factories.
        config_json: path of the model's configuration; empty: looked for beside the weights and above them.
        trust_checkpoint: whether pickles may be read with a torch that they could make corrupt memory.
        adapter: name of the model family; empty: found by configuration and batch.
        options: for a model whose adapter cannot know them.
        backward: whether to look at gradients too.
        dump: file to write the batches down in, before anything is run; empty: none.
        gate: when the probe fails.
    """

    checkpoint: str
    data: str
    held_out: str = ""
    device: str = "auto"
    dtype: str = ""
    batches: int = 1
    model: str = ""
    model_arguments: Mapping[str, Any] = field(default_factory=dict)
    data_arguments: Mapping[str, Any] = field(default_factory=dict)
    config_json: str = ""
    trust_checkpoint: bool = False
    adapter: str = ""
    options: Options = field(default_factory=Options)
    backward: bool = False
    dump: str = ""
    gate: Gate = field(default_factory=Gate)

    def __post_init__(self) -> None:
        if self.batches < 1:
            raise UsageError(f"--batches must be at least 1, not {self.batches}")
        if self.model_arguments and not self.model:
            raise UsageError("--model-arg is for a factory; name it with --model package.module:factory")
