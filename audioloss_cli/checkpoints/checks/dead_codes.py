"""Codes of the audio have no embedding, or no logit, of their own.

What: Rows of the audio's embeddings or head are zero, or a copy of another row, by codebook. Up to a quarter of a
codebook at its end (and no more than 256 rows where no configuration says how many codebooks a table has), and two rows
or one in 500 elsewhere, are what padding and reserved ids come to, and only told. Text is not looked at: its reserved
ids share one initialisation in healthy models.

Why: A code whose embedding is zero is not heard, and two codes with one embedding are one to the model. A head in
which rows are copies gives both codes the same probability, so neither is ever learnt. This is what a table looks
like that was extended, or split into codebooks, at the wrong place.

Fix: Compare the number of codebooks and codes in the configuration with the codec's (1024 codes and 2 special ids
make 1026), and look at how the table was resized or converted. `--against BASE` tells whether the base has it too.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from audioloss_cli.checkpoints.checks._words import counted, listed
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import members
from audioloss_cli.checkpoints.health import TensorStatistics
from audioloss_cli.checkpoints.stored import StoredTensor
from audioloss_cli.checkpoints.weights import is_lora, layers_as_stars
from audioloss_cli.model import Problem, Severity

_COUNTS = ("num_codebooks", "audio_num_codebooks", "num_channels", "n_q")  # keys of configurations
_SPECIAL, _SPECIAL_SHARE = 2, 500  # rows of a codebook that are no codes
_MOST_PADDING = 0.25  # of the rows of a codebook
_MOST_UNKNOWN = 256  # rows of padding of a table of which nobody says how many codebooks it has
_MOST_LISTED = 100
_MATRIX = 2


class _Book(NamedTuple):
    """One codebook of a table in which rows are dead."""

    name: str
    number: int | None
    codes: tuple[int, ...]
    rows: int
    severity: Severity


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem for what is trouble, one for what padding may be."""
    books = [book for name, tensor, found in _tables(evidence) for book in _books(name, tensor, found, evidence)]
    for is_info in (False, True):
        group = [book for book in books if (book.severity is Severity.INFO) == is_info]
        if group:
            severity = max((book.severity for book in group), key=lambda each: each.rank)
            text = listed((_described(book) for book in group), 4)
            what = "are zero or copies, as padding and unused ids may be" if is_info else "are zero or copies of others"
            count = sum(len(book.codes) for book in group)
            yield Problem(severity, f"{counted(count, 'row')} of the audio's tables {what}: {text}", _numbers(group))


def passed(evidence: CheckpointEvidence) -> str:
    """Clause with the count of rows that were looked at."""
    rows = sum(tensor.shape[0] for _, tensor, _ in _tables(evidence))
    return f"{counted(rows, 'row')} of audio embeddings and heads differ, but for padding" if rows else ""


def _tables(evidence: CheckpointEvidence) -> Iterator[tuple[str, StoredTensor, TensorStatistics]]:
    """What is zero or one number throughout is another check's."""
    tensors = evidence.checkpoint.tensors
    for name in members(evidence.family, tensors, "head", "embeddings"):
        tensor, found = tensors[name], evidence.statistics.get(name)
        if found and len(tensor.shape) >= _MATRIX and not is_lora(name) and not found.is_constant and not found.nan:
            yield name, tensor, found


def _books(name: str, tensor: StoredTensor, found: TensorStatistics, evidence: CheckpointEvidence) -> Iterator[_Book]:
    dead = sorted({*found.dead_rows, *(copy for _, copy in found.twin_rows)})
    dead = [row for row in dead if row < tensor.shape[0]]
    if not dead:
        return
    if len(tensor.shape) > _MATRIX:  # a row is a whole codebook
        yield _Book(name, None, tuple(dead), tensor.shape[0], Severity.CRITICAL)
        return
    count = _codebooks(name, tensor, evidence)
    rows = tensor.shape[0] // (count or 1)
    most = rows * _MOST_PADDING if count else min(rows * _MOST_PADDING, _MOST_UNKNOWN)
    unlisted = found.dead + found.twins - len(dead)
    for number in sorted({row // rows for row in dead}):
        codes = tuple(row % rows for row in dead if row // rows == number)
        is_cut = unlisted > 0 and number == dead[-1] // rows
        severity = _severity(codes, rows, unlisted if is_cut else 0, most)
        yield _Book(name, number if rows < tensor.shape[0] else None, codes, rows, severity)


def _severity(codes: tuple[int, ...], rows: int, unlisted: int, most: float) -> Severity:
    """How bad rows of one codebook are; ``unlisted`` more may follow in it, and ``most`` may be padding at its end."""
    last, inside = rows, len(codes)
    while inside and codes[inside - 1] == last - 1:
        last, inside = last - 1, inside - 1
    padding = len(codes) - inside
    if unlisted and codes[0] + len(codes) + unlisted == rows:  # what is listed goes on to the end
        padding, inside, unlisted = len(codes) + unlisted, 0, 0
    if padding > most:
        inside += padding
    inside += unlisted
    if inside <= max(_SPECIAL, rows // _SPECIAL_SHARE):
        return Severity.INFO
    return Severity.CRITICAL if 2 * inside >= rows else Severity.WARNING


def _codebooks(name: str, tensor: StoredTensor, evidence: CheckpointEvidence) -> int:
    """How many codebooks one table has, 1 where each has its own; 0 where nobody says how many."""
    like = layers_as_stars(name)
    if sum(layers_as_stars(other) == like for other in evidence.checkpoint.tensors) > 1:
        return 1
    count = next(_counts(evidence.checkpoint.config), 0)
    return count if count and tensor.shape[0] % count == 0 else 0


def _counts(config: Mapping[str, Any]) -> Iterator[int]:
    """Numbers of codebooks that a configuration and its parts name."""
    yield from (config[key] for key in _COUNTS if isinstance(config.get(key), int) and config[key] > 0)
    for part in config.values():
        if isinstance(part, dict):
            yield from _counts(part)


def _described(book: _Book) -> str:
    where = "" if book.number is None else f" codebook {book.number}:"
    return f"{book.name}{where} {len(book.codes):,} of {book.rows:,} ({listed(book.codes, 3)})"


def _numbers(books: list[_Book]) -> dict[str, Any]:
    return {
        "rows": [
            {"tensor": book.name, "codebook": book.number, "codes": list(book.codes[:_MOST_LISTED])} for book in books
        ],
    }
