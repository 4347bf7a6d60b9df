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

Items = dict[bytes, bytes]


class _UnusualError(Exception):
    """The layout is another than the usual one."""


def items_of(payload: bytes) -> Items:
    """Return the JSON text of each item of a history record by its name; nothing of any other record.

    A name is the bytes of its fields in the item, see ``parts_of``. Where ``_step`` is not among the items, it is
    taken from the step beside them.

    Raises:
        WireError: the bytes are no protocol buffers message.
    """
    try:
        return _usual_items(payload)
    except (_UnusualError, IndexError, WireError):  # IndexError: it breaks off
        return _any_items(payload)


def _usual_items(payload: bytes) -> Items:
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
    end = at + size
    if end != len(payload):
        raise _UnusualError
    items: Items = {}
    count = 0
    while at < end and payload[at] == _ITEM_KEY:
        stop = at + 2 + payload[at + 1]
        middle = payload.find(_VALUE_KEY, at, stop)
        # The length of the value proves that its key was found, and not two bytes of a name.
        if stop > end or middle < 0 or payload[middle + 2] != stop - middle - 3 or stop - at > _CONTINUED + 1:
            raise _UnusualError
        items[payload[at + 2 : middle]] = payload[middle + 3 : stop]
        count += 1
        at = stop
    if count != len(items):
        raise _UnusualError  # a name twice
    if at < end:
        _add_step(payload, at, end, items)
    return items


def _may_hold_history(key: int) -> bool:
    """Tell whether a record may hold a history behind the field that has this key: it is none that says its kind."""
    return key >= _CONTINUED or key & 7 != LENGTH


def _add_step(payload: bytes, at: int, end: int, items: Items) -> None:
    """Take the step beside the items for one that is not among them."""
    if payload[at] != _STEP_KEY or at + 2 + payload[at + 1] != end:
        raise _UnusualError
    if STEP in items or KEYED_STEP in items:
        return
    number, behind = (0, end) if at + 2 == end else varint(payload, at + 3, end)
    if behind != end or (at + 2 < end and payload[at + 2] != _NUMBER_KEY):
        raise _UnusualError
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
    """Return the parts of a name.

    Raises:
        WireError: the bytes are not those of a key or of the parts of a nested one.
    """
    parts = list[str]()
    for number, kind, start, stop in fields(name, 0, len(name)):
        if (number, kind) not in (_KEY, _NESTED_KEY):
            raise WireError(f"field {number} of wire type {kind} in a name")
        parts.append(name[start:stop].decode("utf-8", "backslashreplace"))
    return parts


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
