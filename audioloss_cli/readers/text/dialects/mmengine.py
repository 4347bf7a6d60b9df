"""MMEngine: ``Epoch(train) [1][50/100]`` and ``Iter(train) [50/1000]``.

Example: ``2023/01/01 00:00:00 - mmengine - INFO - Epoch(train)  [1][  50/ 100]  lr: 1.0e-02  loss: 2.3``
"""

import re

from audioloss_cli.readers.text.entry import Counter, Entry, Token
from audioloss_cli.readers.text.pairs import read_pairs, tokens_of

ORDER = 30
MARKS = ("Epoch(", "Iter(")

_HEAD = re.compile(
    r"\b(?:Epoch\((\w{2,12})\)\s*+\[\s*+(\d{1,9})\]|Iter\((\w{2,12})\)\s*+)\s*+\[\s*+(\d{1,9})\s*+/\s*+(\d{1,9})\]"
)


def parse(line: str) -> Entry | None:
    """Return the values of an iteration; those of other loops than that of training under ``eval/``."""
    match = _HEAD.search(line[:300])
    if match is None:
        return None
    groups = [group for group in (2, 4, 5) if match[group] is not None]
    before = tokens_of(line, 0, match.start(groups[0]))
    entry = Entry([*before, *(Token(*match.span(group), is_number=True) for group in groups)], is_record=True)
    at = len(before)
    if match[2] is not None:
        entry.counters = [Counter("epoch", at), Counter("place", at + 1, at + 2)]
    else:
        entry.counters = [Counter("iteration", at, at + 1)]
    read_pairs(line, entry, match.end())
    if (match[1] or match[3]) != "train":
        entry.held_out = True
        entry.numbers = [(f"eval/{tag}", index) for tag, index in entry.numbers]
    return entry
