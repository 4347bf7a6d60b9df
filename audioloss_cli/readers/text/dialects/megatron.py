"""Megatron-LM's validation: its losses have the names of those of the training.

Example: ``validation loss at iteration 1000 on validation set | lm loss value: 2.31E+00 | lm loss PPL: 1.0E+01 |``
"""

from audioloss_cli.readers.text.entry import Entry
from audioloss_cli.readers.text.pairs import rank_of, read_pairs

ORDER = 30
MARKS = ("validation loss at", "test loss at")


def parse(line: str) -> Entry | None:
    """Return the values under ``eval/``; they belong to the iteration that is named."""
    rank, start = rank_of(line)
    entry = read_pairs(line, Entry(rank=rank), start)
    entry.numbers = [(tag if tag.startswith("eval/") else f"eval/{tag}", index) for tag, index in entry.numbers]
    return entry if entry else None
