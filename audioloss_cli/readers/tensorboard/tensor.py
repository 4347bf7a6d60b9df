"""The one number of a ``TensorProto``.

Field numbers and types: tensorboard/compat/proto/tensor.proto and types.proto; the reading of ``half_val`` as bit
patterns is that of tensorboard.util.tensor_util.make_ndarray.
"""

import struct
from typing import NamedTuple

from audioloss_cli.readers._protobuf import FIXED32, FIXED64, LENGTH, VARINT, WireError, fields, signed, varint

_DTYPE, _SHAPE, _CONTENT = (1, VARINT), (2, LENGTH), (4, LENGTH)
_DIM, _DIM_SIZE = 2, 1
_KNOWN = {number for number, _ in (_DTYPE, _SHAPE, _CONTENT)}
_HALF_VAL = 13


class _Type(NamedTuple):
    """How a DataType is stored: layout in tensor_content, number and wire type of its ``*_val`` field."""

    layout: str
    val: int
    kind: int = VARINT
    unsigned: bool = False


_TYPES = {
    1: _Type("<f", 5, FIXED32),  # DT_FLOAT
    2: _Type("<d", 6, FIXED64),  # DT_DOUBLE
    3: _Type("<i", 7),  # DT_INT32
    4: _Type("<B", 7),  # DT_UINT8
    5: _Type("<h", 7),  # DT_INT16
    6: _Type("<b", 7),  # DT_INT8
    9: _Type("<q", 10),  # DT_INT64
    10: _Type("<?", 11),  # DT_BOOL
    14: _Type("bfloat16", _HALF_VAL),  # DT_BFLOAT16
    17: _Type("<H", 7),  # DT_UINT16
    19: _Type("<e", _HALF_VAL),  # DT_HALF
    22: _Type("<I", 16),  # DT_UINT32
    23: _Type("<Q", 17, unsigned=True),  # DT_UINT64
}


class TensorNumber(NamedTuple):
    """The one number of a tensor, and whether its rank is 0 rather than that of a list of one."""

    number: float
    is_scalar: bool


def tensor_number(data: bytes, at: int, end: int) -> TensorNumber | None:
    """The number in ``data[at:end]``; None for several numbers and for a type that is no real number.

    Raises:
        WireError: the bytes are no protocol buffers message, or a tensor of one number without it.
    """
    dtype, sizes, content = 0, list[int](), None
    vals: dict[int, tuple[int, int, int]] = {}
    for number, kind, start, stop in fields(data, at, end):
        if (number, kind) == _DTYPE:
            dtype = start
        elif (number, kind) == _SHAPE:
            sizes = [_size(data, *item) for item in fields(data, start, stop)]
        elif (number, kind) == _CONTENT:
            content = data[start:stop]
        elif number in _KNOWN:
            raise WireError(f"field {number} of wire type {kind}")
        else:
            vals.setdefault(number, (kind, start, stop))
    how = _TYPES.get(dtype)
    if how is None or any(size != 1 for size in sizes):
        return None
    if content:
        return TensorNumber(_decode(content, how), not sizes)
    if how.val not in vals:
        raise WireError("a tensor of one number without it")
    return TensorNumber(_from_val(data, vals[how.val], how), not sizes)


def _size(data: bytes, number: int, kind: int, start: int, stop: int) -> int:
    """Of one dimension; -1 where the rank is unknown."""
    if (number, kind) != (_DIM, LENGTH):
        return -1
    return next((signed(item[2]) for item in fields(data, start, stop) if item[:2] == (_DIM_SIZE, VARINT)), 0)


def _decode(content: bytes, how: _Type) -> float:
    if how.layout == "bfloat16":  # the upper half of a float32
        return _decode(b"\0\0" + content, _TYPES[1])
    try:
        return float(struct.unpack(how.layout, content)[0])
    except struct.error:
        raise WireError(f"a scalar tensor of {len(content)} bytes") from None


def _from_val(data: bytes, field: tuple[int, int, int], how: _Type) -> float:
    """The first entry of a repeated ``*_val`` field, packed (length-delimited) or not."""
    kind, start, stop = field
    if kind not in (how.kind, LENGTH):
        raise WireError("a scalar tensor whose value is of another type")
    if how.kind != VARINT:
        layout = "<f" if how.kind == FIXED32 else "<d"
        return _decode(data[start : min(stop, start + struct.calcsize(layout))], _Type(layout, how.val))
    number = start if kind == VARINT else varint(data, start, stop)[0]
    if how.val == _HALF_VAL:
        return _decode((number & 0xFFFF).to_bytes(2, "little"), how)
    return float(number if how.unsigned else signed(number))
