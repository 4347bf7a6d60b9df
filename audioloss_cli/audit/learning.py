"""Whether a run learns: how far its audio losses are below guessing, and what the live guard logged beside them."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice

from audioloss_cli.model import Series
from audioloss_cli.model.learning import FigureKind, LearningFigure
from audioloss_cli.model.median import median
from audioloss_cli.model.series_report import AuditedSeries
from audioloss_cli.naming import Role, Tag
from audioloss_cli.naming.chance import Chance, ChanceTable
from audioloss_cli.runs.companions import RunTags, codebooks_of

_FEW, _AROUND = 5, 50  # values whose median is taken, and points among which they are looked for
_KINDS: tuple[tuple[str, FigureKind], ...] = (
    ("label share", "label-share"),
    ("audio grad norm", "audio-grad-norm"),
)


def learning_of(audited: Sequence[AuditedSeries], tags: RunTags) -> list[LearningFigure]:
    """Return the figures of one run: those that were logged, then those that its audio losses give.

    A loss gives one where it starts at the level of guessing, as of a model without any training, or where the files
    beside the log name the one vocabulary of its codes.

    Args:
        audited: the audited series of the run.
        tags: all series of the run, and the files beside its log.
    """
    return [*_logged(tags), *_computed(audited, tags)]


def _logged(tags: RunTags) -> Iterator[LearningFigure]:
    for series in tags.of("learning figure", lambda tag: tag.role is Role.LEARNING):
        tag = tags.tags[series.tag]
        first, last = _ends(series)
        if math.isfinite(first):
            kind: FigureKind = next((kind for words, kind in _KINDS if tag.words.endswith(words)), "nats-below-chance")
            yield LearningFigure(kind, series.tag, tag.codebook, len(series), first, last, int(series.steps[-1]))


def _computed(audited: Sequence[AuditedSeries], tags: RunTags) -> Iterator[LearningFigure]:
    for item in audited:
        series, tag = item.series, tags.tags[item.series.tag]
        if item.role != "audio" or item.kind != "ce" or tag.held_out:
            continue
        first, last = _ends(series)
        chance = _chance_of(series, tag, tags, first)
        if chance is None:
            continue
        level = chance.level / chance.codebooks
        yield LearningFigure(
            "nats-below-chance",
            series.tag,
            tag.codebook,
            len(series),
            first=level - first / chance.codebooks,
            last=level - last / chance.codebooks,
            last_step=int(series.steps[-1]),
            chance=str(chance),
            level=level,
        )


def _chance_of(series: Series, tag: Tag, tags: RunTags, first: float) -> Chance | None:
    """The level at which it starts; else that of the only vocabulary that is configured, of a single codebook."""
    if not math.isfinite(first):
        return None
    vocabularies, codebooks = tags.files().vocabularies, codebooks_of(series, tags)
    found = ChanceTable(vocabularies, codebooks).near(first, sums=tag.codebook is None)
    if found is None and len(vocabularies) == 1 and codebooks == 1:
        return Chance(vocabularies[0], 1, math.log(vocabularies[0]))
    return found


def _ends(series: Series) -> tuple[float, float]:
    """Medians of the first and of the last finite values; NaN if there are none."""
    values = series.values
    first = list(islice((float(value) for value in values[:_AROUND] if math.isfinite(value)), _FEW))
    last = [float(value) for value in values[-_AROUND:] if math.isfinite(value)][-_FEW:]
    return (median(first), median(last)) if first and last else (math.nan, math.nan)
