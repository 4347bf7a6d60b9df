"""duckdb, in as many threads as there are cores."""

from pathlib import Path

import duckdb
import numpy as np  # noqa: F401  # fetchnumpy imports it


def read(path: Path) -> int:
    """Two columns, their types inferred."""
    query = "SELECT step, audio_loss FROM read_json(?, format='newline_delimited')"
    return len(duckdb.execute(query, [str(path)]).fetchnumpy()["audio_loss"])


def read_typed(path: Path) -> int:
    """Two columns, named and typed beforehand."""
    query = "SELECT step, audio_loss FROM read_json(?, format='newline_delimited', columns=?)"
    types = {"step": "BIGINT", "audio_loss": "DOUBLE"}
    return len(duckdb.execute(query, [str(path), types]).fetchnumpy()["audio_loss"])
