"""A history of a Trainer and a table: ``log_history(directory, size)`` and ``table(directory, size)``."""

import json
from pathlib import Path

from tests.benchmarks.reading.curves import healthy

HISTORY, TABLE = "run/trainer_state.json", "run/metrics.csv"
_ROWS_TO_AN_EVALUATION = 100


def log_history(directory: Path, size: int) -> None:
    """Rows of training, laid out as a Trainer lays them out, with an evaluation after each hundred."""
    rows = list[dict[str, float]]()
    for step, loss in enumerate(healthy(size), 1):
        rate, norm = 2e-05 * (1 - step / size), loss / 3
        rows.append({"epoch": round(step / 12345, 4), "grad_norm": norm, "learning_rate": rate, "loss": round(loss, 4)})
        rows[-1]["step"] = step
        if step % _ROWS_TO_AN_EVALUATION == 0:
            rows.append({"epoch": round(step / 12345, 4), "eval_loss": loss + 0.25, "eval_runtime": 12.5, "step": step})
    (directory / HISTORY).parent.mkdir(parents=True, exist_ok=True)
    document = {"global_step": size, "log_history": rows, "max_steps": size, "stateful_callbacks": {}}
    (directory / HISTORY).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def table(directory: Path, size: int) -> None:
    """Five columns, with numbers of 5 to 17 digits."""
    (directory / TABLE).parent.mkdir(parents=True, exist_ok=True)
    with (directory / TABLE).open("w", encoding="utf-8") as stream:
        stream.write("step,audio_loss,text_loss,lr,grad_norm\n")
        stream.writelines(
            f"{step},{loss + 0.5!r},{loss / 2:.5f},{2e-05 * (1 - step / size):.4e},{loss / 3:.6f}\n"
            for step, loss in enumerate(healthy(size))
        )
