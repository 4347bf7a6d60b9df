"""What every dialect of console output promises."""

import re

import pytest

from audioloss_cli import registry

NAMES = registry.names("readers.text.dialects")

pytestmark = pytest.mark.parametrize("name", NAMES)


def example(name: str) -> str:
    text = " ".join(registry.docstring("readers.text.dialects", name).split())
    return re.search(r"Example: ``(.+?)``", text)[1]


def test_its_example_is_its_own(name):
    dialect = registry.load("readers.text.dialects", name)
    entry = dialect.parse(example(name))
    assert entry
    assert entry.counters or entry.numbers
    assert not dialect.MARKS or any(mark in example(name) for mark in dialect.MARKS)


def test_tokens_are_in_order_and_inside_the_line(name):
    line = example(name)
    entry = registry.load("readers.text.dialects", name).parse(line)
    spans = [(token.start, token.end) for token in entry.tokens]
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(line) for start, end in spans)
    assert all(float(line[slice(*spans[index])].replace(",", "")) is not None for _, index in entry.numbers)


@pytest.mark.sampled(2)
def test_a_line_of_1_mb_is_taken_apart(name):
    """A pattern that backtracks would not end within the time that the whole suite may take."""
    dialect = registry.load("readers.text.dialects", name)
    for piece in (
        example(name),
        *dialect.MARKS,
        example(name)[: len(example(name)) // 2],
        "1",
        " ",
        "loss: ",
        "'",
        "[",
    ):
        dialect.parse((piece * (1 + (1 << 20) // len(piece)))[: 1 << 20])
