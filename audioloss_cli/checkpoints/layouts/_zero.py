"""Checkpoints of DeepSpeed: a directory a step, with the states of the model and, a file a rank, of the optimizer.

Layout: deepspeed/runtime/engine.py, and deepspeed/utils/zero_to_fp32.py for ZeRO 3, where each rank has a piece of
every parameter, in 32 bits, in the file of its optimizer; deepspeed/checkpoint/ds_to_universal.py.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from audioloss_cli.checkpoints.layouts._opener import UNFINISHED, Opener
from audioloss_cli.checkpoints.layouts._state import model_tensors
from audioloss_cli.checkpoints.pickles import Call
from audioloss_cli.checkpoints.stored import ITEMSIZES, Part, StoredFile, StoredTensor
from audioloss_cli.checkpoints.words import counted, listed
from audioloss_cli.model import Severity

LATEST = ("latest", "latest_universal")
STRAY, MISSING = "stray-shard", "missing-shard"
_MODEL = re.compile(r"(?:zero_pp_rank_(?P<rank>\d{1,6})_)?mp_rank_(?P<mp>\d{1,6})(?:_\d+)?_model_states\.pt")
_OPTIMIZER = re.compile(r"(?:bf16_|fp16_)?zero_pp_rank_(?P<rank>\d{1,6})_mp_rank_(?P<mp>\d{1,6})_optim_states\.pt")
_LAYER = re.compile(r"layer_(\d{1,6})-")
_TAG = re.compile(r"global_step(?P<step>\d{1,12})(_universal)?")
_LONGEST_TAG = 200
_MOST_RANKS = 1_000_000
_MOST_AXES, _MOST = 64, 1 << 60


class Zero(NamedTuple):
    """What a directory of DeepSpeed holds: tensors of the model, in words which kind it is, and its step."""

    tensors: dict[str, StoredTensor]
    kind: str
    step: int | None


def is_zero(names: Iterable[str]) -> bool:
    """Tell by the names in a directory of one step."""
    return any(name.endswith(("_model_states.pt", "_optim_states.pt")) for name in names)


def zero_directory(directory: Path, names: Iterable[str]) -> Path | None:
    """Return the one directory of a step below a directory of DeepSpeed, or that directory itself; None if none is.

    Raises:
        OSError: a directory cannot be listed.
    """
    there = set(names)
    if is_zero(there):
        return directory
    tags = [name for name in there if _TAG.fullmatch(name)]
    latest = next((directory / name for name in LATEST if name in there), None)
    if not tags and latest is not None:
        tags = [tag for tag in (tag_of(latest),) if tag is not None and tag in there]
    found = [directory / tag for tag in tags if (directory / tag).is_dir() and not (directory / tag).is_symlink()]
    if len(found) == 1 and is_zero(each.name for each in found[0].iterdir()):
        return found[0]
    return None


def tag_of(latest: Path) -> str | None:
    """Return the name that ``latest`` holds; None if it is no short file of text."""
    if not latest.is_file() or latest.stat().st_size > _LONGEST_TAG:
        return None
    return latest.read_bytes().decode("utf-8", "replace").strip()


def read_zero(opener: Opener, directory: Path) -> Zero:
    """Read the headers of all files of one step.

    Raises:
        OSError: a directory cannot be listed.
    """
    opener.sweep(directory)
    return _Reading(opener, directory).read()


class _Reading:
    """The files of one step."""

    def __init__(self, opener: Opener, directory: Path) -> None:
        self._opener, self._directory = opener, directory
        names = sorted(each.name for each in directory.iterdir())
        self._models = self._opened(name for name in names if name.endswith("model_states.pt"))
        self._optimizers = self._opened(name for name in names if name.endswith("_optim_states.pt"))
        self._is_complete = True

    def read(self) -> Zero:
        """Return what lies in the directory, and keep what is wrong with it."""
        states = [_dict(stored.value) for stored in self._models.values()]
        steps = [step for state in states if (step := _count(state.get("global_steps"))) is not None]
        tagged = _TAG.fullmatch(self._directory.name)
        step = max(steps, default=int(tagged["step"]) if tagged else None)
        self._add_parts()
        self._tell_ranks()
        if (self._directory / "zero").is_dir():
            return Zero(self._universal(), "DeepSpeed Universal", step)
        stage = max((_count(state.get("zero_stage")) or 0 for state in self._optimizer_states()), default=0)
        kind = f"DeepSpeed ZeRO {stage}" if stage else "DeepSpeed"
        return Zero(self._partitioned() if _ranks(self._models) else self._whole(), kind, step)

    def _opened(self, names: Iterable[str]) -> dict[str, StoredFile]:
        found = ((name, self._opener.tensors(self._directory / name)) for name in names)
        return {name: stored for name, stored in found if stored is not None}

    def _optimizer_states(self) -> Iterator[Mapping[str, Any]]:
        for stored in self._optimizers.values():
            yield _dict(_dict(stored.value).get("optimizer_state_dict"))

    def _add_parts(self) -> None:
        parts = self._opener.checkpoint.parts
        parts += [Part("optimizer", stored.path) for stored in self._optimizers.values()]
        for stored in self._models.values():
            for key, name in (("optimizer", "optimizer"), ("lr_scheduler", "scheduler")):
                if _dict(stored.value).get(key):
                    parts.append(Part(name, stored.path))

    def _tell_ranks(self) -> None:
        """Hold the ranks whose files are there to how many there were."""
        counts = [count for state in self._optimizer_states() for count in _counts(state.get("partition_count"))]
        counts += [
            count
            for stored in self._models.values()
            for count in _counts(_dict(stored.value).get("dp_world_size"))
            if any(_dict(stored.value).get(key) for key in ("param_shapes", "shared_params"))
        ]
        world = max(counts, default=0)
        if not 0 < world <= _MOST_RANKS:
            return
        there = {each.name for each in self._directory.iterdir()}
        for what, ranks in (("optimizer", _ranks_of(_OPTIMIZER, there)), ("model", _ranks_of(_MODEL, there))):
            absent = sorted(set(range(world)) - ranks)
            if absent and (ranks or what == "optimizer"):
                self._is_complete = False
                text = (
                    f"{self._directory}: states of the {what} are missing of {len(absent):,} of "
                    f"{counted(world, 'rank')}: {listed(absent, 10)}; the save did not finish on each of them, or they "
                    "were not copied"
                )
                self._opener.fault(UNFINISHED, Severity.CRITICAL, text, ranks=absent[:100], world=world)
            extra = sorted(rank for rank in ranks if rank >= world)
            if extra:
                text = (
                    f"{self._directory}: states of the {what} of ranks {listed(extra, 10)} are of another save, on "
                    f"more than the {world:,} of this one"
                )
                self._opener.fault(STRAY, Severity.WARNING, text, ranks=extra[:100])

    def _whole(self) -> dict[str, StoredTensor]:
        """Read ZeRO 1 and 2, where the states of the model have every weight as a whole."""
        tensors: dict[str, StoredTensor] = {}
        for name, stored in self._models.items():
            layer, found = _LAYER.match(name), _MODEL.fullmatch(name)
            prefix = f"layer_{layer[1]}." if layer else ""
            if found and int(found["mp"]):
                prefix = f"mp_rank_{found['mp']}."
            tensors |= {f"{prefix}{key}": tensor for key, tensor in model_tensors(stored).items()}
        if sum(bool(_MODEL.fullmatch(name)) for name in self._models) > 1:
            self._opener.checkpoint.notes.append(
                "weights are sliced over ranks; a slice of the first has the plain name"
            )
        return tensors

    def _partitioned(self) -> dict[str, StoredTensor]:
        """Put the parameters of ZeRO 3 together."""
        models = [self._models[name] for name in _by_rank(self._models, _MODEL)]
        optimizers = [self._optimizers[name] for name in _by_rank(self._optimizers, _OPTIMIZER)]
        first = _dict(models[0].value)
        module = _dict(first.get("module"))
        tensors = {
            name: tensor for name, tensor in module.items() if isinstance(tensor, StoredTensor) and tensor.elements
        }
        groups = [_flat_groups(_dict(stored.value)) for stored in optimizers]
        fragments = [_dict(_dict(stored.value).get("frozen_param_fragments")) for stored in models]
        if not self._is_complete:
            self._opener.checkpoint.notes.append("no weight is there as a whole, so that values were not read")
            return tensors
        start, lost = 0, list[str]()
        for name, shape in _shapes(first.get("param_shapes")):
            part = -(-math.prod(shape) // max(len(groups), 1))
            pieces = [piece for rank in groups for piece in _slice(rank, start, part)]
            _put(tensors, lost, name, shape, pieces)
            start += part
        for name, shape in _shapes(first.get("frozen_param_shapes")):
            found = [rank.get(name) for rank in fragments]
            _put(tensors, lost, name, shape, [piece for piece in found if isinstance(piece, StoredTensor)])
        if lost:
            text = f"{self._directory}: {counted(len(lost), 'parameter')} not there as a whole: {listed(lost)}"
            self._opener.fault(MISSING, Severity.CRITICAL, text, tensors=lost[:100])
        return tensors

    def _universal(self) -> dict[str, StoredTensor]:
        """Read a checkpoint that was made independent of ranks: a directory a parameter."""
        tensors: dict[str, StoredTensor] = {}
        lost = list[str]()
        for each in sorted((self._directory / "zero").iterdir()):
            if each.is_dir() and not each.is_symlink():
                stored = self._opener.tensors(each / "fp32.pt")
                found = next(iter(stored.tensors.values()), None) if stored else None
                if found is None:
                    lost.append(each.name)
                else:
                    tensors[each.name] = found
        if lost:
            text = (
                f"{self._directory}: no fp32.pt that can be read of {counted(len(lost), 'parameter')}: {listed(lost)}"
            )
            self._opener.fault(MISSING, Severity.CRITICAL, text, tensors=lost[:100])
        return tensors


def _put(
    tensors: dict[str, StoredTensor], lost: list[str], name: str, shape: tuple[int, ...], pieces: list[StoredTensor]
) -> None:
    """Add a parameter that lies in these flat pieces, of which the last ones may be longer than what is needed."""
    needed, taken = math.prod(shape), list[StoredTensor]()
    for piece in pieces:
        count = min(piece.elements, needed)
        if count:
            taken.append(replace(piece, name=name, shape=(count,), strides=None))
        needed -= count
    if needed or not pieces:
        lost.append(name)
    elif len(taken) == 1:
        tensors[name] = replace(taken[0], shape=shape)
    elif taken:
        first = taken[0]
        tensors[name] = StoredTensor(name, first.dtype, shape, first.file, first.offset, pieces=tuple(taken))
    else:
        tensors[name] = replace(pieces[0], name=name, shape=shape, strides=None)


def _flat_groups(value: Mapping[str, Any]) -> list[StoredTensor]:
    """Return what a rank has of all parameters, in 32 bits: flat tensors."""
    groups = _dict(value.get("optimizer_state_dict")).get("fp32_flat_groups")
    found = groups if isinstance(groups, (list, tuple)) else [groups]
    return [each for each in found if isinstance(each, StoredTensor) and len(each.shape) == 1 and not each.entry]


def _slice(groups: list[StoredTensor], start: int, count: int) -> Iterator[StoredTensor]:
    """Yield ``count`` elements of flat tensors as if they were one."""
    for group in groups:
        here = min(max(group.elements - start, 0), count)
        if here:
            offset = group.offset + start * ITEMSIZES.get(group.dtype, 0)
            yield replace(group, offset=offset, shape=(here,), storage="")
        start = max(start - group.elements, 0)
        count -= here


def _shapes(found: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield names and shapes of dicts of them, one or a list."""
    for each in found if isinstance(found, (list, tuple)) else (found,):
        for name, shape in _dict(each).items():
            given = shape.arguments if isinstance(shape, Call) else (shape,)
            sizes = given[0] if isinstance(given, tuple) and given else None
            if _is_shape(sizes):
                yield str(name), tuple(sizes)


