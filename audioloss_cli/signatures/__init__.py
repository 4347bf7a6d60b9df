"""What a log alone says about the cause of an incident, one cause a file, named as in ``probe/causes``."""

from collections.abc import Sequence

from audioloss_cli.model import RunReport, Series
from audioloss_cli.signatures._names import looks_at

__all__ = ["explain", "looks_at"]


def explain(report: RunReport, run: Sequence[Series]) -> None:
    """Fill in the likely causes of every incident of a run.

    Args:
        report: of the run; its incidents are changed in place.
        run: each of its series, whole, with the steps that the report has; one a tag.
    """
    if any(item.incidents for item in report.series):
        from audioloss_cli.signatures._weigh import fill_in  # noqa: PLC0415  # 10 ms that a healthy run does not need

        fill_in(report, run)
