"""The transaction log of the benchmark: ``history(directory, size)``."""

import random
from pathlib import Path

from tests.benchmarks.reading.curves import healthy
from tests.readers.wandb.transaction_logs import log, row

FILE = "run-benchmark.wandb"


def history(directory: Path, size: int) -> None:
    """Rows of about 220 bytes, five columns beside the step, shuffled row by row as wandb-core does."""
    directory.mkdir(parents=True, exist_ok=True)
    rng = random.Random(0)
    rows = (
        row(
            step + 1,
            {
                "train/audio_loss": loss + 0.5,
                "train/text_loss": loss / 2,
                "train/learning_rate": 2e-05 * (1 - step / size),
                "_step": step,
                "_timestamp": 1.7e9 + 0.731 * step,
                "_runtime": 0.731 * step,
            },
            rng,
        )
        for step, loss in enumerate(healthy(size))
    )
    (directory / FILE).write_bytes(log(rows))
