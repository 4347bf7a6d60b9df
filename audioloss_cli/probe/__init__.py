"""The torch wing: what is wrong with the inputs, the labels, the logits and the loss of a checkpoint, and why.

The public names are imported when they are first used: to ask for an error's class must not cost seconds of torch.
"""

from typing import TYPE_CHECKING

from audioloss_cli._lazy import exports

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

__getattr__, __dir__ = exports(__name__, _HOMES)
