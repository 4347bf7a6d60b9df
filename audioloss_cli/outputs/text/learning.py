"""Whether a run learns, in one line of the report."""

from collections.abc import Iterator, Sequence

from audioloss_cli.model import RunReport, View
from audioloss_cli.model.learning import FigureKind, LearningFigure
from audioloss_cli.outputs._figures import number
from audioloss_cli.outputs.text.layout import Line, paragraph


def learning_lines(run: RunReport, view: View) -> Iterator[Line]:
    """How far below guessing, how many labels count, how large the gradients are; with -v, or if nothing is learnt."""
    still = any(item.has_learnt_nothing for item in run.learning)
    clauses = [clause for clause in (_nats(run.learning), *_others(run.learning)) if clause]
    if clauses and (still or view.verbosity > 0):
        yield from paragraph(f"learning: {'; '.join(clauses)}", view, indent=2, hang=2)


def _nats(figures: Sequence[LearningFigure]) -> str:
    """Of the audio loss, as the guard logged it if it did; and the range over the codebooks."""
    every = [item for item in figures if item.kind == "nats-below-chance"]
    logged = [item for item in every if not item.chance] or every
    whole = next((item for item in logged if item.codebook is None), None)
    books = [item.last for item in logged if item.codebook is not None]
    said = ""
    if whole is not None:
        chance = f" ({whole.chance})" if whole.chance else ""
        tag = whole.tag if whole.chance else "the audio loss"
        said = f"{tag} {_below(whole.last)}{chance} at step {whole.last_step:,}, {_below(whole.first)} at first"
    if books:
        spread = f"{number(min(books))} to {number(max(books))} nats below over {len(books)} codebooks"
        said = f"{said}, {spread}" if said else spread
    return said


def _below(nats: float) -> str:
    return f"{number(nats)} nats below chance" if nats >= 0 else f"{number(-nats)} nats above chance"


def _others(figures: Sequence[LearningFigure]) -> Iterator[str]:
    kinds: tuple[tuple[FigureKind, str], ...] = (
        ("label-share", "share of audio labels that count"),
        ("audio-grad-norm", "gradient norm of the audio part"),
    )
    for kind, words in kinds:
        item = next((item for item in figures if item.kind == kind), None)
        if item is not None:
            yield f"{words} {number(item.last)}, {number(item.first)} at first"
