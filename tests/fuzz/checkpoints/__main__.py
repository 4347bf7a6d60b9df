"""``python -m tests.fuzz.checkpoints``: no traceback, bounded time and memory, nothing executed, no silent damage."""

import atexit
import contextlib
import io
import os
import random
import shutil
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.probe.config import ProbeConfig
from audioloss_cli.probe.data import open_data
from audioloss_cli.probe.errors import ProbeError
from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.probe.model_io.checkpoint import load_checkpoint
from audioloss_cli.probe.run import probe
from tests.fuzz._run import Case, Target, main
from tests.fuzz.checkpoints import archives, inputs, layouts, pickles

_LONGEST_MESSAGE = 2000
_LAYOUTS: dict[str, layouts.Layout] = {}
_VALUES: dict[str, dict[str, Any]] = {}
_CPU = torch.device("cpu")


def warm_up() -> None:
    """Make the healthy files, import everything by loading them, and remember what they hold."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with contextlib.redirect_stderr(io.StringIO()):
        _LAYOUTS.update(layouts.make_layouts())
    archives.warm_up()
    place = Path(tempfile.mkdtemp(prefix="audioloss-fuzz-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    layouts.keep(_LAYOUTS, place)
    for name, layout in _LAYOUTS.items():
        _VALUES[name] = _loaded(layout, place / name)
        report = probe(_config(layout, place / name))
        if report.unaudited:
            sys.exit(f"the healthy example of {name} is not audited: {report.unaudited}")


def make(source: random.Random) -> Case:
    """An input."""
    return inputs.make(_LAYOUTS, source)


def judge(path: Path, case: Case) -> tuple[list[str], int | None]:
    """What is wrong with what the probe makes of a file, and its exit code."""
    truth: inputs.Made = case.truth
    layout, directory = _LAYOUTS[truth.layout], _directory(path)
    layouts.intact(layout, directory, path.relative_to(directory).as_posix())
    code, wrong = 0, []
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            values = _loaded(layout, directory)
            code = int(probe(_config(layout, directory)).exit_code) if truth.whole else 0
    except ProbeError as error:
        code = error.exit_code
        wrong = [f"{complaint}: {str(error)[:300]!r}" for complaint in _complaints(str(error), code, directory)]
    else:
        if truth.broken or (truth.same and not _same(values, _VALUES[truth.layout])):
            wrong.append("damage that the format shows is read without a word")
    if pickles.CANARY.exists():
        shutil.rmtree(pickles.CANARY, ignore_errors=True)
        wrong.append("code of the file was run")
    return wrong, code if truth.whole or code else None


def command(path: Path) -> Sequence[str]:
    """The same by the command line."""
    directory = _directory(path)
    config = _config(_LAYOUTS[directory.name], directory)
    options = [
        f"--{name.removeprefix('num_').replace('_', '-')}={value}"
        for name, value in _LAYOUTS[directory.name].options.items()
    ]
    model = [f"--model={config.model}"] if config.model else []
    return ["probe", "--ckpt", config.checkpoint, "--data", config.data, "--device=cpu", *model, *options]


def _directory(path: Path) -> Path:
    return next(parent for parent in path.parents if parent.parent.name == "input")


def _config(layout: layouts.Layout, directory: Path) -> ProbeConfig:
    return ProbeConfig(
        os.path.normpath(directory / layout.checkpoint),
        os.path.normpath(directory / layout.data),
        device="cpu",
        model=layout.model,
        options=Options(**layout.options),
    )


def _loaded(layout: layouts.Layout, directory: Path) -> dict[str, Any]:
    config = _config(layout, directory)
    if not layout.is_data:
        loaded = load_checkpoint(Path(config.checkpoint), model=config.model, device=_CPU)
        return dict(loaded.tensors())
    return {
        f"{index}.{name}": value
        for index, batch in enumerate(open_data(config.data, count=2).batches)
        for name, value in batch.items()
    }


def _complaints(message: str, code: int, directory: Path) -> list[str]:
    found = []
    if code not in (2, 3) or (code == 2 and "no adapter serves" not in message):
        found.append(f"exit code {code}")
    if "\n" in message or len(message) > _LONGEST_MESSAGE:
        found.append("more than a line")
    if str(directory) not in message and code != 2:
        found.append("no file is named")
    return found


def _same(found: dict[str, Any], healthy: dict[str, Any]) -> bool:
    """Whether everything that was read is what was written; what is missing is told as missing."""
    return all(
        torch.equal(value, healthy[name]) if isinstance(value, Tensor) else value == healthy[name]
        for name, value in found.items()
        if name in healthy
    )


if __name__ == "__main__":
    target = Target(make, judge, warm_up, command, every=20_000, codes=frozenset({0, 1, 2, 3}))
    sys.exit(main(target, "checkpoints"))
