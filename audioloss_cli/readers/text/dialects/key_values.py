"""Names and numbers in any order: what most people print.

Written by: torchtune, torchtitan, Megatron, NeMo, icefall, nanoGPT, FastSpeech 2, StyleTTS, Tacotron, Keras, the bars
of Lightning and tqdm, and by hand.

Example: ``Step 10: Text Loss = 2.49, Audio Loss = 6.50``
"""

from audioloss_cli.readers.text.entry import Entry
from audioloss_cli.readers.text.pairs import rank_of, read_pairs

ORDER = 90
MARKS = ()


def parse(line: str) -> Entry | None:
    """Return every pair of the line."""
    rank, start = rank_of(line)
    entry = read_pairs(line, Entry(rank=rank), start)
    return entry if entry else None
