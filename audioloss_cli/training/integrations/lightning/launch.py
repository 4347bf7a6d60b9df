"""The callback that Lightning is given through its entry point, for ``audioloss run``."""

from typing import Any

from audioloss_cli.training.integrations import launch
from audioloss_cli.training.integrations.lightning.callback import AudioLossLightning


class WatchedLightning(AudioLossLightning):
    """The callback with the settings of the configuration file."""

    def __init__(self) -> None:
        super().__init__(**launch.arguments())

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Where a script has a callback of its own, that one watches alone."""
        others = [each for each in trainer.callbacks if isinstance(each, AudioLossLightning) and each is not self]
        if others:
            trainer.callbacks.remove(self)
        if stage == "fit":
            launch.watched()
