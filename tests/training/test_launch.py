"""``audioloss run``: scripts that know nothing of it, each in a process of its own."""

import inspect
import json
import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from audioloss_cli.training import AudioLossGuard
from audioloss_cli.training.integrations import launch
from tests.effort import rows

TRAINERS = """
import sys
from pathlib import Path
from audioloss_cli.training import AudioLossCallback
from tests.training import loops

print(sys.argv[1:], __name__, "\\x1b[1mbold")
for name, own in (("plain", []), ("own", [AudioLossCallback(jsonl=False)])):
    trainer = loops.InOrder(
        model=loops.model(),
        args=loops.arguments(Path(sys.argv[1]) / name, 6),
        train_dataset=loops.Samples(12, 0, 12, masked=True),
        callbacks=own,
    )
    trainer.train()
    watching = [each for each in trainer.callback_handler.callbacks if isinstance(each, AudioLossCallback)]
    print(name, trainer.state.global_step, watching == own, len(watching))
"""
LIGHTNING = """
import sys
import torch
from lightning.pytorch import LightningModule, Trainer

class Module(LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch, index):
        loss = self.layer(batch).mean() * float("nan")
        return {"loss": loss, "audio_loss": loss}

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

quiet = {"logger": False, "enable_progress_bar": False, "enable_checkpointing": False, "enable_model_summary": False}
trainer = Trainer(max_steps=5, default_root_dir=sys.argv[1], accelerator="cpu", **quiet)
trainer.fit(Module(), torch.utils.data.DataLoader(torch.randn(20, 2)))
print("steps", trainer.global_step)
"""
ENDS = [
    ("1 / 0", 1, "ZeroDivisionError: division by zero"),
    ("import sys; sys.exit(3)", 3, ""),
    ("import sys; sys.exit('too late')", 1, "too late"),
    ("raise KeyboardInterrupt", 130, "KeyboardInterrupt"),
    ("print(", 1, "SyntaxError: '(' was never closed"),
]
REFUSED = [
    ('[training]\ncritical = ["explode"]\n', "training.critical 'explode' is not one of"),
    ("[training]\nfirst_batches = 2\n", "training: unknown key 'first_batches'; did you mean 'first-batches'?"),
    ("[training]\nfirst-batches = 'x'\n", "training: "),
    ("training = 1\n", "training must be a table, not 1"),
]
STOP = '[training]\ncritical = ["log", "stop"]\n'


def run(tmp_path, source, *arguments, config="", module=()):
    (tmp_path / "train.py").write_text(source)
    (tmp_path / "audioloss.toml").write_text(config)
    command = [sys.executable, "-W", "ignore", "-m", "audioloss_cli", "run", *module, *map(str, arguments)]
    path = os.pathsep.join([os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])])  # noqa: PTH109
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_every_trainer_is_watched_and_one_with_a_callback_by_that_one(tmp_path):
    done = run(tmp_path, TRAINERS, "train.py", "out", "--lr", "3", config=STOP)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("['out', '--lr', '3'] __main__ \x1b[1mbold\n")
    assert "plain 1 False 1" in done.stdout
    assert "own 6 True 1" in done.stdout
    alerts = [json.loads(line) for line in (tmp_path / "out/plain/audioloss/alerts.jsonl").read_text().splitlines()]
    assert alerts
    assert "nothing was watched" not in done.stderr


@pytest.mark.exhaustive
def test_a_trainer_of_lightning_is_watched(tmp_path):
    pytest.importorskip("lightning")
    if not any("audioloss" in point.value for point in entry_points(group="lightning.pytorch.callbacks_factory")):
        pytest.skip("the package is not installed, so that Lightning cannot find its entry point")
    done = run(tmp_path, LIGHTNING, "train.py", "out", config=STOP)
    assert (done.returncode, done.stdout.split()[-2:]) == (0, ["steps", "1"]), done.stderr
    assert (tmp_path / "out/audioloss/alerts.jsonl").is_file()
    assert "nothing was watched" not in done.stderr


@pytest.mark.exhaustive
def test_a_trainer_of_lightning_under_its_older_name_is_watched(tmp_path):
    pytest.importorskip("pytorch_lightning")
    if not any("audioloss" in point.value for point in entry_points(group="pytorch_lightning.callbacks_factory")):
        pytest.skip("the package is not installed, so that Lightning cannot find its entry point")
    alone = "import sys\nsys.modules['lightning'] = None" + LIGHTNING.replace("lightning.pytorch", "pytorch_lightning")
    done = run(tmp_path, alone, "train.py", "out", config=STOP)
    assert (done.returncode, done.stdout.split()[-2:]) == (0, ["steps", "1"]), done.stderr
    assert (tmp_path / "out/audioloss/alerts.jsonl").is_file()


@pytest.mark.parametrize(("source", "code", "last"), rows(ENDS, ENDS[:1]))
def test_the_exit_code_is_the_scripts_and_what_trains_nothing_is_said_to_be_unwatched(source, code, last, tmp_path):
    done = run(tmp_path, source, "train.py")
    assert done.returncode == code
    *told, unwatched = done.stderr.splitlines()
    assert (told or [""])[-1] == last
    assert unwatched.startswith("audioloss: train.py trained with neither a transformers.Trainer nor a Lightning")
    assert "runpy" not in done.stderr


@pytest.mark.exhaustive
def test_a_module(tmp_path):
    done = run(tmp_path, "import sys; print(sys.argv[1:], __name__)", "train", "-h", "--module", module=["--module"])
    assert done.stdout == "['-h', '--module'] __main__\n"


@pytest.mark.parametrize(("config", "told"), REFUSED)
def test_a_configuration_that_makes_no_sense_ends_it_before_the_script_begins(config, told, audioloss, tmp_path):
    (tmp_path / "train.py").write_text("raise AssertionError")
    (file := tmp_path / "audioloss.toml").write_text(config)
    ran = audioloss("run", "--config", file, tmp_path / "train.py")
    assert ran.code == 2
    assert f"{file}: {told}" in ran.err


def test_a_script_that_is_not_there(audioloss):
    ran = audioloss("run", "nowhere.py")
    assert (ran.code, "there is no script nowhere.py" in ran.err) == (2, True)


def test_every_key_is_an_argument_of_the_guard():
    known = inspect.signature(AudioLossGuard.__init__).parameters
    assert {key.replace("-", "_") for key in launch.GUARD} <= set(known)
