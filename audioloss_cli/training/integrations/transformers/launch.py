"""The callback in the list of those that every ``transformers.Trainer`` begins with, for ``audioloss run``."""

from collections.abc import Callable, Mapping
from functools import wraps
from types import ModuleType
from typing import Any

from audioloss_cli.training.integrations import launch
from audioloss_cli.training.integrations.transformers import callback
from audioloss_cli.training.policy import Policy


class AudioLossCallback(callback.AudioLossCallback):
    """The callback with the settings of the configuration file; its name is the one under which a checkpoint knows it.

    Args:
        policy: as of a checkpoint that is resumed; what the configuration file says if None.
        **settings: likewise.
    """

    def __init__(self, policy: Policy | Mapping[str, Any] | None = None, **settings: Any) -> None:
        super().__init__(**(launch.arguments() if policy is None else {"policy": policy, **settings}))

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Bind to the run."""
        launch.watched()
        super().on_train_begin(args, state, control, **kwargs)


def put_into(module: ModuleType) -> None:
    """Add the callback to the default ones of a module ``transformers.trainer``."""
    module.DEFAULT_CALLBACKS.append(AudioLossCallback)
    handler = module.CallbackHandler
    handler.on_train_begin = _once(handler.on_train_begin)


def _once(on_train_begin: Callable[..., Any]) -> Callable[..., Any]:
    """Where a script has a callback or a mixin of its own, that one watches alone."""

    @wraps(on_train_begin)
    def begin(self: Any, *args: Any, **kwargs: Any) -> Any:
        ours = [each for each in self.callbacks if isinstance(each, AudioLossCallback)]
        every = [each for each in self.callbacks if isinstance(each, callback.AudioLossCallback)]
        if len(every) > len(ours):
            launch.watched()
            self.callbacks[:] = [each for each in self.callbacks if each not in ours]
        return on_train_begin(self, *args, **kwargs)

    return begin
