"""LeRobot: the step is rounded to thousands (``step:1K``), so that it tells nothing; its rows are counted.

Example: ``INFO 2026-06-12 10:55:06 ot_train.py:357 step:1K smpl:32K ep:101 epch:2.53 loss:1.226 grdn:34.825``
"""

import re

from audioloss_cli.readers.text.entry import Entry
from audioloss_cli.readers.text.pairs import read_pairs

ORDER = 30
MARKS = (" smpl:",)

_STEP = re.compile(r"\bstep:\d++[KMB]?\s")


def parse(line: str) -> Entry | None:
    """Return the values without the step."""
    match = _STEP.search(line[:300])
    if match is None:
        return None
    entry = read_pairs(line, Entry(is_record=True))
    entry.counters = []
    return entry
