"""Live: the monitor inside a training loop, and corrective actions.

The public names are imported when they are first used: each framework is opened by the file that serves it.
"""

from typing import TYPE_CHECKING

from audioloss_cli._lazy import exports

if TYPE_CHECKING:
    from audioloss_cli.training.guard import AudioLossGuard
    from audioloss_cli.training.integrations.lightning.callback import AudioLossLightning
    from audioloss_cli.training.integrations.transformers.callback import AudioLossCallback
    from audioloss_cli.training.integrations.transformers.mixin import AudioLossMixin
    from audioloss_cli.training.policy import Policy
    from audioloss_cli.training.response.alert_context import ActionError, AudioLossError

_HOMES = {
    "ActionError": "response.alert_context",
    "AudioLossCallback": "integrations.transformers.callback",
    "AudioLossError": "response.alert_context",
    "AudioLossGuard": "guard",
    "AudioLossLightning": "integrations.lightning.callback",
    "AudioLossMixin": "integrations.transformers.mixin",
    "Policy": "policy",
}

__all__ = [
    "ActionError",
    "AudioLossCallback",
    "AudioLossError",
    "AudioLossGuard",
    "AudioLossLightning",
    "AudioLossMixin",
    "Policy",
]

__getattr__, __dir__ = exports(__name__, _HOMES)
