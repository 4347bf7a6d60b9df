"""Makes sample_logs/no-shift: ``python -m tests.make_probe_sample``; with ``--reports``, its reports alone.

A tiny Higgs Audio v2 (8 codebooks of 1026 ids, one layer, hidden size 8) is really trained without the shift by one, so
that it learns to copy. Beside its log lie its checkpoint, as a trainer saves it, and the batch that it was trained on.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from audioloss_cli import scan
from audioloss_cli.model import View
from audioloss_cli.outputs import render
from audioloss_cli.probe import ProbeConfig, probe
from tests.make_samples import SAMPLES, wall_time
from tests.probe import tiny
from tests.probe.training import loss_at

NAME, STEPS, CADENCE = "no-shift", 500, 5
CHECKPOINT, BATCH = f"checkpoint-{STEPS}", "batch.safetensors"


def batch() -> dict[str, torch.Tensor]:
    """One sample of one second: 25 frames."""
    return tiny.hf_batch(((25,),), seed=11, distinct=64)


def train(log: list[dict[str, Any]], steps: int = STEPS) -> Any:
    """Train on one batch, each logit held against the code that is fed in at its own position."""
    model = tiny.model(5, hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, head_dim=4)
    optimiser = torch.optim.AdamW(model.train().parameters(), lr=0.03, weight_decay=0.0)
    inputs = batch()
    for step in range(steps + 1):
        loss = loss_at(model, inputs, offset=0)
        if step % CADENCE == 0:
            log.append({"step": step, "train": {"audio_loss": float(loss.detach())}, "timestamp": wall_time(step)})
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


def write(directory: Path) -> None:
    """The log, the checkpoint and the batch."""
    directory.mkdir(parents=True, exist_ok=True)
    log: list[dict[str, Any]] = []
    train(log).save_pretrained(directory / CHECKPOINT)
    save_file(batch(), directory / BATCH)
    (directory / CHECKPOINT / "generation_config.json").unlink(missing_ok=True)
    for path in (directory / BATCH, *(directory / CHECKPOINT).iterdir()):
        path.chmod(0o644)
    (directory / "train_log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log), encoding="utf-8")


def report(directory: Path) -> None:
    """The reports that a scan and a probe must give, with paths as seen from the directory above the samples."""
    os.chdir(directory.parent.parent)
    here = directory.relative_to(directory.parent.parent)
    (here / "report.json").write_text(render("json", scan([str(here)]), View()), encoding="utf-8")
    found = probe(ProbeConfig(str(here / CHECKPOINT), str(here / BATCH), device="cpu"))
    (here / "probe.json").write_text(render("json", found, View()), encoding="utf-8")


if __name__ == "__main__":
    if "--reports" not in sys.argv:
        write(SAMPLES / NAME)
    report(SAMPLES / NAME)
