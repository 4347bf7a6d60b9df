"""ESPnet: the batches since the last line, and a summary of each epoch.

Example: ``[gpu1] 2021-01-01 00:00:00,000 (trainer:732) INFO: 1epoch:train:1-100batch: iter_time=1e-04, loss=70.1``
"""

import re

from audioloss_cli.readers.text.entry import Counter, Entry, Token
from audioloss_cli.readers.text.pairs import read_pairs, tokens_of

ORDER = 30
MARKS = ("epoch:train:", "epoch:valid:", "epoch results:")

_BATCHES = re.compile(r"(?<!\d)(\d{1,9})epoch:(train|valid):(\d{1,9})-(\d{1,9})batch: ")
_RESULTS = re.compile(r"(?<!\d)(\d{1,9})epoch results: ")


def parse(line: str) -> Entry | None:
    """Return the averages of the batches up to the last one named, or of an epoch (``train/``, ``eval/``)."""
    match = _BATCHES.search(line[:300])
    if match is not None:
        spans = [match.span(1), match.span(3), match.span(4)]
        counters = [(0, "epoch"), (2, "place")]
        end = match.end()
    elif (match := _RESULTS.search(line[:300])) is not None:
        spans, counters, end = [match.span(1)], [(0, "epoch")], match.end()
    else:
        return None
    before = tokens_of(line, 0, spans[0][0])
    entry = Entry([*before, *(Token(*span, is_number=True) for span in spans)], is_record=True)
    entry.counters = [Counter(name, len(before) + index) for index, name in counters]
    read_pairs(line, entry, end)
    prefix = {None: "train/", "train": "", "valid": "eval/"}[match[2] if match.re is _BATCHES else None]
    entry.held_out |= prefix == "eval/"
    entry.numbers = [(tag if tag.startswith("eval/") else prefix + tag, index) for tag, index in entry.numbers]
    return entry
