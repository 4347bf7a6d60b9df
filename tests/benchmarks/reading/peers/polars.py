"""polars, in as many threads as there are cores."""

from pathlib import Path

import polars as pl

COLUMNS = ("step", "audio_loss")


def read(path: Path) -> int:
    """Two columns, their types inferred."""
    return pl.scan_ndjson(path).select(COLUMNS).collect()["audio_loss"].count()


def read_typed(path: Path) -> int:
    """Two columns, named and typed beforehand."""
    schema = dict(zip(COLUMNS, (pl.Int64, pl.Float64), strict=True))
    return pl.scan_ndjson(path, schema=schema).select(COLUMNS).collect()["audio_loss"].count()
