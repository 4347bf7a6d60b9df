"""Which device and which dtype, and what it means to run out of memory there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from audioloss_cli.probe.errors import EnvironmentalError, UsageError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_KINDS = ("cpu", "cuda", "mps")
_LACK = re.compile("DefaultCPUAllocator|allocate memory|out of memory|ALLOC_FAILED")


def choose_device(wanted: str) -> tuple[torch.device, str]:
    """The device, and a sentence that says so.

    Raises:
        UsageError: there is no such kind of device.
        EnvironmentalError: it is not here.
    """
    if wanted == "auto":
        return _best()
    kind, colon, index = wanted.partition(":")
    if kind not in _KINDS or (colon and not (kind == "cuda" and index.isascii() and index.isdecimal())):
        raise UsageError(f"--device {wanted!r} is not one of auto, cpu, cuda, cuda:N, mps")
    if kind == "cuda" and not torch.cuda.is_available():
        raise EnvironmentalError(f"--device {wanted}: there is no CUDA device here, or torch is built without CUDA")
    if index and int(index) >= torch.cuda.device_count():
        raise EnvironmentalError(
            f"--device {wanted}: the last CUDA device here is cuda:{torch.cuda.device_count() - 1}"
        )
    if kind == "mps" and not torch.backends.mps.is_available():
        raise EnvironmentalError("--device mps: there is no MPS device here")
    return torch.device(wanted), f"device {wanted}, as asked"


def choose_dtype(wanted: str) -> torch.dtype | None:
    """The dtype of a name; None for none.

    Raises:
        UsageError: the name is not one of ``DTYPES``.
    """
    if wanted and wanted not in DTYPES:
        raise UsageError(f"--dtype {wanted!r} is not one of {', '.join(DTYPES)}")
    return DTYPES.get(wanted)


@contextmanager
def memory_guard(device: torch.device) -> Iterator[None]:
    """Turn an allocation that failed into a line with a remedy.

    Raises:
        EnvironmentalError: the device, or the machine, is out of memory.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
        if not is_out_of_memory(error):
            raise
        raise EnvironmentalError(
            f"out of memory on {device}: use a smaller batch, --dtype bfloat16, fewer --batches, no --backward, or "
            f"--device cpu"
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """The allocators of the CPU, of MPS and of cuBLAS raise a plain RuntimeError, and each has its own words."""
    return isinstance(error, (torch.OutOfMemoryError, MemoryError)) or bool(_LACK.search(str(error)))


def _best() -> tuple[torch.device, str]:
    if torch.cuda.is_available():
        return torch.device("cuda"), f"device cuda ({torch.cuda.get_device_name()}), chosen by auto"
    if torch.backends.mps.is_available():
        return torch.device("mps"), "device mps, chosen by auto"
    return torch.device("cpu"), "device cpu, chosen by auto: there is no CUDA or MPS device here"
