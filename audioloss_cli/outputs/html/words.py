"""Numbers, moments and incidents in the words of the page; each is a filter of the templates."""

import math

from audioloss_cli.model import Incident, Severity
from audioloss_cli.outputs._figures import moment, number
from audioloss_cli.outputs._sizes import change, extent, norm
from audioloss_cli.outputs._verdict import plural

_HOW_IT_ENDED = {
    "recovered": "recovered at step {:,}",
    "run_ended": "unresolved: the run ended while it fired",
    "restarted": "unresolved: the training restarted while it fired",
}


def count(value: int) -> str:
    """``12,000``."""
    return f"{value:,}"


def outcome(incident: Incident) -> str:
    """How long an incident was, how bad it got and how it ended, as a sentence."""
    clauses = [plural(incident.points, "point")]
    if math.isfinite(incident.worst_value):
        clauses.append(f"worst {number(incident.worst_value)} at step {incident.worst_step:,}")
    if incident.severity is not Severity.INFO:  # no trouble that could end
        clauses.append(_HOW_IT_ENDED[incident.resolution or "run_ended"].format(incident.resolved_step or 0))
    if incident.fire_count > 1:
        clauses.append(f"fired {incident.fire_count} times" + (", flapping" if incident.flapping else ""))
    return "; ".join(clauses)


FILTERS = {each.__name__: each for each in (count, plural, number, moment, outcome, extent, norm, change)}
