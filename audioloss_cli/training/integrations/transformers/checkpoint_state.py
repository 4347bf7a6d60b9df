"""What a callback puts into the checkpoint of a ``transformers.Trainer``: plain JSON, from which it is made anew."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.training.guard import AudioLossGuard
from audioloss_cli.training.policy import Policy
from audioloss_cli.training.response.alert_context import logger

_OWN_NAME = "AudioLossCallback"


def plain_policy(policy: Policy) -> dict[str, Any]:
    """Its fields, as they can be given to it again."""
    return {
        "critical": list(policy.critical),
        "warning": list(policy.warning),
        "options": {name: dict(options) for name, options in policy.options.items()},
    }


def is_plain(value: Any) -> bool:
    """Whether JSON brings it back as it was."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value))


def resume(guard: AudioLossGuard, state: Any, checkpoint: Path) -> None:
    """Go on where a checkpoint of the Trainer left off, with what its ``TrainerState`` holds of the callback."""
    found = state.stateful_callbacks.get(_OWN_NAME)
    found = found[0] if isinstance(found, list) and found else found
    try:
        if found:
            guard.load_state_dict(found["attributes"]["resumed"])
    except (KeyError, TypeError, ValueError) as error:
        logger.warning("the state of the checkpoint cannot be read, the loss is watched afresh: %s", error)
    if checkpoint.is_dir():
        guard.checkpoints.add(state.global_step, checkpoint)
