"""Makes sample_logs/ with real writers: ``python -m tests.make_samples [DIRECTORY]``.

Each sample is a directory with one log and ``report.json``, the report that a scan of it must give. Losses are
simulated and seeded; shapes and levels are those seen in real runs.
"""

import json
import math
import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from audioloss_cli import ScanConfig, scan
from audioloss_cli.model import View
from audioloss_cli.outputs import render

if TYPE_CHECKING:  # whoever only needs the place of the samples has neither
    from tensorboardX import SummaryWriter as TensorboardXWriter
    from torch.utils.tensorboard import SummaryWriter as TorchWriter

SAMPLES = Path(__file__).parent.parent / "sample_logs"
CHANCE = math.log(1026)  # 8 codebooks of 1024 codes, BOS and EOS
CADENCE, LAST_STEP = 5, 1000
START = 1_700_000_000.0
SECONDS_A_STEP = 1.2

Point = tuple[int, float]


def healthy() -> Iterator[Point]:
    """From chance level slowly down to about 4 nats."""
    noise = random.Random(1)
    for step in range(0, LAST_STEP + 1, CADENCE):
        yield step, 4.0 + (CHANCE - 4.0) * math.exp(-step / 300) + noise.gauss(0, 0.05)


def collapse() -> Iterator[Point]:
    """Healthy until step 400, then down to 0.004: below 0.01 from step 490 on, below 0.005 at step 500."""
    noise = random.Random(2)
    for step, value in healthy():
        if step < 400:
            yield step, value
        elif step < 490:
            yield step, value * math.exp(-(step - 400) / 100 * 5.5)
        else:
            yield step, {490: 0.0092, 495: 0.0061}.get(step, 0.004 + noise.uniform(-0.0004, 0.0006))


def nan() -> Iterator[Point]:
    """Healthy until the loss is NaN for good."""
    for step, value in healthy():
        yield step, value if step < 300 else math.nan


def exactly_zero() -> Iterator[Point]:
    """The audio inputs are filtered out from step 200 on: the loss branch never runs again."""
    for step, value in healthy():
        yield step, value if step < 200 else 0.0


def recovery() -> Iterator[Point]:
    """A stretch of over-masked batches from step 300 to 445, then healthy again."""
    noise = random.Random(3)
    for step, value in healthy():
        yield step, value if not 300 <= step < 450 else 0.007 + noise.uniform(-0.001, 0.001)


def wall_time(step: int) -> float:
    """Unix seconds, the same at every run of this script."""
    return START + step * SECONDS_A_STEP


def with_torch(directory: Path) -> "TorchWriter":
    """The writer that comes with torch."""
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(directory))


def with_tensorboardx(directory: Path) -> "TensorboardXWriter":
    """The writer of tensorboardX."""
    from tensorboardX import SummaryWriter

    return SummaryWriter(str(directory))


def write_events(
    directory: Path, points: Iterator[Point], make: Callable[[Path], "TorchWriter | TensorboardXWriter"]
) -> Path:
    """One event file with the audio loss, the text loss and the learning rate, under a name without host or time."""
    writer = make(directory)
    for step, value in points:
        for tag, scalar in (("audio_loss", value), ("text_loss", 2.0 + math.exp(-step / 400)), ("learning_rate", 1e-4)):
            writer.add_scalar(f"train/{tag}", scalar, step, walltime=wall_time(step))
    writer.close()
    (written,) = directory.glob("events.out.tfevents.*")
    return written.rename(directory / f"events.out.tfevents.{START:.0f}.sample")


def write_jsonl(directory: Path, points: Iterator[Point]) -> Path:
    """One JSON object a line, as a plain training loop writes it."""
    path = directory / "train_log.jsonl"
    rows = (
        {
            "step": step,
            "train": {"audio_loss": value, "text_loss": 2.0 + math.exp(-step / 400)},
            "timestamp": wall_time(step),
        }
        for step, value in points
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_truncated(directory: Path) -> None:
    """A healthy log that ends inside its last record, as a killed trainer leaves it."""
    path = write_events(directory, healthy(), with_torch)
    path.write_bytes(path.read_bytes()[:-17])


WRITERS: dict[str, Callable[[Path], object]] = {
    "collapse-jsonl": lambda directory: write_jsonl(directory, collapse()),
    "collapse-tensorboard": lambda directory: write_events(directory, collapse(), with_torch),
    "exactly-zero": lambda directory: write_events(directory, exactly_zero(), with_tensorboardx),
    "healthy": lambda directory: write_events(directory, healthy(), with_tensorboardx),
    "nan": lambda directory: write_events(directory, nan(), with_torch),
    "recovery": lambda directory: write_jsonl(directory, recovery()),
    "truncated": write_truncated,
}


def main(target: Path) -> None:
    """Write every sample, then the report of each, with paths as seen from the directory above."""
    os.chdir(target.parent)
    for name, write in WRITERS.items():
        directory = target / name
        directory.mkdir(parents=True, exist_ok=True)
        for old in directory.iterdir():
            old.unlink()
        write(directory)
        report = scan([f"{target.name}/{name}"], ScanConfig())
        (directory / "report.json").write_text(render("json", report, View()), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else SAMPLES)
