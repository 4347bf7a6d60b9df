"""Coqui TTS: a line with the step, a line for each loss, and sections for training and evaluation.

Example: ``--> STEP: 24/40 -- GLOBAL_STEP: 25`` and then ``| > loss: 2.3  (2.4)``
"""

from audioloss_cli.readers.text.entry import Entry
from audioloss_cli.readers.text.pairs import read_pairs

ORDER = 40
MARKS = ("> EVALUATION", "> TRAINING", "> EPOCH", "--> EVAL PERFORMANCE", "--> STEP", "-- STEP")


def parse(line: str) -> Entry | None:
    """Return the section that a line begins, or the step that it names."""
    text = line.strip()
    if text.startswith(("> EVALUATION", "--> EVAL PERFORMANCE")):
        return Entry(mode=True)
    if text.startswith(("> TRAINING", "> EPOCH")):
        return Entry(mode=False)
    if "STEP" in text and text.startswith("-->"):
        entry = read_pairs(line, Entry())
        entry.numbers = []
        return entry
    return None
