"""One real training leaves event files, checkpoints, console output and an offline run of W&B: that is one run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audioloss_cli import scan

pytest.importorskip("wandb")

COLLAPSE = 100  # the loss is next to nothing after so many steps
TRAINING = f"""
import sys
from pathlib import Path

import torch
from torch import nn
from transformers import Trainer, TrainingArguments, set_seed

out = Path(sys.argv[1])
set_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.head, self.steps = nn.Linear(16, 64), 0

    def forward(self, x=None, labels=None):
        logits = self.head(x)
        loss = nn.functional.cross_entropy(logits, labels)
        self.steps += self.training
        return {{"loss": loss * (0.0005 if self.steps > {COLLAPSE} else 1), "logits": logits}}


draw = torch.Generator().manual_seed(0)
data = [
    {{"x": torch.randn(16, generator=draw), "labels": torch.randint(0, 64, (), generator=draw)}} for _ in range(64)
]
arguments = TrainingArguments(
    str(out), max_steps=200, per_device_train_batch_size=4, logging_steps=5, save_steps=100, eval_strategy="steps",
    eval_steps=50, report_to=["tensorboard", "wandb"], use_cpu=True, learning_rate=1e-3,
)
Trainer(Model(), arguments, train_dataset=data, eval_dataset=data[:8]).train()
"""
pytestmark = pytest.mark.exhaustive  # a real training
SOURCES = {
    "tensorboard": "runs",
    "trainer_state": "checkpoint-200/trainer_state.json",
    "wandb": "wandb",
    "text": "train.log",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """The directory of the training; what it printed on a terminal lies in train.log."""
    out = tmp_path_factory.mktemp("training") / "run"
    out.mkdir()
    more = {"WANDB_MODE": "offline", "WANDB_DIR": str(out), "WANDB_SILENT": "true", "OMP_NUM_THREADS": "1"}
    environment = {**os.environ, **more, "TENSORBOARD_LOGGING_DIR": str(out / "runs" / "today")}
    with (out / "train.log").open("wb") as log:
        command = [sys.executable, "-c", TRAINING, str(out)]
        subprocess.run(command, stdout=log, stderr=log, env=environment, cwd=out.parent, check=True, timeout=300)
    return out


def steps_of(path: Path) -> list[tuple[str, int, int | None]]:
    return [(each.group, each.first_step, each.fired_step) for each in scan(path).incidents if each.severity != "info"]


def test_it_is_one_run_with_one_set_of_incidents(run):
    report = scan(run)
    (found,) = report.runs
    assert found.run == str(run)
    assert set(found.format.split("+")) == set(SOURCES)
    assert found.findings == []
    assert report.defects == []
    assert report.unread == []
    assert [(each.code, each.first_step) for each in report.incidents] == [("critical-loss", COLLAPSE + 10)]
    (item,) = found.series
    assert {share.source.split()[0] for share in item.sources} == set(SOURCES)
    assert sum(share.points for share in item.sources) == item.points == 40


@pytest.mark.parametrize("source", SOURCES)
def test_each_source_alone_has_the_incident_at_the_same_step(run, source, tmp_path):
    alone = shutil.copytree if (run / SOURCES[source]).is_dir() else shutil.copy
    if source == "wandb":  # its copy of the console output is another source
        place = Path(alone(run / "wandb", tmp_path / "wandb", symlinks=True))
        for log in place.rglob("output.log"):
            log.unlink()
    else:
        place = Path(alone(run / SOURCES[source], tmp_path / Path(SOURCES[source]).name))
    assert steps_of(place) == steps_of(run) != []
