"""What a resumed run needs, as plain built-in types."""

from collections.abc import Mapping
from typing import Any

from audioloss_cli.model import Severity
from audioloss_cli.training.pipeline import StepPipeline
from audioloss_cli.training.policy import Policy
from audioloss_cli.training.response.restore import Checkpoints

_VERSION = 1
_LONG_AGO = -(1 << 62)


def to_state(pipeline: StepPipeline, checkpoints: Checkpoints) -> dict[str, Any]:
    """What the pipeline and the checkpoints know; nothing is changed."""
    return {
        "version": _VERSION,
        "step": pipeline.step_number,
        **pipeline.watch.state_dict(),
        "taken": pipeline.responder.ledger.state_dict(),
        "checkpoints": [list(each) for each in checkpoints.written],
        "told": sorted(pipeline.looks.told),
        "presence": pipeline.reader.presence.state_dict(),
        "folding": pipeline.folding.state_dict(),
    }


def from_state(state: Mapping[str, Any], pipeline: StepPipeline, checkpoints: Checkpoints) -> None:
    """Continue where ``to_state`` was called.

    Raises:
        ValueError: the state comes from another version of the format.
    """
    if state.get("version") != _VERSION:
        raise ValueError(f"guard state has version {state.get('version')!r}, this release reads {_VERSION}")
    policy = pipeline.responder.policy
    pipeline.watch.load_state_dict({**state, "monitors": _with_reminders(state, policy)})
    pipeline.responder.ledger.load_state_dict(state["taken"])
    for step, path in state["checkpoints"]:
        checkpoints.add(step, path)
    pipeline.looks.resume(_told(state, policy))
    pipeline.step_number = int(state["step"])
    if "presence" in state:  # states of before have none
        pipeline.reader.presence.load_state_dict(state["presence"])
    if "folding" in state:
        pipeline.folding.load_state_dict(state["folding"])


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
