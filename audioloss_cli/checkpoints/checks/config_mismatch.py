"""The tensors are not of the shapes that the configuration asks for.

What: An audio head, a table of audio embeddings, a text vocabulary or an audio FFN has another shape than follows from
config.json: number of codebooks, ids of a codebook, vocabulary, width. Or there are more codebooks than it says.

Why: Loading stops at it, or, with ignore_mismatched_sizes, starts these tensors anew. Higgs Audio counts 1026 ids a
codebook, 1024 codes, BOS and EOS: a configuration of 1024 beside tensors of 1026 makes ids of one codebook fall into
the next one.

Fix: Put the config.json beside the weights that they were trained with; in the layout of transformers codebook_size is
1026, in the original one audio_codebook_size is 1024.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import Expected, placed
from audioloss_cli.checkpoints.names import own
from audioloss_cli.checkpoints.words import clipped, listed
from audioloss_cli.model import Problem, Severity

_WHOLE = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")  # quantised tensors are packed into other shapes
_SPECIAL = 2  # BOS and EOS
_BOOK = re.compile(r"(?<=\.)\d+(?=\.)")


class _Fact(NamedTuple):
    """One axis: what the configuration says, how long that makes it, how long it is."""

    words: str
    asked: int
    found: int
    axis: int
    books: int


def check(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """One problem for each fact; the tensors that are alike in it are told together."""
    facts = dict[_Fact, list[str]]()
    for each, name in _stored(evidence):
        shape = evidence.checkpoint.tensors[name].shape
        for axis, (asked, found) in enumerate(zip(each.shape, shape, strict=True)):
            if asked is not None and asked.length != found:
                fact = _Fact(asked.words, asked.length, found, axis, each.books if axis == 0 else 0)
                facts.setdefault(fact, []).append(name)
    for fact, names in facts.items():
        yield Problem(
            Severity.CRITICAL,
            f"{listed(names)}: axis {fact.axis} has {fact.found:,} entries, and by config.json ({fact.words}) it has "
            f"{fact.asked:,}{_hint(fact)}",
            {"tensors": names, "axis": fact.axis, "found": fact.found, "asked": fact.asked, "settings": fact.words},
        )
    yield from _more_codebooks(evidence)


def passed(evidence: CheckpointEvidence) -> str:
    """How many tensors were held against the configuration."""
    count = sum(any(axis is not None for axis in each.shape) for each, _ in _stored(evidence))
    return f"the shapes of {count:,} tensors are those of config.json" if count else ""


def _stored(evidence: CheckpointEvidence) -> Iterator[tuple[Expected, str]]:
    """Yield what is asked for beside the name of the tensor, where its shape can be held against it."""
    if evidence.family is None:
        return
    tensors = evidence.checkpoint.tensors
    expected = evidence.family.expected(evidence.checkpoint.config)
    where = placed(expected, tensors)
    for each in expected:
        found = tensors.get(where.get(each.name, ""))
        if found is not None and found.dtype in _WHOLE and len(found.shape) == len(each.shape):
            yield each, where[each.name]


def _hint(fact: _Fact) -> str:
    """What the numbers have in common."""
    if fact.books < _SPECIAL or not fact.found:
        return ""
    ids, asked, is_whole = fact.found // fact.books, fact.asked // fact.books, fact.found % fact.books == 0
    told = f": {fact.books} codebooks of {ids:,} ids each"
    if is_whole and ids - asked == _SPECIAL:
        return f"{told}, so that config.json leaves out {_SPECIAL} ids a codebook, BOS and EOS"
    if is_whole and asked - ids == _SPECIAL:
        return f"{told}, so that config.json counts {_SPECIAL} ids a codebook, BOS and EOS, that have no row"
    if fact.found % asked == 0:
        return f": {fact.found // asked} codebooks of {asked:,} ids, where config.json says {fact.books}"
    return told if is_whole else ""


def _more_codebooks(evidence: CheckpointEvidence) -> Iterator[Problem]:
    """Tables and heads of codebooks that the configuration does not know of."""
    if evidence.family is None:
        return
    expected = [each for each in evidence.family.expected(evidence.checkpoint.config) if _is_numbered(each)]
    names, wanted = [own(name) for name in evidence.checkpoint.tensors], {each.name for each in expected}
    for kind in sorted({_template(each.name) for each in expected}):
        asked = sum(_template(name) == kind for name in wanted)
        more = sorted(name for name in names if name not in wanted and _template(name) == kind)
        if more:
            yield Problem(
                Severity.CRITICAL,
                f"there are {asked + len(more)} tensors {clipped(kind)}, one a codebook, and by config.json there are "
                f"{asked}: {listed(more)}",
                {"tensors": more, "found": asked + len(more), "asked": asked},
            )


def _is_numbered(each: Expected) -> bool:
    return each.books == 1 and _BOOK.search("." + each.name) is not None


def _template(name: str) -> str:
    return _BOOK.sub("*", name)
