"""Tensors as torch pickles them: how they are put together of storages, views and what wraps them."""

import math
from collections.abc import Callable
from typing import Any

from audioloss_cli.checkpoints.claims import most_bytes
from audioloss_cli.checkpoints.pickles.tables import DTYPES, NAMES
from audioloss_cli.checkpoints.pickles.values import Call, Global, Location, Refusal, Storage
from audioloss_cli.checkpoints.stored import StoredTensor

_LONGEST_AXIS = 1 << 60
_DIMENSIONS = 64  # more than torch's operators take
_VIEWS = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2")
_OF_DTYPE = "torch._utils._rebuild_tensor_v3"
_QUANTISED = "torch._utils._rebuild_qtensor"
_OF_TYPE = "torch._tensor._rebuild_from_type_v2"
_WRAPPERS = frozenset({
    *("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"),
    *("torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer", "torch.nn.Parameter"),
})  # fmt: skip
NAMES_OF_CALLS = frozenset({*_VIEWS, _OF_DTYPE, _QUANTISED, _OF_TYPE, *_WRAPPERS})
META = "torch._utils._rebuild_meta_tensor_no_storage"
#: What finds the bytes of a storage; None where there are none.
Locate = Callable[[Storage], Location | None]


def rebuilt(name: str, arguments: tuple[Any, ...], locate: Locate) -> Any:
    """Return the tensor that one of ``NAMES_OF_CALLS`` would give, without its name; else a ``Call``.

    Raises:
        Refusal: it cannot be one; in words that go on from the name of the file.
        TypeError, ValueError, IndexError: torch does not write such a call.
    """
    if name in _WRAPPERS:
        return arguments[0] if type(arguments[0]) is StoredTensor else Call(name, arguments)
    if name == _OF_TYPE:
        return _of_type(arguments, locate)
    storage, offset, shape, strides = arguments[:4]
    if type(storage) is Call:  # such as of plain pickle, which has storages as pickles of their own
        return Call(name, arguments)
    if type(storage) is not Storage:
        raise TypeError(name)
    dtype = storage.dtype
    if name == _OF_DTYPE:
        dtype = arguments[6].name.rpartition(".")[2]
    return _view(storage, dtype, offset, shape, strides, locate)


def _of_type(arguments: tuple[Any, ...], locate: Locate) -> Any:
    """A subclass: the tensor that it is itself, or what it wraps where that is one part of a distributed one."""
    function, kind, inner, state = arguments
    if type(function) is not Global or type(inner) is not tuple:
        raise TypeError(function)
    made = rebuilt(function.name, inner, locate) if function.name in NAMES_OF_CALLS else Call(function.name, inner)
    if type(made) is StoredTensor:
        return made
    whole = Call(kind.name if type(kind) is Global else "", (function, inner))
    whole.state.append(state)
    local = whole.attributes().get("_local_tensor")
    return local if type(local) is StoredTensor else whole


def _view(storage: Storage, dtype: str, offset: Any, shape: Any, strides: Any, locate: Locate) -> StoredTensor:
    shape, strides = _lengths(shape), _lengths(strides)
    if len(shape) != len(strides) or type(offset) is not int or not 0 <= offset < _LONGEST_AXIS:
        raise ValueError(offset)
    itemsize = DTYPES.get(dtype, storage.itemsize)
    location = locate(storage)
    if location is None:
        raise Refusal(f"has a tensor whose storage {storage.key[:80]!r} is missing")
    last = offset + sum((axis - 1) * step for axis, step in zip(shape, strides, strict=True))
    if 0 not in shape and (last + 1) * itemsize > location.nbytes:
        raise Refusal(f"has a tensor that reaches out of its storage {storage.key[:80]!r}")
    if math.prod(shape) * itemsize > most_bytes(location.nbytes):
        raise Refusal(f"has a tensor of {math.prod(shape):,} elements, which shares the few bytes that there are")
    return StoredTensor(
        name="",
        dtype=NAMES.get(dtype, dtype),
        shape=shape,
        file=location.file,
        offset=location.offset + offset * itemsize,
        strides=None if strides == contiguous(shape) else strides,
        entry=location.entry,
        storage=storage.key,
    )


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of a contiguous tensor, in elements, as torch counts them."""
    strides, step = [1] * len(shape), 1
    for axis in range(len(shape) - 1, -1, -1):
        strides[axis] = step
        step *= max(shape[axis], 1)
    return tuple(strides)


def _lengths(axes: Any) -> tuple[int, ...]:
    if type(axes) is not tuple or len(axes) > _DIMENSIONS:
        raise TypeError
    if not all(type(axis) is int and 0 <= axis < _LONGEST_AXIS for axis in axes):
        raise ValueError
    return axes
