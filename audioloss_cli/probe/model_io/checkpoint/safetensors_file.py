"""A file of safetensors: its own library checks the header; what shapes claim beyond the bytes is checked here."""

from pathlib import Path
from typing import Any

from torch import Tensor

from audioloss_cli.checkpoints.claims import claimed, most_bytes
from audioloss_cli.probe.errors import UnreadableError

_MOST_BYTES_OF_A_VALUE = 16  # of complex128
_AGAIN = "copy or save it again"


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Its tensors by name, on the CPU, mapped into memory.

    Raises:
        UnreadableError: it is damaged, cut short, or holds what torch has no dtype for.
        OSError: it cannot be read.
        ModuleNotFoundError: the package is not installed.
    """
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415  # needed for these files alone

    size = path.stat().st_size
    if path.is_file() and size == 0:
        raise UnreadableError(f"{path} is empty, so it is damaged or cut short; {_AGAIN}")
    try:
        with safe_open(path, framework="pt", device="cpu") as stored:
            names = list(stored.keys())
            _check_claims(stored, names, size, path)
            return {name: stored.get_tensor(name) for name in names}
    except SafetensorError as error:
        raise UnreadableError(f"{path} is damaged or cut short ({str(error)[:200]}); {_AGAIN}") from error
    except (ValueError, TypeError, AttributeError, RuntimeError, OverflowError, KeyError) as error:
        told = " ".join(str(error).split())[:200]
        raise UnreadableError(f"{path} holds what torch does not read ({told}); save it again") from error


def _check_claims(stored: Any, names: list[str], size: int, path: Path) -> None:
    """The bytes are those that the header says; an axis of length zero leaves the others free to say anything."""
    for name in names:
        shape = stored.get_slice(name).get_shape()
        if 0 in shape and claimed(shape, _MOST_BYTES_OF_A_VALUE) > most_bytes(size):
            raise UnreadableError(f"{path}: {name[:80]!r} claims {str(shape)[:80]} and holds nothing; save it again")
