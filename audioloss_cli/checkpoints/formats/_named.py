"""Names of the tensors that lie in what a pickle holds: the keys on the way to each, joined with dots."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from audioloss_cli.checkpoints.claims import most_bytes
from audioloss_cli.checkpoints.pickles import Call
from audioloss_cli.checkpoints.pickles.tensors import META
from audioloss_cli.checkpoints.stored import Fault, StoredFile, StoredTensor
from audioloss_cli.model import Severity

_LONGEST_KEY, _LONGEST_NAME = 1000, 1000
_ALONE = "tensor"  # the name of one that the file holds without any
_INNER = ("_modules", "_parameters", "_buffers")  # where a module of torch keeps what it is made of


class _Found(NamedTuple):
    """A tensor, and the container and the key that hold it; no container where it cannot be put in again."""

    name: str
    tensor: StoredTensor
    container: Any
    key: Any


def take_tensors(file: StoredFile, value: Any, size: int) -> None:
    """Give every tensor in a value its name, and the file its value and its tensors.

    Args:
        file: that they lie in.
        value: a tree, as ``read_pickle_stream`` gives it.
        size: of the file, in bytes.
    """
    root, left, letters = [value], most_bytes(size), most_bytes(size)
    places: list[_Found] = []
    for found in _found(root, file):
        left -= found.tensor.nbytes
        letters -= len(found.name)
        if left < 0 or letters < 0:
            text = f"{file.path}: its tensors claim more than {most_bytes(size):,} bytes, and it has {size:,}"
            file.faults.append(Fault("damaged-file", Severity.CRITICAL, text, {"size": size}))
            break
        places.append(found)
    shared = Counter(tensor.storage for tensor in {id(each.tensor): each.tensor for each in places}.values())
    numbers = Counter[str]()  # of tensors that come to one name, as {'a': {'b': x}, 'a.b': y} do
    twice = Counter(id(each.tensor) for each in places)
    for name, tensor, container, key in places:
        is_shared = shared[tensor.storage] > 1 or twice[id(tensor)] > 1
        numbers[name] += 1
        free = name if numbers[name] == 1 else f"{name}#{numbers[name]}"
        named = replace(tensor, name=free, storage=tensor.storage if is_shared else "")
        file.tensors[free] = named
        if container is not None:
            container[key] = named
    file.value = root[0]


def _found(root: list[Any], file: StoredFile) -> Iterator[_Found]:
    """Yield every tensor in the order of the file."""
    walks = [_children(root, "")]
    while walks:
        step = next(walks[-1], None)
        if step is None:
            walks.pop()
            continue
        name, child, container, key = step
        name = name[:_LONGEST_NAME]
        if type(child) is StoredTensor:
            yield _Found(name or _ALONE, child, container, key)
        elif type(child) is Call and child.name == META:
            text = f"{file.path}: {name or 'its tensor'} is of the meta device, so that no values of it were saved"
            file.faults.append(Fault("damaged-file", Severity.CRITICAL, text, {"tensor": name}))
        elif type(child) in (dict, list, tuple, Call):
            walks.append(_children(child, name))


def _children(container: Any, name: str) -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield the name, the value, and the place of what is in a container, beside plain values."""
    front = f"{name}." if name else ""
    if type(container) is dict:
        for key, value in list(container.items()):
            if _is_followed(value):
                yield front + _word(key), value, container, key
    elif type(container) is Call:
        yield from _attributes(container, name)
    else:
        is_root = not name and type(container) is list and len(container) == 1
        for index, value in enumerate(container):
            if _is_followed(value):
                place = container if type(container) is list else None
                yield ("" if is_root else f"{front}{index}"), value, place, index


def _attributes(call: Call, name: str) -> Iterator[tuple[str, Any, Any, Any]]:
    """Yield what an object would have: its attributes, the parts of a module without the attribute they lie under."""
    front = f"{name}." if name else ""
    for key, value in call.attributes().items():
        if _is_followed(value):
            yield (name if key in _INNER else front + _word(key)), value, None, None
    yield from _children(call.items, name)
    yield from _children(tuple(call.added), name)


def _is_followed(value: Any) -> bool:
    return type(value) in (StoredTensor, Call) or (type(value) in (dict, list, tuple) and len(value) > 0)


def _word(key: Any) -> str:
    if type(key) is str:
        return key[:_LONGEST_KEY]
    return str(key)[:_LONGEST_KEY] if type(key) in (int, bool, float, tuple, bytes) or key is None else "?"
