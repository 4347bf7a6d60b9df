"""The torch wing: what is wrong with the inputs, the labels, the logits and the loss of a checkpoint, and why.

The public names are imported when they are first used: to ask for an error's class must not cost seconds of torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audioloss_cli.probe.config import ProbeConfig
    from audioloss_cli.probe.run import probe
    from audioloss_cli.probe.validate import validate_audio_logits, validate_model_inputs

_HOMES = {
    "ProbeConfig": "config",
    "probe": "run",
    "validate_audio_logits": "validate",
    "validate_model_inputs": "validate",
}

__all__ = ["ProbeConfig", "probe", "validate_audio_logits", "validate_model_inputs"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
