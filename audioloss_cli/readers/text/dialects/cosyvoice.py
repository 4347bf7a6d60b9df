"""CosyVoice, and WeNet before it: epoch and batch as ``Batch 0/100``, held-out data as CV.

Example: ``2024-11-01 00:00:00,000 DEBUG TRAIN Batch 0/100 loss 4.2 acc 0.1 lr 0.00001 grad_norm 2.3 rank 0``
"""

import re

from audioloss_cli.readers.text.entry import Counter, Entry, Token
from audioloss_cli.readers.text.pairs import read_pairs, tokens_of

ORDER = 30
MARKS = (" Batch ",)

_BATCH = re.compile(r"\b(TRAIN|CV) Batch (\d{1,9})/(\d{1,9}) ")
_RANK = re.compile(r"\brank (\d{1,4})\s*+$")


def parse(line: str) -> Entry | None:
    """Return the losses of a batch; of held-out ones under ``eval/``."""
    match = _BATCH.search(line[:300])
    if match is None:
        return None
    before = tokens_of(line, 0, match.start(2))
    tokens = [*before, Token(*match.span(2), is_number=True), Token(*match.span(3), is_number=True)]
    entry = Entry(tokens, [Counter("epoch", len(before)), Counter("place", len(before) + 1)], is_record=True)
    rank = _RANK.search(line[-40:])
    end = len(line) - len(rank[0]) if rank else len(line)
    read_pairs(line, entry, match.end(), end)
    entry.rank = int(rank[1]) if rank else 0
    if match[1] == "CV":
        entry.held_out = True
        entry.numbers = [(f"eval/{tag}", index) for tag, index in entry.numbers]
    return entry
