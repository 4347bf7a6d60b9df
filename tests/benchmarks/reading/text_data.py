"""The console output of the benchmark: ``console(directory, size)``."""

from pathlib import Path

from tests.benchmarks.reading.curves import healthy

FILE = "train.log"


def console(directory: Path, size: int) -> None:
    """Lines of about 100 bytes, as a logger writes them, a progress bar for every hundredth."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / FILE).open("w", encoding="utf-8") as stream:
        for step, loss in enumerate(healthy(size)):
            if step % 100 == 0:
                spent = f"{step // 60:02}:{step % 60:02}"
                stream.write(f"\r{100 * step // size:3}%|##  | {step}/{size} [{spent}<10:00,  1.02it/s]\n")
            stamp = f"2025-08-14 {step // 3600 % 24:02}:{step // 60 % 60:02}:{step % 60:02}"
            values = f"Text Loss = {loss / 2:.4f}, Audio Loss = {loss + 0.5:.4f}, LR = {2e-05 * (1 - step / size):.2e}"
            stream.write(f"{stamp} - INFO - Step {step}: {values}\n")
