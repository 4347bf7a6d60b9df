"""Root causes, one a file, whose name is the slug: what a log says for and against it, and which checks of a probe do.

A cause asks no framework: the log's side runs without torch, and the probe's side is the names of its checks.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from audioloss_cli.model import Diagnosis, Finding, Incident, Series
from audioloss_cli.model.series_report import AuditedSeries

if TYPE_CHECKING:
    from audioloss_cli.causes._scene import Scene
    from audioloss_cli.causes._weighed import Weighed

__all__ = ["FOLDER", "Cause", "diagnose", "explain"]

FOLDER = "causes"


class Cause(Protocol):
    """A module of this room: a What / Why / Fix docstring and what stands here; ``ALSO`` may be left out.

    Attributes:
        ORDER: what comes first where a probe finds two equally grave ones: inputs, then labels, logits, alignment,
            gradient, scale.
        CODES: of the checks that speak for this cause, and rule it out where each of them passed.
        ALSO: of checks that speak for it as well, but cannot judge everywhere.
        CONFIRMED_BY: of the check, one of these, that settles what a log alone leaves open.
    """

    ORDER: int
    CODES: tuple[str, ...]
    CONFIRMED_BY: str

    def weigh(self, scene: "Scene") -> "Weighed | None":
        """What the log of an incident says for and against this cause; None where it says nothing."""
        ...


def explain(audited: Sequence[AuditedSeries], run: Sequence[Series]) -> None:
    """Fill in the likely causes of every incident of a run.

    Args:
        audited: the audited series of the run; their incidents are changed in place.
        run: each of its series, whole, with the steps that the audited ones have; one a tag.
    """
    if any(item.incidents for item in audited):
        from audioloss_cli.causes._weigh import fill_in  # noqa: PLC0415  # 10 ms that a healthy run does not need

        fill_in(audited, run)


def diagnose(
    findings: Sequence[Finding], passed: Mapping[str, str], incidents: Iterable[Incident] = (), about: str = ""
) -> list[Diagnosis]:
    """Return every cause for which a finding of at least a warning speaks, the gravest first.

    Behind them come those that a log alone speaks for, and that no check has ruled out.

    Args:
        findings: of all checks.
        passed: code -> clause, for the checks that found nothing.
        incidents: of the logs of the same training, explained.
        about: see ``Diagnosis``.
    """
    from audioloss_cli.causes._diagnose import ranked  # noqa: PLC0415  # a scan of logs alone needs none of it

    return ranked(findings, passed, incidents, about)
