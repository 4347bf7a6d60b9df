"""Live: the monitor inside a training loop, and corrective actions.

The public names are imported when they are first used: each framework is opened by the file that serves it.
"""

from typing import TYPE_CHECKING

from audioloss_cli._lazy import exports

if TYPE_CHECKING:
    from audioloss_cli.training.case import ActionError, AudioLossError
    from audioloss_cli.training.guard import AudioLossGuard
    from audioloss_cli.training.lightning import AudioLossLightning
    from audioloss_cli.training.mixin import AudioLossMixin
    from audioloss_cli.training.policy import Policy
    from audioloss_cli.training.trainer import AudioLossCallback

_HOMES = {
    "ActionError": "case",
    "AudioLossCallback": "trainer",
    "AudioLossError": "case",
    "AudioLossGuard": "guard",
    "AudioLossLightning": "lightning",
    "AudioLossMixin": "mixin",
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