def _is_shape(sizes: Any) -> TypeGuard[Sequence[int]]:
    """Tell whether these are lengths of axes."""
    is_short = isinstance(sizes, (list, tuple)) and len(sizes) <= _MOST_AXES
    return is_short and all(type(size) is int and size >= 0 for size in sizes) and math.prod(sizes) <= _MOST


def _ranks_of(pattern: re.Pattern[str], names: Iterable[str]) -> set[int]:
    """Return the ranks that the names of files tell; none of files that all ranks have in common."""
    return {int(found["rank"]) for name in names if (found := pattern.fullmatch(name)) and found["rank"]}


def _ranks(files: Mapping[str, StoredFile]) -> set[int]:
    return _ranks_of(_MODEL, files)


def _by_rank(files: Iterable[str], pattern: re.Pattern[str]) -> list[str]:
    """Sort the files of ranks of the first model-parallel rank by their numbers."""
    found = [match for name in files if (match := pattern.fullmatch(name)) and match["rank"] and not int(match["mp"])]
    return [match[0] for match in sorted(found, key=lambda match: int(match["rank"]))]


def _dict(found: Any) -> Mapping[Any, Any]:
    return found if isinstance(found, Mapping) else {}


def _count(found: Any) -> int | None:
    return found if type(found) is int and found >= 0 else None


def _counts(found: Any) -> list[int]:
    """Return one number, or several: parameter groups may have each their own."""
    return [count for each in (found if isinstance(found, list) else [found]) if (count := _count(each)) is not None]
