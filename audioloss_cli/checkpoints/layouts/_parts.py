"""What a training needs to go on, as transformers' Trainer and accelerate save it beside weights."""

import re
from collections.abc import Mapping
from pathlib import Path

from audioloss_cli.checkpoints.layouts._metadata import read_distributed
from audioloss_cli.checkpoints.layouts._opener import UNFINISHED, Opener
from audioloss_cli.checkpoints.layouts._steps import step_of_optimizer, step_of_scheduler
from audioloss_cli.checkpoints.pickles import Call
from audioloss_cli.checkpoints.stored import Part
from audioloss_cli.checkpoints.words import counted, listed
from audioloss_cli.model import Severity

_OPTIMIZER = re.compile(r"optimizer\.(pt|bin)|optimizer_\d{1,6}(\.bin)?|(\w+_)?optimizer(_\d{1,3})?_rank\d{1,6}\.bin")
_SCHEDULER = re.compile(r"scheduler(_\d{1,3})?\.(pt|bin)")
_RANDOM = re.compile(r"rng_state(_(?P<trainer>\d{1,6}))?\.pth|random_states_(?P<accelerate>\d{1,6})\.pkl")
_OTHERS = re.compile(r"scaler\.pt|(sampler|dl_state_dict)(_\d{1,3})?\.bin|custom_checkpoint_\d{1,6}\.pkl")
_NAMES = ("optimizer", "scheduler", "random states", "trainer state")


class Parts:
    """The files beside the weights of one directory."""

    def __init__(self, opener: Opener, path: Path, names: frozenset[str]) -> None:
        """Begin with the names of what is in the directory ``path``."""
        self._opener, self._path, self._names = opener, path, sorted(names)
        self._may_skip = any(_OTHERS.fullmatch(name) and name.startswith("scaler") for name in names)

    def read_arguments(self, file: Path) -> None:
        """Read training_args.bin: trainings in fp16 skip steps of the optimizer where gradients overflow."""
        stored = self._opener.tensors(file, is_weight=False)
        if stored is not None and isinstance(stored.value, Call):
            self._may_skip |= bool(stored.value.attributes().get("fp16"))

    def read(self) -> None:
        """Read the headers of all files, and the step that each of them tells."""
        for name in self._names:
            file = self._path / name
            if _OPTIMIZER.fullmatch(name):
                self._read_optimizer(file)
            elif _SCHEDULER.fullmatch(name):
                stored = self._opener.tensors(file, is_weight=False)
                self._add("scheduler", file, step_of_scheduler(stored.value) if stored else None)
            elif _RANDOM.fullmatch(name):
                self._opener.tensors(file, is_weight=False)
                self._add("random states", file, None)
            elif _OTHERS.fullmatch(name):
                self._opener.tensors(file, is_weight=False)

    def _read_optimizer(self, file: Path) -> None:
        if file.is_dir():
            self._add("optimizer", file, read_distributed(self._opener, file).step)
            return
        stored = self._opener.tensors(file, is_weight=False)
        if stored is not None:
            state = {f"{file.name}: {name}": tensor for name, tensor in stored.tensors.items()}
            self._opener.checkpoint.state |= state
        value = stored.value if stored else None
        inner = value.get("optimizer") if isinstance(value, Mapping) else None
        self._add("optimizer", file, step_of_optimizer(inner if isinstance(inner, Mapping) else value))

    def _add(self, name: str, file: Path, step: int | None) -> None:
        self._opener.checkpoint.parts.append(Part(name, file, step))

    def tell_missing(self, *, is_trainer: bool) -> None:
        """Keep what lacks; without an optimizer, a scheduler and random states the model alone was to be saved."""
        opened = self._opener.checkpoint
        there = {part.name for part in opened.parts}
        if not there - {"trainer state"} and (there or not is_trainer or not _is_numbered(self._path)):
            opened.notes.append("the model alone was saved (save_only_model): a training cannot be resumed from it")
            return
        opened.resumable = True
        expected: tuple[str, ...] = _NAMES if is_trainer else ("optimizer", "random states")
        if any(part.name == "optimizer" and part.file.parent != self._path for part in opened.parts):
            expected = tuple(name for name in expected if name != "scheduler")  # DeepSpeed may have one of its own
        absent = [name for name in expected if name not in there]
        if absent:
            text = (
                f"{self._path} has no {', no '.join(absent)}, and other parts of a state to resume from: the save did "
                "not finish, or files were removed"
            )
            self._opener.fault(UNFINISHED, Severity.WARNING, text, missing=absent)
        self._tell_ranks()

    def _tell_ranks(self) -> None:
        """Ranks have consecutive numbers; on one of several nodes they need not begin with 0."""
        found = [match for name in self._names if (match := _RANDOM.fullmatch(name))]
        ranks = {int(rank) for match in found if (rank := match["trainer"] or match["accelerate"])}
        absent = sorted(set(range(min(ranks, default=0), min(max(ranks, default=0), 100_000))) - ranks)
        if absent:
            text = (
                f"{self._path} lacks random states of {counted(len(absent), 'rank')}, {listed(absent, 10)}, of "
                f"{min(ranks)} to {max(ranks)}: the save did not finish on each of them"
            )
            self._opener.fault(UNFINISHED, Severity.WARNING, text, ranks=absent[:100])

    def tell_steps(self, step: int | None) -> None:
        """Hold the steps of an optimizer and a scheduler to that of trainer_state.json."""
        for part in self._opener.checkpoint.parts:
            if step is None or part.step is None or part.name not in _NAMES[:2] or part.file.parent != self._path:
                continue
            is_multiple = part.name == "scheduler" and step > 0 and part.step % step == 0  # it may count each rank
            if (part.step > step and not is_multiple) or (part.step < step and not self._may_skip):
                text = (
                    f"{part.file} has made {part.step:,} steps, and trainer_state.json {step:,}: "
                    "they are of two saves, or it began anew when the training was resumed"
                )
                self._opener.fault(UNFINISHED, Severity.WARNING, text, file=part.file.name, step=part.step, state=step)


def _is_numbered(path: Path) -> bool:
    return path.name.startswith("checkpoint-")
