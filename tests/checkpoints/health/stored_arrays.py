"""Arrays of any dtype as stored tensors, and what plain numpy says of them."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from audioloss_cli.checkpoints.health import TensorStatistics
from audioloss_cli.checkpoints.stored import ITEMSIZES, StoredTensor

NUMPY = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "C128": "<c16", "C64": "<c8", "BOOL": "?"}
NUMPY |= {name: f"<{name[0].lower()}{int(name[1:]) // 8}" for name in ITEMSIZES if name[0] in "IU"}
BITS = {"F8_E4M3": (4, 3), "F8_E5M2": (5, 2), "BF16": (8, 7)}
NORMAL = {
    "F64": 2.0**-1022,
    "F32": 2.0**-126,
    "F16": 2.0**-14,
    "BF16": 2.0**-126,
    "F8_E4M3": 2.0**-6,
    "F8_E5M2": 2.0**-14,
}
NORMAL |= {"C128": 2.0**-1022, "C64": 2.0**-126}


def one_number(bits: int, dtype: str) -> float:
    """By the book: sign, exponent, mantissa."""
    exponents, mantissas = BITS[dtype]
    sign = -1.0 if bits >> (exponents + mantissas) else 1.0
    exponent, mantissa = bits >> mantissas & (1 << exponents) - 1, bits & (1 << mantissas) - 1
    top, bias = (1 << exponents) - 1, (1 << exponents - 1) - 1
    if dtype == "F8_E4M3":
        if exponent == top and mantissa == (1 << mantissas) - 1:
            return math.nan
    elif exponent == top:
        return math.nan if mantissa else sign * math.inf
    if exponent == 0:
        return sign * math.ldexp(mantissa, 1 - bias - mantissas)
    return sign * math.ldexp(mantissa + (1 << mantissas), exponent - bias - mantissas)


def numbers(data: bytes, dtype: str) -> np.ndarray:
    """What the bytes are, as numpy has it."""
    if dtype in BITS:
        raw = np.frombuffer(data, f"<u{ITEMSIZES[dtype]}")
        return np.array([one_number(int(each), dtype) for each in raw])
    return np.frombuffer(data, "u1") != 0 if dtype == "BOOL" else np.frombuffer(data, NUMPY[dtype])


def plain_statistics(values: np.ndarray, dtype: str) -> TensorStatistics:
    """As anybody would write them, of an array of any strides."""
    flat = np.ascontiguousarray(values).reshape(-1)
    elements = flat.size
    if dtype in ("C64", "C128"):
        bad = ~np.isfinite(flat)
        flat = flat.view(flat.real.dtype)
        elements = flat.size
    else:
        bad = ~np.isfinite(flat) if dtype in NORMAL else np.zeros(elements, bool)
    is_float = dtype in NORMAL
    finite = flat[np.isfinite(flat)] if is_float else flat
    wide = finite.astype(np.longdouble)
    magnitudes = np.abs(finite)
    return TensorStatistics(
        elements,
        nan=int(np.isnan(flat).sum()) if is_float else 0,
        infinite=int(np.isinf(flat).sum()) if is_float else 0,
        zero=int((flat == 0).sum()),
        denormal=int(((magnitudes > 0) & (magnitudes < NORMAL[dtype])).sum()) if is_float else 0,
        first_bad=int(np.flatnonzero(bad)[0]) if bad.any() else -1,
        lowest=float(finite.min()) + 0.0 if finite.size else math.nan,
        highest=float(finite.max()) + 0.0 if finite.size else math.nan,
        norm=float(np.sqrt((wide * wide).sum())) if finite.size else math.nan,
        is_constant=bool(finite.size == flat.size and finite.size and finite.min() == finite.max()),
    )


def stored(path: Path, data: bytes, dtype: str, shape: tuple[int, ...], before: int = 0, **more: Any) -> StoredTensor:
    """Write the bytes behind some others."""
    path.write_bytes(b"\x7f" * before + data)
    return StoredTensor("a.weight", dtype, shape, path, before, **more)


def assert_alike(found: TensorStatistics, expected: TensorStatistics) -> None:
    for name in ("elements", "nan", "infinite", "zero", "denormal", "first_bad", "is_constant"):
        assert getattr(found, name) == getattr(expected, name), name
    for name in ("lowest", "highest"):
        np.testing.assert_equal(getattr(found, name), getattr(expected, name), name)
    if math.isnan(expected.norm):
        assert math.isnan(found.norm)
    else:
        assert math.isclose(found.norm, expected.norm, rel_tol=1e-5, abs_tol=1e-300), (found.norm, expected.norm)
