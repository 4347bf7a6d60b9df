"""What the log says about the cause of an incident, in a few lines."""

from collections.abc import Iterator

from audioloss_cli.model import Incident, LikelyCause, View
from audioloss_cli.outputs.text.layout import Line, paragraph

_MOST_CAUSES = 2


def cause_lines(incident: Incident, view: View) -> Iterator[Line]:
    """The likeliest cause with all that the log says of it, another in brief; every one in full where there is room."""
    in_full = view.verbosity > 0
    for cause in incident.causes if in_full else incident.causes[:_MOST_CAUSES]:
        text = _full(cause) if in_full or cause.rank == 1 else _brief(cause)
        yield from paragraph(f"{'likely' if cause.rank == 1 else 'or'}: {text}", view, indent=4, hang=2)


def _full(cause: LikelyCause) -> str:
    objections = f", but {'; '.join(cause.against)}" if cause.against else ""
    return f"{cause.cause} ({'; '.join(cause.evidence)}){objections}; confirm with the probe check {cause.confirm}"


def _brief(cause: LikelyCause) -> str:
    return f"{cause.cause} ({cause.evidence[0]}); probe check {cause.confirm}"
