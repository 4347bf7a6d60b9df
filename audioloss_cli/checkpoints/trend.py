"""What several checkpoints of one training show together."""

from collections.abc import Sequence

from audioloss_cli.model import Finding
from audioloss_cli.model.checkpoint_report import CheckpointReport


def trend(reports: Sequence[CheckpointReport]) -> list[tuple[str, Finding]]:
    """Return findings about checkpoints in the order of their steps, each with the path of the one it stands with."""
    del reports
    return []
