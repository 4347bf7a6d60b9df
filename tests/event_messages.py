"""The messages of an event file, encoded by ourselves: the tests of the core need neither tensorboard nor protobuf.

Names, fields and their numbers are those of TensorFlow's ``event.proto``, ``summary.proto`` and ``tensor.proto``;
`tests/reference/test_event_messages.py` compares every byte with protobuf's own encoder.
"""

import struct
from typing import Any, ClassVar

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_NUMBERS = {"double": (FIXED64, "<d"), "float": (FIXED32, "<f")}


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number takes ten bytes."""
    number &= (1 << 64) - 1
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def key(number: int, wire_type: int) -> bytes:
    """What stands before the content of a field."""
    return varint(number << 3 | wire_type)


class Message:
    """Fields by name, encoded in the order of their numbers; a field that was never touched is not encoded."""

    FIELDS: ClassVar[dict[str, tuple[int, Any]]] = {}  # name: number; a kind, a message class or [either] if repeated
    ALWAYS: ClassVar[frozenset[str]] = frozenset()  # of a oneof: encoded though zero, once it is set

    def __init__(self, **fields: Any) -> None:
        for name, value in fields.items():
            kind = self.FIELDS[name][1]
            if isinstance(kind, list):
                made = Repeated(kind[0], (kind[0](**each) if isinstance(each, dict) else each for each in value))
            else:
                made = kind(**value) if isinstance(value, dict) else value
            setattr(self, name, made)

    def __getattr__(self, name: str) -> Any:
        """Make an empty message or list where one is asked for first; zero, or nothing, for any other field."""
        if name not in self.FIELDS:
            raise AttributeError(name)
        kind = self.FIELDS[name][1]
        if isinstance(kind, str):
            return {"string": "", "bytes": b"", "bool": False}.get(kind, 0)
        made = Repeated(kind[0]) if isinstance(kind, list) else kind()
        setattr(self, name, made)
        return made

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field; AttributeError for a name that the message does not have."""
        if name not in self.FIELDS:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")
        super().__setattr__(name, value)

    def SerializeToString(self) -> bytes:  # noqa: N802  # protobuf's name
        """The encoded message."""
        set_here = [(*self.FIELDS[name], name, value) for name, value in vars(self).items()]
        return b"".join(
            _field(number, kind, value, always=name in self.ALWAYS)
            for number, kind, name, value in sorted(set_here, key=lambda field: field[0])
        )


class Repeated(list[Any]):
    """A repeated field."""

    def __init__(self, kind: Any, values: Any = ()) -> None:
        super().__init__(values)
        self.kind = kind

    def add(self, **fields: Any) -> Any:
        """Append a new message and return it."""
        self.append(self.kind(**fields))
        return self[-1]


def _field(number: int, kind: Any, value: Any, *, always: bool) -> bytes:
    if isinstance(kind, list):
        return _repeated(number, kind[0], value)
    if isinstance(kind, type):
        return _lengthened(number, value.SerializeToString())
    if kind in ("string", "bytes"):
        return _lengthened(number, value.encode() if kind == "string" else value) if value or always else b""
    packed = _packed(kind, value)
    wire_type = _NUMBERS.get(kind, (VARINT,))[0]
    return key(number, wire_type) + packed if packed.strip(b"\0") or always else b""


def _repeated(number: int, kind: Any, values: list[Any]) -> bytes:
    if isinstance(kind, type) or kind in ("string", "bytes"):
        return b"".join(_field(number, kind, value, always=True) for value in values)
    return _lengthened(number, b"".join(_packed(kind, value) for value in values)) if values else b""


def _packed(kind: str, value: Any) -> bytes:
    return struct.pack(_NUMBERS[kind][1], value) if kind in _NUMBERS else varint(int(value))


def _lengthened(number: int, content: bytes) -> bytes:
    return key(number, LENGTH) + varint(len(content)) + content


class Dim(Message):
    FIELDS: ClassVar = {"size": (1, "int64"), "name": (2, "string")}


class TensorShapeProto(Message):
    Dim = Dim
    FIELDS: ClassVar = {"dim": (2, [Dim]), "unknown_rank": (3, "bool")}


class TensorProto(Message):
    FIELDS: ClassVar = {
        "dtype": (1, "enum"),
        "tensor_shape": (2, TensorShapeProto),
        "tensor_content": (4, "bytes"),
        "float_val": (5, ["float"]),
        "double_val": (6, ["double"]),
        "int_val": (7, ["int32"]),
        "string_val": (8, ["bytes"]),
        "scomplex_val": (9, ["float"]),
        "int64_val": (10, ["int64"]),
        "bool_val": (11, ["bool"]),
        "half_val": (13, ["int32"]),
        "uint32_val": (16, ["uint32"]),
        "uint64_val": (17, ["uint64"]),
    }


class PluginData(Message):
    FIELDS: ClassVar = {"plugin_name": (1, "string"), "content": (2, "bytes")}


class SummaryMetadata(Message):
    FIELDS: ClassVar = {"plugin_data": (1, PluginData), "data_class": (4, "enum")}


class Image(Message):
    FIELDS: ClassVar = {"encoded_image_string": (4, "bytes")}


class Audio(Message):
    FIELDS: ClassVar = {"encoded_audio_string": (4, "bytes")}


class Histogram(Message):
    FIELDS: ClassVar = {"bucket": (7, ["double"])}


class Value(Message):
    FIELDS: ClassVar = {
        "tag": (1, "string"),
        "simple_value": (2, "float"),
        "image": (4, Image),
        "histo": (5, Histogram),
        "audio": (6, Audio),
        "tensor": (8, TensorProto),
        "metadata": (9, SummaryMetadata),
    }
    ALWAYS: ClassVar = frozenset({"simple_value"})


class Summary(Message):
    FIELDS: ClassVar = {"value": (1, [Value])}


class SessionLog(Message):
    START, STOP, CHECKPOINT = 1, 2, 3
    FIELDS: ClassVar = {"status": (1, "enum")}


class Event(Message):
    SessionLog = SessionLog
    FIELDS: ClassVar = {
        "wall_time": (1, "double"),
        "step": (2, "int64"),
        "file_version": (3, "string"),
        "graph_def": (4, "bytes"),
        "summary": (5, Summary),
        "session_log": (7, SessionLog),
    }
    ALWAYS: ClassVar = frozenset({"file_version", "graph_def"})
