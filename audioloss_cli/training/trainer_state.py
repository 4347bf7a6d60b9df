"""What a callback puts into the checkpoint of a ``transformers.Trainer``: plain JSON, from which it is made anew."""

import math
from collections.abc import Mapping
from typing import Any

from audioloss_cli.training.policy import Policy


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
