"""The calls in a file of torch.save: what each may be called with, and how much memory it claims."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from audioloss_cli.checkpoints.claims import claimed
from audioloss_cli.checkpoints.pickles.tables import DTYPES, QSCHEMES, STORAGES
from audioloss_cli.checkpoints.pickles.values import Call, Global, Refusal, Storage
from audioloss_cli.checkpoints.words import clipped

_SMALL = 1 << 60  # integers below it hash to themselves, so that no choice of them collides
_ODD_KEYS = 1000
_MODULES = {"torch", "torch.cuda", "torch.sparse", "torch.cuda.sparse", "torch.storage"}
_PARAMETERS = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
_OF_TYPE = "torch._tensor._rebuild_from_type_v2"
_ENCODINGS = {"latin1", "latin-1", "ascii", "utf-8", "utf8"}


def is_known(name: str) -> bool:
    """Whether a file of torch.save may ask for it: a function below, a class of tensors or storages, a dtype."""
    if name in _CALLS or name in _UNREAD or name == "torch.Tensor":
        return True
    module, _, last = name.rpartition(".")
    if module in _MODULES and last.endswith(("Storage", "Tensor")):
        return last.isidentifier() and not last.startswith("_")
    return module == "torch" and (last in DTYPES or last in QSCHEMES)


def check_call(name: str, arguments: tuple[Any, ...]) -> int:
    """Bytes that the tensor claims; 0 for what is none.

    Raises:
        Refusal: torch.save does not write such a call.
        ValueError, TypeError, IndexError: the same, in Python's words.
    """
    if name in _UNREAD:
        raise Refusal(f"holds {_UNREAD[name]}; save plain tensors")
    check = _CALLS.get(name)
    if check is None:
        raise Refusal(f"calls {clipped(name, 80)}, which torch.save does not")
    return check(*arguments) or 0


def check_keys(keys: Iterable[Any]) -> None:
    """Keys of a dict or members of a set: such that no choice of them makes looking them up slow.

    Raises:
        Refusal: they are others.
    """
    odd = sum(1 for key in keys if not (isinstance(key, str) or (type(key) is int and abs(key) < _SMALL)))
    if odd > _ODD_KEYS or not all(_is_key(key) for key in keys):
        raise Refusal("has dictionaries whose keys are no names or numbers")


def check_attributes(owner: str, state: Any, has_attribute: Callable[[str, str], bool]) -> None:
    """Attributes that are set on an object must not hide its own.

    Args:
        owner: name of its class.
        state: the attributes, as they lie in a pickle.
        has_attribute: whether a class, by its name, has an attribute.

    Raises:
        Refusal: one would.
        TypeError: they are no attributes.
    """
    for part in state if isinstance(state, tuple) else (state,):
        for name in part or ():
            if not isinstance(part, dict) or type(name) is not str:
                raise TypeError
            if has_attribute(owner, name):
                raise Refusal(f"replaces {name[:80]!r} of a {owner}")


def states_of(name: str, arguments: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """Yield what a checked call sets attributes on, as the name of a class, and the attributes."""
    if name in _PARAMETERS:
        yield from (("Parameter", state) for state in arguments[3:])
    elif name == _OF_TYPE:
        function, _, inner, state = arguments
        yield "Tensor", state
        yield from states_of(function.name, inner)


def itemsize_of(name: str) -> int:
    """Bytes of an element of a class of storages.

    Raises:
        ValueError: there is no such class.
    """
    last = name.rpartition(".")[2]
    if last not in STORAGES:
        raise ValueError(name)
    return DTYPES[STORAGES[last]]


def _is_key(key: Any) -> bool:
    if type(key) is tuple and not isinstance(key, (Global, Storage)):
        return len(key) <= 16 and all(_is_scalar(item) for item in key)  # noqa: PLR2004
    return _is_scalar(key)


def _is_scalar(key: Any) -> bool:
    return key is None or type(key) in (str, bytes, bool, float) or (type(key) is int and abs(key) < _SMALL)


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *more: Any, itemsize: int = 0) -> int:
    """``_rebuild_tensor_v2`` and its like: a view of a storage, which must lie inside of it."""
    if type(storage) is not Storage or type(size) is Call or len(size) != len(stride):
        raise TypeError
    itemsize = itemsize or storage.itemsize
    if not all(type(number) is int and 0 <= number < _SMALL for number in (offset, *size, *stride)):
        raise ValueError(offset)
    last = offset + sum((axis - 1) * step for axis, step in zip(size, stride, strict=True))
    if 0 not in size and (last + 1) * itemsize > storage.nbytes:
        raise Refusal(f"has a tensor that reaches out of its storage {storage.key[:80]!r}")
    _check_extras(*more)
    return claimed(size, itemsize)


def _check_extras(*more: Any) -> None:
    """requires_grad, backward hooks and whatever else: nothing that would be called."""
    for item in more:
        if isinstance(item, Call) and item.name != "collections.OrderedDict":
            raise TypeError


def _tensor_of_dtype(
    storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any, kind: Any, *more: Any
) -> int:
    found = DTYPES[kind.name.rpartition(".")[2]]
    return _tensor(storage, offset, size, stride, grad, hooks, *more, itemsize=found)


def _quantised(storage: Any, offset: Any, size: Any, stride: Any, parameters: Any, *more: Any) -> int:
    del parameters, more
    return _tensor(storage, offset, size, stride)


def _parameter(data: Any, grad: Any, hooks: Any = None, state: Any = None) -> None:
    del state
    if type(data) is not Call or type(grad) is not bool:
        raise TypeError
    _check_extras(hooks)


def _of_type(function: Any, kind: Any, arguments: Any, state: Any) -> int:
    if type(function) is not Global or type(kind) is not Global or type(arguments) is not tuple:
        raise TypeError
    if not function.name.startswith("torch._utils._rebuild_"):
        raise TypeError
    del state
    return check_call(function.name, arguments)


def _pairs(items: Any = ()) -> None:
    pairs = list(items.items() if isinstance(items, dict) else items)
    check_keys([key for key, _ in pairs])


def _counts(items: Any = None) -> None:
    if not all(type(count) is int for count in (items or {}).values()):
        raise TypeError


def _members(items: Any = ()) -> None:
    if type(items) is not list and items != ():
        raise TypeError
    check_keys(items)


def _encoded(text: str, encoding: str = "utf-8") -> None:
    if type(text) is not str or encoding not in _ENCODINGS:
        raise TypeError


def _byte_array(data: Any = b"", *encoding: Any) -> None:
    """Never with a number, which is a length."""
    if encoding:
        _encoded(data, *encoding)
    elif type(data) is not bytes and not (type(data) is Call and data.name == "_codecs.encode"):
        raise Refusal("calls bytearray with a length, which torch.save does not")


def _numbers(*values: Any) -> None:
    for value in values:
        if type(value) not in (str, int, float):
            raise TypeError


def _size(axes: Any = ()) -> None:
    claimed(axes, 1)


_CALLS: Mapping[str, Callable[..., int | None]] = {
    "collections.OrderedDict": _pairs,
    "collections.Counter": _counts,
    "torch.nn.parameter.Parameter": _parameter,
    "torch.serialization._get_layout": _numbers,
    "torch.Size": _size,
    "torch.device": _numbers,
    "_codecs.encode": _encoded,
    "builtins.bytearray": _byte_array,
    "builtins.set": _members,
    "builtins.complex": _numbers,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_of_dtype,
    "torch._utils._rebuild_qtensor": _quantised,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _of_type,
}
_UNREAD = {
    "torch._utils._rebuild_sparse_tensor": "a sparse tensor",
    "torch._utils._rebuild_meta_tensor_no_storage": "a tensor of the meta device, which has no values",
    "torch._utils._rebuild_nested_tensor": "a nested tensor",
    "torch._utils._rebuild_wrapper_subclass": "a tensor of a class of its own",
    "torch._utils._rebuild_device_tensor_from_numpy": "a tensor as a numpy array",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": "a tensor of a device that is not here",
}
