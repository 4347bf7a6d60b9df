"""Files of torch.save, made of bytes by hand: no torch is asked."""

import pickle
import struct
from collections.abc import Mapping

from tests.fuzz.checkpoints import archives
from tests.fuzz.checkpoints.pickles import tensor, text, whole

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
FLOATS = struct.pack("<4f", 1.0, 2.0, 3.0, 4.0)


def state(
    *names: str, key: str = "0", count: int = 4, size: tuple[int, ...] = (4,), stride: tuple[int, ...] = (1,)
) -> bytes:
    """A dict of tensors that share one storage."""
    return b"}" + b"".join(text(name) + tensor(key, count, size, stride) + b"s" for name in names or ("weight",))


def zipped(value: bytes, storages: Mapping[str, bytes] | None = None, **more: bytes) -> bytes:
    """An archive as torch writes it."""
    data = {f"w/data/{key}": found for key, found in (storages or {"0": FLOATS}).items()}
    return archives.stored({"w/data.pkl": whole(value), **data, "w/version": b"3\n", **more})


def legacy(value: bytes, data: bytes = FLOATS, elements: int = 4) -> bytes:
    """A file as torch wrote it before 1.6."""
    front = [pickle.dumps(each, 2) for each in (MAGIC, VERSION, {"little_endian": True})]
    told = whole(value).replace(b"tQ", b"NtQ")
    return b"".join([*front, told, pickle.dumps(["0"], 2)]) + struct.pack("<q", elements) + data
