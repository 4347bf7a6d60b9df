"""From the records of a run to the rows of its history.

Field numbers: wandb/proto/wandb_internal.proto. Releases before 0.18 write the name of an item as ``key``, later ones
as ``nested_key``, a part each; the value is JSON text. wandb-core shuffles the items of a row.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from audioloss_cli.readers._protobuf import LENGTH, VARINT, WireError, fields, signed, varint

_HISTORY = 2, LENGTH
_ITEM, _STEP, _STEP_NUMBER = (1, LENGTH), (2, LENGTH), (1, VARINT)
_KEY, _NESTED_KEY, _VALUE = (1, LENGTH), (2, LENGTH), (16, LENGTH)
_NUMBER_KEY, _HISTORY_KEY = 0x08, 0x12  # the first bytes of a record: its number, its history
_ITEM_KEY, _STEP_KEY, _VALUE_KEY = 0x0A, 0x12, b"\x82\x01"
_CONTINUED = 0x80  # of a varint
STEP, KEYED_STEP = b"\x12\x05_step", b"\x0a\x05_step"  # names as they stand in items

_SHORTEST_START = 4  # the key and the length of an item, and of a name
_MOST_KNOWN = 1 << 14

Items = dict[bytes, bytes]
KnownStarts = dict[bytes, tuple[bytes, int]]


class _UnusualError(Exception):
    """The layout is another than the usual one."""


def items_of(payload: bytes, known: KnownStarts) -> Items:
    """Return the JSON text of each item of a history record by its name; nothing of any other record.

    A name is the bytes of its fields in the item, see ``parts_of``. Where ``_step`` is not among the items, it is
    taken from the step beside them.

    Args:
        payload: the record.
        known: what other records of the same file have taught; it grows.

    Raises:
        WireError: the bytes are no protocol buffers message.
    """
    try:
        return _usual_items(payload, known)
    except (_UnusualError, IndexError, WireError):  # IndexError: it breaks off
        return _any_items(payload)


def _usual_items(payload: bytes, known: KnownStarts) -> Items:
    """Return the items of a record with nothing behind its history, and no item of more than 127 bytes."""
    at = 0
    if payload[0] == _NUMBER_KEY:
        at = 2
        while payload[at - 1] >= _CONTINUED:
            at += 1
    if payload[at] != _HISTORY_KEY:
        if _may_hold_history(payload[at]):
            raise _UnusualError
        return {}
    size, at = varint(payload, at + 1, len(payload))
    if at + size != len(payload):
        raise _UnusualError
    # Cut where values start: between two cuts stand the length of a value, the value, and the start of the next item.
    start, *parts = payload[at:].split(_VALUE_KEY)
    items: Items = {}
    for part in parts:
        name, size = known.get(start) or _learn(start, known)
        # That the length is the announced one proves that neither cut was made inside a name or a value.
        if part[0] != size:
            raise _UnusualError
        items[name] = part[1 : 1 + size]
        start = part[1 + size :]
    if len(items) != len(parts):
        raise _UnusualError  # a name twice
    if items and start:
        _add_step(start, items)
    return items


def _learn(start: bytes, known: KnownStarts) -> tuple[bytes, int]:
    """Return the name in the start of an item, up to its value, and the length that its value has to have."""
    if len(start) < _SHORTEST_START or start[0] != _ITEM_KEY or start[1] >= _CONTINUED:
        raise _UnusualError
    if len(known) >= _MOST_KNOWN:
        known.clear()
    name = start[2:]
    found = known[start] = name, start[1] - len(name) - len(_VALUE_KEY) - 1
    return found


def _may_hold_history(key: int) -> bool:
    """Tell whether a record may hold a history behind the field that has this key: it is none that says its kind."""
    return key >= _CONTINUED or key & 7 != LENGTH


def _add_step(rest: bytes, items: Items) -> None:
    """Take the step behind the items for one that is not among them."""
    if rest[0] != _STEP_KEY or len(rest) != 2 + rest[1]:
        raise _UnusualError
    number, behind = 0, 2
    if rest[1]:
        number, behind = varint(rest, 3, len(rest))
    if behind != len(rest) or (rest[1] and rest[2] != _NUMBER_KEY):
        raise _UnusualError
    if STEP not in items and KEYED_STEP not in items:
        items[STEP] = b"%d" % signed(number)


def _any_items(payload: bytes) -> Items:
    """Return the items of a record of any layout."""
    items: Items = {}
    step = None
    for number, kind, start, stop in fields(payload, 0, len(payload)):
        if (number, kind) != _HISTORY:
            continue
        for inner, inner_kind, at, end in fields(payload, start, stop):
            if (inner, inner_kind) == _ITEM:
                items.update(_item(payload, at, end))
            elif (inner, inner_kind) == _STEP:
                steps = [item[2] for item in fields(payload, at, end) if item[:2] == _STEP_NUMBER]
                step = signed(steps[-1] if steps else 0)
    if step is not None and items and STEP not in items and KEYED_STEP not in items:
        items[STEP] = b"%d" % step
    return items


def _item(payload: bytes, at: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the value of one item, if it has both."""
    name, value = list[bytes](), None
    before = at
    for number, kind, start, stop in fields(payload, at, end):
        if (number, kind) in (_KEY, _NESTED_KEY):
            name.append(payload[before:stop])
        elif (number, kind) == _VALUE:
            value = payload[start:stop]
        before = stop
    if name and value is not None:
        yield b"".join(name), value


def parts_of(name: bytes) -> list[str]:
    """Return the parts of a name; fields of later releases are no parts of it.

    Raises:
        WireError: the bytes are no fields.
    """
    return [
        name[start:stop].decode("utf-8", "backslashreplace")
        for number, kind, start, stop in fields(name, 0, len(name))
        if (number, kind) in (_KEY, _NESTED_KEY)
    ]


def nested(items: Iterable[tuple[Sequence[str], Any]]) -> dict[str, Any]:
    """Return the object in which each value lies under the parts of its name."""
    whole: dict[str, Any] = {}
    for parts, value in items:
        place = whole
        for index, part in enumerate(parts[:-1]):
            inner = place.setdefault(part, {})
            if not isinstance(inner, dict):  # the name of a number, and of what lies below it
                place["/".join(parts[index:])] = value
                break
            place = inner
        else:
            place[parts[-1] if parts else ""] = value
    return whole
