"""Every cause asked about every incident of a run."""

import math
from collections.abc import Sequence
from typing import cast

from audioloss_cli import registry
from audioloss_cli.causes import FOLDER, Cause
from audioloss_cli.causes._scene import Company, Scene
from audioloss_cli.model import LikelyCause, Series
from audioloss_cli.model.series_report import AuditedSeries

_MOST = 4


def fill_in(audited: Sequence[AuditedSeries], run: Sequence[Series]) -> None:
    """See ``audioloss_cli.causes.explain``."""
    company = Company({series.tag: series for series in run} | {item.series.tag: item.series for item in audited})
    for item in audited:
        for incident in item.incidents:
            incident.causes = likely_causes(Scene(incident, item, company))


def likely_causes(scene: Scene) -> list[LikelyCause]:
    """At most four causes for which the log speaks, the most likely first; none where it fits no cause.

    What is known of cross entropies, of levels and of falls, says nothing of a loss that may be negative.
    """
    if scene.item.kind in ("signed", "rl") and math.isfinite(scene.incident.worst_value):
        return []
    weighed = [(name, _load(name), found) for name in registry.names(FOLDER) if (found := _load(name).weigh(scene))]
    fitting = [(name, cause, found) for name, cause, found in weighed if found.score > 0 and found.evidence]
    fitting.sort(key=lambda each: -each[2].score)
    return [
        LikelyCause(registry.code_of(name), rank, found.evidence, found.against, cause.CONFIRMED_BY)
        for rank, (name, cause, found) in enumerate(fitting[:_MOST], 1)
    ]


def _load(name: str) -> Cause:
    return cast("Cause", registry.load(FOLDER, name))
