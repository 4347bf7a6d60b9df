"""The JSON lines of the benchmark: ``rows(directory, size)``."""

import json
from pathlib import Path

from tests.benchmarks.reading.curves import healthy

FILE = "log.jsonl"


def rows(directory: Path, size: int) -> None:
    """Lines of about 200 bytes, nine columns, of which two are wanted."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / FILE).open("w", encoding="utf-8") as stream:
        stream.writelines(
            json.dumps(
                {
                    "step": step,
                    "epoch": round(step / 12345, 4),
                    "loss": round(loss, 6),
                    "audio_loss": loss + 0.5,
                    "text_loss": round(loss / 2, 5),
                    "grad_norm": round(loss / 3, 6),
                    "learning_rate": 2e-05 * (1 - step / size),
                    "tokens_per_s": round(9000 + 100 * loss, 1),
                    "rank": 0,
                }
            )
            + "\n"
            for step, loss in enumerate(healthy(size))
        )
