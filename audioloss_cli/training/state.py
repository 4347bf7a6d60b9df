"""What a resumed run needs, as plain built-in types."""

from collections.abc import Mapping
from typing import Any

from audioloss_cli.training.checkpoints import Checkpoints
from audioloss_cli.training.inputs import FirstLooks
from audioloss_cli.training.respond import Responder
from audioloss_cli.training.watch import Watch

_VERSION = 1


def to_state(
    step: int, watch: Watch, responder: Responder, checkpoints: Checkpoints, looks: FirstLooks
) -> dict[str, Any]:
    """``step`` is the last one that was closed."""
    return {
        "version": _VERSION,
        "step": step,
        **watch.state_dict(),
        "taken": responder.ledger.state_dict(),
        "checkpoints": [list(each) for each in checkpoints.written],
        "told": sorted(looks.told),
    }


def from_state(
    state: Mapping[str, Any], watch: Watch, responder: Responder, checkpoints: Checkpoints, looks: FirstLooks
) -> int:
    """Continue where ``to_state`` was called; the step.

    Raises:
        ValueError: the state comes from another version of the format.
    """
    if state.get("version") != _VERSION:
        raise ValueError(f"guard state has version {state.get('version')!r}, this release reads {_VERSION}")
    watch.load_state_dict(state)
    responder.ledger.load_state_dict(state["taken"])
    for step, path in state["checkpoints"]:
        checkpoints.add(step, path)
    looks.told.update(state["told"])
    return int(state["step"])
