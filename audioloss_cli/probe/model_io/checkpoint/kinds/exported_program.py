"""A program of ``torch.export``: it runs as it was exported, and says nothing of its configuration."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from audioloss_cli.probe.errors import EnvironmentalError, UnreadableError
from audioloss_cli.probe.model_io.checkpoint.loaded import LoadedModel, Request
from audioloss_cli.probe.model_io.checkpoint.pickles import refuse_unsafe
from audioloss_cli.probe.model_io.checkpoint.pretrained import one_line
from audioloss_cli.probe.model_io.checkpoint.program import check_program

ORDER = 20


def claims(request: Request) -> bool:
    """By its extension."""
    return request.path.is_file() and request.path.suffix == ".pt2"


def load(request: Request) -> LoadedModel:
    """Load the program once its archive is known to hold nothing that runs on loading.

    ``load_pt2`` rather than ``torch.export.load``, which falls back on an older format that unpickles. The input guards
    are source code of the archive; they are not compiled.
    """
    check_program(request.path)
    refuse_unsafe(request.path)
    program = _read(request.path)
    if request.device.type != "cpu":
        from torch.export.passes import move_to_device_pass  # noqa: PLC0415  # slow, and needed by this kind alone

        program = move_to_device_pass(program, str(request.device))
    notes = ["the program runs as it was exported: dropout and shapes are fixed, and its input guards are not checked"]
    if request.dtype is not None:
        notes.append("the dtype that was asked for is not applied: that of a program is fixed")
    return LoadedModel(program.module(check_guards=False), {}, "torch.export program", notes=notes)


def _read(path: Path) -> Any:
    try:
        from torch.export.pt2_archive._package import load_pt2  # noqa: PLC0415  # slow, and needed by this kind alone
    except ImportError as error:
        raise EnvironmentalError(
            f"{path}: torch {torch.__version__} reads no .pt2 without unpickling it; install torch 2.10 or newer, or "
            "save the weights as safetensors"
        ) from error
    try:
        with warnings.catch_warnings(action="ignore"), _weights_only():
            return load_pt2(str(path)).exported_programs["model"]
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:
        raise UnreadableError(
            f"{path} is no program that torch {torch.__version__} reads: {one_line(error)}"
        ) from error


@contextmanager
def _weights_only() -> Iterator[None]:
    """A second lock: torch.export unpickles tensor subclasses and sample inputs with weights_only=False by itself."""
    names = ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ[names[0]] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
