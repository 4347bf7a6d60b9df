"""pandas: every column, because it cannot leave any out."""

from pathlib import Path

import pandas as pd


def read(path: Path) -> int:
    """Two columns of the frame."""
    return len(pd.read_json(path, lines=True)[["step", "audio_loss"]])
