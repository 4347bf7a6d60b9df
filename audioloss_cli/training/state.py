"""What a resumed run needs, as plain built-in types."""

from collections.abc import Mapping
from typing import Any

from audioloss_cli.model import Severity
from audioloss_cli.training.batches.first_batches import FirstBatches
from audioloss_cli.training.losses.monitors import Monitors
from audioloss_cli.training.policy import Policy
from audioloss_cli.training.response.checkpoints import Checkpoints
from audioloss_cli.training.response.responder import Responder

_VERSION = 1
_LONG_AGO = -(1 << 62)


def to_state(
    step: int, watch: Monitors, responder: Responder, checkpoints: Checkpoints, looks: FirstBatches
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
    state: Mapping[str, Any], watch: Monitors, responder: Responder, checkpoints: Checkpoints, looks: FirstBatches
) -> int:
    """Continue where ``to_state`` was called; the step.

    Raises:
        ValueError: the state comes from another version of the format.
    """
    if state.get("version") != _VERSION:
        raise ValueError(f"guard state has version {state.get('version')!r}, this release reads {_VERSION}")
    watch.load_state_dict({**state, "monitors": _with_reminders(state, responder.policy)})
    responder.ledger.load_state_dict(state["taken"])
    for step, path in state["checkpoints"]:
        checkpoints.add(step, path)
    looks.resume(_told(state, responder.policy))
    return int(state["step"])


def _with_reminders(state: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    """States of the monitors, of which an incident that ends a run speaks at once if the trouble is still there.

    A monitor reminds of what it has told only now and then, and the run that is resumed would go on as long. The state
    may have been taken before the end, as by a checkpoint that the same alert asked for: it is the policy that tells.
    """

    def reminded(group: Mapping[str, Any]) -> dict[str, Any]:
        told = group["open"] is not None and group["open"]["fired_step"] is not None
        ends = told and policy.ends(Severity(group["open"]["severity"]))
        return {**group, **({"last_alert": _LONG_AGO} if ends else {})}

    monitors: Mapping[str, Any] = state["monitors"]
    return {
        name: {**each, "groups": {group: reminded(held) for group, held in each["groups"].items()}}
        for name, each in monitors.items()
    }


def _told(state: Mapping[str, Any], policy: Policy) -> list[str]:
    """Codes of what was wrong with inputs, not to be said again; all of them are if any could have ended the run."""
    ends = policy.ends(Severity.CRITICAL) or policy.ends(Severity.WARNING)
    return [] if ends else list(state["told"])
