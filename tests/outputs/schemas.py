"""Published schemas of formats, where they lie beside the corpus of real logs that ``AUDIOLOSS_CORPUS`` names."""

import os
from pathlib import Path

import pytest

CORPUS = Path(os.environ.get("AUDIOLOSS_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))


def schema(name: str) -> Path:
    """The file of that name; without it the test is skipped."""
    path = CORPUS.parent / "schemas" / name
    if not path.is_file():
        pytest.skip(f"no {name} beside the corpus: set AUDIOLOSS_CORPUS")
    return path
