"""The reader for small files: templates, and one ``struct`` call a record; numpy would take longer to import.

A record whose header is known is unpacked at once into constants and numbers; where the constants are those of a
template, nothing is left to parse. Everything else goes through framing and wire parser, which teach the templates.
"""

import math
import struct
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import Any, NamedTuple

from google_crc32c import value as crc32c

from audioloss_cli.model import Defect, series
from audioloss_cli.readers._protobuf import WireError, varint
from audioloss_cli.readers.tensorboard.framing import (
    CRC_BYTES,
    FRAMING_BYTES,
    HEADER_BYTES,
    MASK_DELTA,
    Framing,
    masked_crc,
)
from audioloss_cli.readers.tensorboard.parsed import parsed
from audioloss_cli.readers.tensorboard.scalars import Scalars
from audioloss_cli.readers.tensorboard.template import LONGEST_PAYLOAD, STEP_AT, WALL_TIME_AT, Place, Template, learn

_KNOWN_STEPS = 1 << 12
_KEYED_BYTES = HEADER_BYTES + WALL_TIME_AT  # header of a record, and the key of its wall time
_STEP_KEY = b"\x10"
_LAYOUTS_OF_A_LENGTH = 64  # that each record of this length is held against
_PATIENCE = 1024  # records without a template that are learnt from, beside those that had one


def quick(framing: Framing, scalars: Scalars) -> Iterator[Defect | None]:
    """Every record from here on, into ``scalars``; a Defect for each that could not be read, None where one was."""
    yield from some(framing, Records(scalars, checksum=framing.checksum))


def some(framing: Framing, records: "Records", until: float = math.inf) -> Generator[Defect | None, None, bool]:
    """The same up to about a byte ``until``, blobs not counted; return whether the file ended before it."""
    while framing.buffer.offset < until:
        data, at = framing.buffer.ahead()
        framing.buffer.skip(records.take(data, at) - at)
        yield None
        before = framing.buffer.offset
        items = framing.step()
        if items is None:
            return True
        until += 0 if items else framing.buffer.offset - before
        for item in items:
            if not isinstance(item, Defect):
                records.learn(item.payload)
            yield parsed(item, records.scalars, framing.path)
    return False


Sink = tuple[Callable[[Any], None], ...]  # see ``Scalars.sink``


class _Layout(NamedTuple):
    """Records of one length whose numbers stand at the same places.

    Attributes:
        unpack: wall time, key and varint of the step, then constants and values in turn, and the checksum.
        size: of the record.
        places: the values, by the constants: all of them, or the only one.
        single: whether there is one value, with nothing behind it.
    """

    unpack: Any
    size: int
    places: dict[Any, tuple[Place, ...]]
    single: bool


class Records:
    """Templates met so far, and where the points of their records go."""

    def __init__(self, scalars: Scalars, *, checksum: bool) -> None:
        self.scalars = scalars
        self.checksum = checksum
        self.layouts: dict[bytes, dict[str, _Layout]] = {}  # header and first key -> struct format -> layout
        self.steps: dict[bytes, int] = {b"": 0}  # key and varint -> step: several tags share one; step 0 is not written
        self.patience = _PATIENCE

    def take(self, data: bytes, at: int) -> int:  # noqa: C901  # see below
        """Take in the records from ``at`` on that have a template; return where the first one is that has not.

        One function, because small files spend their time here: a call a record would cost a fifth more.
        """
        layouts, steps, checksum, before = self.layouts, self.steps, self.checksum, at
        room, taken, sinks = series.POINTS_OF_A_CHUNK - self.scalars.points, 0, dict[bytes, Sink]()
        while room > 0 and (known := layouts.get(data[at : at + _KEYED_BYTES])):
            for layout in known.values():
                unpack, size, places, single = layout
                end = at + size
                if not single:
                    end = self.several(layout, data, at)
                    if end == at:
                        continue
                    break
                if end > len(data):
                    continue
                wall_time, raw, constant, number, crc = unpack(data, at)
                step, sink = steps.get(raw), sinks.get(constant)
                if (sink is None and constant not in places) or (step is None and (step := self.new_step(raw)) is None):
                    continue
                if checksum:  # ``masked_crc``, but for the call
                    found = crc32c(data[at + HEADER_BYTES : end - CRC_BYTES])
                    if ((found >> 15 | found << 17) + MASK_DELTA) & 0xFFFFFFFF != crc:
                        continue
                if sink is None:
                    sink = sinks[constant] = self.scalars.sink(places[constant][0])
                if sink:
                    sink[0](step)
                    sink[1](number)
                    sink[2](wall_time)
                    taken += 1
                break
            else:
                break
            at, room = end, room - 1
        self.scalars.points += taken
        self.patience += at > before
        return at

    def several(self, layout: _Layout, data: bytes, at: int) -> int:
        """Take in one record of a layout with more than one value."""
        end = at + layout.size
        if end > len(data):
            return at
        wall_time, raw, *rest, crc = layout.unpack(data, at)
        places = layout.places.get(tuple(rest[::2]))
        step = self.steps.get(raw)
        if step is None:
            step = self.new_step(raw)
        if places is None or step is None:
            return at
        if self.checksum and masked_crc(data[at + HEADER_BYTES : end - CRC_BYTES]) != crc:
            return at
        for place, number in zip(places, rest[1::2], strict=False):  # there is one more constant
            self.scalars.put(place, step, number, wall_time)
        return end

    def new_step(self, raw: bytes) -> int | None:
        """The step of a key and a varint that must fill the bytes; None if it does not."""
        try:
            step, end = varint(raw, 1, len(raw))
        except WireError:
            return None
        if end != len(raw) or raw[:1] != _STEP_KEY:
            return None
        if len(self.steps) >= _KNOWN_STEPS:
            self.steps.clear()
            self.steps[b""] = 0
        self.steps[raw] = step
        return step

    def learn(self, payload: bytes) -> None:
        """Remember what the record looks like, as long as that has been worth it."""
        if self.patience <= 0 or len(payload) > LONGEST_PAYLOAD:
            return
        self.patience -= 1
        template = learn(payload)
        if template is not None and template.places:
            length = struct.pack("<Q", len(payload))
            key = length + struct.pack("<I", masked_crc(length)) + payload[:1]
            text, constants = _outline(template)
            known, single = self.layouts.get(key, {}), len(constants) == 1
            if text not in known:  # first, because steps grow: a layout with shorter ones has had its time
                unpack, older = struct.Struct(text).unpack_from, islice(known.items(), _LAYOUTS_OF_A_LENGTH - 1)
                layout = _Layout(unpack, len(payload) + FRAMING_BYTES, {}, single)
                known = self.layouts[key] = {text: layout, **dict(older)}
            known[text].places[constants[0] if single else constants] = template.places


def _outline(template: Template) -> tuple[str, tuple[bytes, ...]]:
    """Struct format of a record without its constant head, and the constants that it gives for this template."""
    payload, step_bytes = template.payload, template.step_bytes
    at = STEP_AT + step_bytes if step_bytes else STEP_AT - 1
    parts, constants = [f"<{_KEYED_BYTES}xd{at - STEP_AT + 1}s"], []
    for place in template.places:
        constants.append(payload[at : place.at])
        parts.append(f"{place.at - at}s{'f' if place.layout == '<f4' else 'd'}")
        at = place.at + int(place.layout[-1])
    if at < len(payload) or len(constants) > 1:
        constants.append(payload[at:])
        parts.append(f"{len(payload) - at}s")
    return "".join([*parts, "I"]), tuple(constants)
