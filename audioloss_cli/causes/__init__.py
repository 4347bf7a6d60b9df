"""What a log alone says about the cause of an incident, one cause a file, named as in ``probe/causes``."""

from collections.abc import Sequence

from audioloss_cli.model import Series
from audioloss_cli.model.report import AuditedSeries

__all__ = ["explain"]


def explain(audited: Sequence[AuditedSeries], run: Sequence[Series]) -> None:
    """Fill in the likely causes of every incident of a run.

    Args:
        audited: the audited series of the run; their incidents are changed in place.
        run: each of its series, whole, with the steps that the audited ones have; one a tag.
    """
    if any(item.incidents for item in audited):
        from audioloss_cli.causes._weigh import fill_in  # noqa: PLC0415  # 10 ms that a healthy run does not need

        fill_in(audited, run)
