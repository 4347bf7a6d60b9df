"""Directories that a training can be resumed from: checkpoint-N of transformers' Trainer, save_state of accelerate.

Weights are those of a model or an adapter, of DeepSpeed or of FSDP; beside them lie an optimizer, a scheduler, random
states of each rank and, of the Trainer, trainer_state.json.
"""

import json
import re
from pathlib import Path
from typing import Any

from audioloss_cli.checkpoints.layouts._metadata import read_distributed
from audioloss_cli.checkpoints.layouts._opener import DAMAGED, UNFINISHED, Opener
from audioloss_cli.checkpoints.layouts._parts import Parts
from audioloss_cli.checkpoints.layouts._state import model_tensors
from audioloss_cli.checkpoints.layouts._steps import step_of_name
from audioloss_cli.checkpoints.layouts._weights import (
    ADAPTER,
    MODEL,
    adapter_directories,
    has_weights,
    read_adapter,
    read_weights,
)
from audioloss_cli.checkpoints.layouts._zero import read_zero, zero_directory
from audioloss_cli.checkpoints.stored import Checkpoint, Part, StoredTensor
from audioloss_cli.model import Severity

ORDER = 10

STATE, ARGUMENTS = "trainer_state.json", "training_args.bin"
_OF_TRAINER = re.compile(r"trainer_state\.json|(optimizer|scheduler)\.pt|rng_state(_\d{1,6})?\.pth")
_OF_ACCELERATE = re.compile(
    r"(optimizer|scheduler|sampler)(_\d{1,3})?\.bin|random_states_\d{1,6}\.pkl|optimizer_\d{1,3}"
)
_FSDP = re.compile(r"pytorch_model_fsdp(_\d{1,3})?(_rank(?P<rank>\d{1,6}))?(\.bin)?")
_NUMBERED = re.compile(r"checkpoint-(\d{1,12})")
_LARGE = 4 << 20  # bytes of a trainer_state.json from which on its step alone is looked for
_ENDS = 1 << 16  # bytes of either end of a larger one: the step is sorted in front of the log
_STEP = re.compile(rb'^ {0,2}"global_step": (\d{1,12}),?$', re.MULTILINE)


def claims(path: Path, names: frozenset[str]) -> bool:
    """Tell by what lies beside weights; a trainer_state.json alone is a log."""
    own = [name for name in names if _OF_TRAINER.fullmatch(name) or _OF_ACCELERATE.fullmatch(name)]
    if not own:
        return _NUMBERED.fullmatch(path.name) is not None and ARGUMENTS in names and _has_any(path, names)
    return own != [STATE] or _has_any(path, names)


def _has_any(path: Path, names: frozenset[str]) -> bool:
    """Whether there are weights of any kind."""
    return (
        has_weights(names, (*ADAPTER, *MODEL))
        or any(_FSDP.fullmatch(name) for name in names)
        or bool(adapter_directories(path))
        or zero_directory(path, names) is not None
    )


def read(path: Path) -> Checkpoint:
    """Read the headers of weights and of all that lies beside them."""
    return _Reading(path).read()


class _Reading:
    """One directory."""

    def __init__(self, path: Path) -> None:
        self._path, self._names = path, frozenset(each.name for each in path.iterdir())
        self._is_trainer = ARGUMENTS in self._names or any(_OF_TRAINER.fullmatch(name) for name in self._names)
        self._kind = "HF Trainer checkpoint" if self._is_trainer else "accelerate checkpoint"
        self._opener = Opener(path, self._kind)
        self._parts = Parts(self._opener, path, self._names)

    def read(self) -> Checkpoint:
        """Return what lies in it."""
        opened, opener = self._opener.checkpoint, self._opener
        opener.sweep(self._path)
        opened.config = opener.json(self._path / "config.json")
        self._read_weights()
        state_step = self._read_state()
        if ARGUMENTS in self._names:
            self._parts.read_arguments(self._path / ARGUMENTS)
        self._parts.read()
        opened.step = state_step if state_step is not None else step_of_name(self._path)
        if opened.step is None:
            opened.step = next((part.step for part in opened.parts if part.name == "optimizer"), None)
        self._parts.tell_missing(is_trainer=self._is_trainer)
        self._parts.tell_steps(state_step)
        return opener.finished()

    def _read_weights(self) -> None:
        """Take the first weights that are there; what a training needs to go on is looked at in any case."""
        opened, opener, path = self._opener.checkpoint, self._opener, self._path
        found: list[dict[str, StoredTensor] | None] = []
        if has_weights(self._names, ADAPTER):
            found.append(read_adapter(opener, path))
        found.append(read_weights(opener, path))
        if not any(found):
            found += [read_adapter(opener, each) for each in adapter_directories(path)]
        if shards := [name for name in sorted(self._names) if _FSDP.fullmatch(name)]:
            found.append(self._read_fsdp(shards))
        directory = zero_directory(path, self._names)
        if directory is not None:
            zero = read_zero(opener, directory)
            opened.kind = f"{self._kind} with {zero.kind}"
            opened.step = zero.step
            found.append(zero.tensors)
        opened.tensors = next((tensors for tensors in found if tensors), {})
        if not any(tensors is not None for tensors in found):
            text = (
                f"{path} has the state of a training and no weights: the save did not finish, or they were not copied"
            )
            opener.fault(UNFINISHED, Severity.CRITICAL, text)

    def _read_fsdp(self, names: list[str]) -> dict[str, StoredTensor]:
        """Read a directory of chunks, a whole file, or a file a rank; shards of ranks but the first get its number."""
        self._opener.checkpoint.kind = f"{self._kind} with FSDP"
        tensors: dict[str, StoredTensor] = {}
        for name in names:
            place, rank = self._path / name, _FSDP.fullmatch(name)
            if place.is_dir():
                tensors |= read_distributed(self._opener, place).tensors
            elif stored := self._opener.tensors(place):
                prefix = f"rank{rank['rank']}." if rank and int(rank["rank"] or 0) else ""
                tensors |= {f"{prefix}{key}": tensor for key, tensor in model_tensors(stored).items()}
        return tensors

    def _read_state(self) -> int | None:
        """Return the step of trainer_state.json, which may hold the log of a long training."""
        file = self._path / STATE
        text = self._opener.text(file, _LARGE, _ENDS) if STATE in self._names else None
        if text is None:
            return None
        step = _step_in_part(text) if file.stat().st_size > _LARGE else _step_of(text)
        if step is None:
            message = f"{file} is damaged or cut short: a training cannot go on from it"
            self._opener.fault(DAMAGED, Severity.WARNING, message, file=STATE)
        self._opener.checkpoint.parts.append(Part("trainer state", file, step))
        named = _NUMBERED.fullmatch(self._path.name)
        if named and step is not None and int(named[1]) != step:
            message = (
                f"{file} is of step {step:,}, and the directory is named for {int(named[1]):,}: two saves are mixed"
            )
            self._opener.fault(UNFINISHED, Severity.WARNING, message, step=step, named=int(named[1]))
        return step


def _step_in_part(text: bytes) -> int | None:
    """Return the step by both ends of a text; None where its end is missing."""
    found = _STEP.search(text)
    return int(found[1]) if found and text.rstrip().endswith(b"}") else None


def _step_of(text: bytes) -> int | None:
    """Return the step; None where the text is damaged."""
    try:
        state: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    step = state.get("global_step") if isinstance(state, dict) else None
    return step if type(step) is int and 0 <= step < 1 << 60 else None
