"""An id that the codebook or the vocabulary does not have.

What: An audio code or label outside 0 .. V - 1, or a text id outside the text vocabulary; the ignored index aside.
Codes that the model looks up though they count for nothing (padding, reference audio) are held to the same range.

Why: All codebooks share one embedding table in which codebook k starts at k * V. An id that is V too large silently
becomes an id of the next codebook; only in the last one does it raise.

Fix: Use the codec that the model was trained with, and check that special ids (BOS 1024, EOS 1025) are added once.
Codes of a codec with larger codebooks cannot be clipped into range: they mean something else.
"""

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from audioloss_cli.model import Problem, Severity
from audioloss_cli.probe.checks._words import embedded, first_true
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.ids import all_inside, equal, inside
from audioloss_cli.probe.model_io.layout import Layout

_ANY = 1 << 62  # above every id


def check(evidence: Evidence) -> Iterator[Problem]:
    """Codes, labels and text; of an unknown vocabulary, codes below 0."""
    layout, codes, labels = evidence.layout, evidence.audio.codes, evidence.audio.labels
    fed = layout if layout.input_size <= layout.vocab_size else replace(layout, vocab_size=layout.input_size)
    in_rows = list(_rows("audio code", codes, fed)) if codes is not None and codes.numel() else []
    yield from in_rows
    if labels is not None and layout.vocab_size and labels.numel():
        yield from _rows("audio label", labels, layout)
    for item, field in embedded(evidence):
        if item.role != "codes" or not in_rows:
            yield from _whole(item.name, field, fed)
    yield from _text(evidence)


def passed(evidence: Evidence) -> str:
    """The range that is there."""
    codes = evidence.audio.codes
    size = evidence.layout.vocab_size
    if codes is None or not codes.numel() or not size:
        return ""
    low, high = int(codes.min()), int(codes.max())
    return f"codes lie in {low} .. {high}, {'below' if high < size else 'with special ids behind'} {size}"


def _rows(name: str, rows: Tensor, layout: Layout) -> Iterator[Problem]:
    if _all_inside(rows, layout):
        return
    size, bad = layout.vocab_size, _outside(rows, layout)
    count = int(bad.sum())
    if not count:
        return
    row, book = first_true(bad)
    value, books = int(rows[row, book]), rows.shape[1]
    meaning = ""
    if name == "audio code" and size <= value < size * (books - book):
        meaning = f", which the shared embedding takes for id {value % size} of codebook {book + value // size}"
    yield Problem(
        Severity.CRITICAL,
        f"{count} {name}s lie {_range(size)}; the first is {value} in codebook {book}, column {row}{meaning}",
        {"count": count, "value": value, "codebook": book, "column": row},
    )


def _all_inside(ids: Tensor, layout: Layout) -> bool:
    """Whether no id asks for a closer look; one pass over them."""
    return all_inside(ids, layout.vocab_size or _ANY)


def _outside(ids: Tensor, layout: Layout) -> Tensor:
    """Some families put their special ids behind those that can be predicted (Moshi)."""
    end = layout.vocab_size or _ANY
    bad = ~inside(ids, end)
    for legal in {layout.ignore_index, layout.bos, layout.eos, layout.pad}:
        if legal is not None and not 0 <= legal < end:
            bad &= ~equal(ids, legal)
    return bad


def _range(size: int) -> str:
    return f"outside 0 .. {size - 1}" if size else "below 0"


def _whole(name: str, field: Tensor, layout: Layout) -> Iterator[Problem]:
    if _all_inside(field, layout):
        return
    bad = _outside(field, layout)
    if bool(bad.any()):
        count, where = int(bad.sum()), first_true(bad)
        yield Problem(
            Severity.CRITICAL,
            f"{count} ids of {name}, which the model looks up, padding included, lie {_range(layout.vocab_size)}; "
            f"the first is {int(field[where])} at {list(where)}",
            {"field": name, "count": count, "value": int(field[where]), "place": list(where)},
        )


def _text(evidence: Evidence) -> Iterator[Problem]:
    item, size = evidence.layout.named("text"), evidence.layout.text_vocab_size
    ids = evidence.batch.get(item.name) if item else None
    if item is None or size is None or not isinstance(ids, Tensor) or not ids.numel() or ids.is_floating_point():
        return
    bad = (ids < 0) | (ids >= size)
    if bool(bad.any()):
        value = int(ids[first_true(bad)])
        yield Problem(
            Severity.CRITICAL,
            f"{int(bad.sum())} ids of {item.name} lie outside 0 .. {size - 1}; the first is {value}",
            {"count": int(bad.sum()), "value": value},
        )
