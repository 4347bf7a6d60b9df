"""The batch dump: what a bug report needs to know of a batch, without its data."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audioloss_cli.output_file import write_file
from audioloss_cli.probe.errors import EnvironmentalError

SCHEMA = "audioloss.batch/1"
_FIRST, _ENTRIES, _DEEPEST, _LONGEST = 8, 200, 4, 80
_MASKED = -100


def describe_batch(batch: Mapping[str, Any]) -> dict[str, Any]:
    """``{"entries": {name: ...}, "total_bytes": ...}`` of built-in types that JSON knows.

    A tensor has type, shape, dtype, device, contiguous, bytes, min, max, mean (floating only), the count of true (bool
    only), the counts of -100, NaN and infinities, and its first 8 values; min, max and mean are those of the finite
    values, None without any. Lists and dicts are descended to a depth of 4; 8 items of a list are described, and 200 of
    a dict. Numbers that are not finite are the strings "NaN", "Infinity" and "-Infinity".
    """
    total = sum(tensor.nbytes for tensor in _tensors(batch, set()))
    return {"entries": {str(name): _describe(value, 1) for name, value in batch.items()}, "total_bytes": total}


def write_dump(path: Path, batches: Iterable[Mapping[str, Any]], extra: Mapping[str, Any]) -> None:
    """One JSON document: the schema's name, ``extra``, and the description of each batch.

    Raises:
        EnvironmentalError: the file cannot be written.
    """
    described = [describe_batch(batch) for batch in batches]
    document = {"schema": SCHEMA} | _plain(extra, 0) | {"schema": SCHEMA, "batches": described}
    try:
        write_file(path, json.dumps(document, indent=2, allow_nan=False) + "\n")
    except OSError as error:
        raise EnvironmentalError(
            f"cannot write the batch dump to {path}: {error.strerror}; name another file"
        ) from error


def _describe(value: Any, depth: int) -> dict[str, Any]:
    kind = {"type": type(value).__name__}
    if isinstance(value, Tensor):
        return kind | _tensor(value)
    if isinstance(value, np.ndarray):
        return kind | _array(value)
    if isinstance(value, str):
        return kind | {"length": len(value), "value": value[:_LONGEST]}
    if value is None or isinstance(value, (bool, int, float)):
        return kind | {"value": _number(value)}
    if isinstance(value, (Mapping, list, tuple)):
        return kind | {"length": len(value)} | ({} if depth == _DEEPEST else _items(value, depth + 1))
    return kind


def _items(value: Any, depth: int) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {"entries": {str(name): _describe(item, depth) for name, item in list(value.items())[:_ENTRIES]}}
    return {"items": [_describe(item, depth) for item in value[:_FIRST]]}


def _array(value: np.ndarray[Any, Any]) -> dict[str, Any]:
    if value.dtype.kind in "biuf" and value.dtype.isnative and value.itemsize <= np.float64().itemsize:
        return _tensor(torch.from_numpy(value.copy()))
    return {"shape": list(value.shape), "dtype": str(value.dtype), "bytes": value.nbytes}


def _tensor(value: Tensor) -> dict[str, Any]:
    """A sparse, quantised or meta tensor has no plain values to look at."""
    here = {
        "shape": [value.size(0), *[None] * (value.dim() - 1)] if value.is_nested else list(value.shape),
        "dtype": str(value.dtype).removeprefix("torch."),
        "device": str(value.device),
    }
    if value.layout is not torch.strided or value.is_quantized or value.is_meta or value.is_nested:
        return here
    size = {"contiguous": value.is_contiguous(), "bytes": value.nbytes}
    return here | size | _statistics(value.detach().cpu().flatten())  # the one transfer


def _statistics(values: Tensor) -> dict[str, Any]:
    if values.is_complex():
        return {}
    if values.dtype == torch.bool:
        return {"true": int(values.sum()), "first": values[:_FIRST].tolist()}
    try:
        values = _computable(values)
    except (NotImplementedError, RuntimeError):  # of a dtype that is there to be stored alone
        return {}
    finite, counts = values, {"masked": int((values == _MASKED).sum()), "nan": 0, "inf": 0}
    if values.is_floating_point():
        counts |= {"nan": int(values.isnan().sum()), "inf": int(values.isinf().sum())}
        finite = values[values.isfinite()] if counts["nan"] + counts["inf"] else values
    return _extremes(finite) | counts | {"first": [_number(item) for item in values[:_FIRST].tolist()]}


def _extremes(finite: Tensor) -> dict[str, Any]:
    floating = finite.is_floating_point()
    if not finite.numel():
        return {"min": None, "max": None} | ({"mean": None} if floating else {})
    low, high = finite.aminmax()
    mean = {"mean": _number(finite.mean(dtype=torch.float64).item())} if floating else {}
    return {"min": low.item(), "max": high.item()} | mean


def _computable(values: Tensor) -> Tensor:
    """Half, bfloat16 and float8 lack some operations on a CPU, unsigned integers most; uint64 wraps above int64."""
    if values.is_floating_point():
        return values if values.dtype in (torch.float32, torch.float64) else values.float()
    return values.long()


def _number(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _plain(value: Any, depth: int) -> Any:
    """What the caller adds, as it is where JSON knows it, as text where it does not."""
    if value is None or isinstance(value, (bool, int, float)):
        return _number(value)
    if isinstance(value, Mapping) and depth <= _DEEPEST:
        return {str(name): _plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, (list, tuple)) and depth <= _DEEPEST:
        return [_plain(item, depth + 1) for item in value]
    return _describe(value, 1) if isinstance(value, (Tensor, np.ndarray)) else str(value)


def _tensors(value: Any, seen: set[int]) -> Iterator[Any]:
    """Every tensor and array once, however deep; ``seen`` ends a cycle."""
    if id(value) in seen:
        return
    if isinstance(value, (Tensor, np.ndarray)):
        seen.add(id(value))
        if isinstance(value, np.ndarray) or not (value.is_nested or value.layout is not torch.strided):
            yield value
    elif isinstance(value, (Mapping, list, tuple)):
        seen.add(id(value))
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(item, seen)
