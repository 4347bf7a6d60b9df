"""How elements of each dtype lie in memory, and what their bits mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class FloatFormat:
    """One kind of floating numbers; their magnitudes order as unsigned integers do.

    Attributes:
        unsigned, signed: integers of its width.
        sign: the bit of the sign.
        bad: the least magnitude that is not finite.
        nan: the least magnitude that is NaN.
        normal: the least magnitude that is neither zero nor denormal.
    """

    unsigned: type[Any]
    signed: type[Any]
    sign: int
    bad: int
    nan: int
    normal: int


def _ieee(bits: int, mantissa: int) -> FloatFormat:
    infinity = ((1 << (bits - 1 - mantissa)) - 1) << mantissa
    unsigned, signed = getattr(np, f"uint{bits}"), getattr(np, f"int{bits}")
    return FloatFormat(unsigned, signed, 1 << (bits - 1), infinity, infinity + 1, 1 << mantissa)


FLOATS: Mapping[str, FloatFormat] = {
    "F64": _ieee(64, 52),
    "F32": _ieee(32, 23),
    "F16": _ieee(16, 10),
    "BF16": _ieee(16, 7),
    "F8_E5M2": _ieee(8, 2),
    "F8_E4M3": FloatFormat(np.uint8, np.int8, 0x80, 0x7F, 0x7F, 0x08),  # it has NaN, and no infinity
}
#: A complex number is read as two of these.
PARTS: Mapping[str, str] = {"C128": "F64", "C64": "F32"}
INTEGERS: Mapping[str, type[Any]] = {
    "I64": np.int64,
    "I32": np.int32,
    "I16": np.int16,
    "I8": np.int8,
    "U64": np.uint64,
    "U32": np.uint32,
    "U16": np.uint16,
    "U8": np.uint8,
    "BOOL": np.uint8,
}


def raw_dtype(dtype: str) -> np.dtype[Any]:
    """Return the integers as which elements of a dtype, or the parts of complex ones, are read; little-endian.

    Raises:
        KeyError: the values of this dtype are not read.
    """
    dtype = PARTS.get(dtype, dtype)
    return np.dtype(FLOATS[dtype].unsigned if dtype in FLOATS else INTEGERS[dtype]).newbyteorder("<")


def decoded(raw: Array, dtype: str) -> Array:
    """Return the numbers that bits stand for, in the narrowest dtype of numpy that holds all of them exactly.

    Args:
        raw: any shape, of ``raw_dtype(dtype)``.
        dtype: a name of ``ITEMSIZES``; of a complex one ``raw`` holds the parts.
    """
    dtype = PARTS.get(dtype, dtype)
    if dtype == "BF16":
        return (raw.astype(np.uint32) << 16).view(np.float32)
    if dtype in _BYTE_FLOATS:
        return _BYTE_FLOATS[dtype][raw]
    return raw.view({"F64": np.float64, "F32": np.float32, "F16": np.float16, "BOOL": np.bool_}.get(dtype, raw.dtype))


def _byte_floats(exponent_bits: int, mantissa_bits: int, form: FloatFormat) -> Array:
    """All numbers of a format of 8 bits, by their bits."""
    bits = np.arange(256)
    exponent, mantissa = (bits & 0x7F) >> mantissa_bits, bits & ((1 << mantissa_bits) - 1)
    whole = np.where(exponent > 0, mantissa + (1 << mantissa_bits), mantissa)
    bias = (1 << (exponent_bits - 1)) - 1
    values = np.ldexp(whole.astype(np.float32), np.maximum(exponent, 1) - bias - mantissa_bits)
    values[(bits & 0x7F) == form.bad] = np.inf
    values[(bits & 0x7F) >= form.nan] = np.nan
    signed: Array = np.where(bits & 0x80, -values, values).astype(np.float32)
    return signed


_BYTE_FLOATS: Mapping[str, Array] = {
    "F8_E4M3": _byte_floats(4, 3, FLOATS["F8_E4M3"]),
    "F8_E5M2": _byte_floats(5, 2, FLOATS["F8_E5M2"]),
}
