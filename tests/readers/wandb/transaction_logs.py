"""Transaction logs of W&B, byte by byte, where the real writer would not write what a test needs."""

import json
import random
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from zlib import crc32

HEADER = b":W&B\xe1\xbe\x00"
BLOCK = 1 << 15


def varint(number: int) -> bytes:
    parts = []
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def item(name: str | list[str], text: str) -> bytes:
    """A string is written as releases before 0.18 write a name, a list as later ones do."""
    parts = [field(1, name.encode())] if isinstance(name, str) else [field(2, part.encode()) for part in name]
    return field(1, b"".join(parts) + field(16, text.encode()))


def history(number: int, items: Iterable[bytes], step: int | None = None) -> bytes:
    """One record; the step beside the items is left out where it is None."""
    beside = b"" if step is None else field(2, b"\x08" + varint(step) if step else b"")
    return b"\x08" + varint(number) + field(2, b"".join(items) + beside)


def row(number: int, values: Mapping[str, Any], rng: random.Random | None = None) -> bytes:
    """One record with the values as ``json.dumps`` spells them, shuffled as wandb-core does if there is ``rng``."""
    items = [item([name], json.dumps(value)) for name, value in values.items()]
    if rng is not None:
        rng.shuffle(items)
    return history(number, items, values["_step"])


def chunk(kind: int, content: bytes) -> bytes:
    return struct.pack("<IHB", crc32(bytes([kind]) + content), len(content), kind) + content


def log(records: Iterable[bytes]) -> bytes:
    """A whole file."""
    out = bytearray(HEADER)
    for record in records:
        kinds, rest = (1, 2), record
        while True:
            left = BLOCK - len(out) % BLOCK
            if left < 7:
                out += bytes(left)
                left = BLOCK
            content, rest = rest[: left - 7], rest[left - 7 :]
            out += chunk(kinds[bool(rest)], content)
            kinds = (4, 3)
            if not rest:
                break
    return bytes(out)


def write(path: Path, records: Iterable[bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(log(records))
    return path


def rows(count: int, *, start: int = 0, seed: int | None = None) -> list[bytes]:
    rng = None if seed is None else random.Random(seed)
    return [
        row(step + 2, {"audio_loss": 1 + step / 4, "lr": 0.5, "_step": step, "_timestamp": 1.7e9 + step}, rng)
        for step in range(start, start + count)
    ]


def healthy_log() -> bytes:
    """Names of both kinds, NaN, null, text, a nested name, a histogram, another record, steps that go back."""
    records = [b"\x08\x01" + field(17, field(1, b"k3x8a2q1"))]
    for number, step in enumerate([*range(1, 20), *range(15, 25)], 2):
        values = {"audio_loss": step + 0.5, "lr": 0.1, "_timestamp": 1.7e9 + step, "nan": float("nan")}
        values |= {"er": None if step == 9 else 0.25, "note": "x"} if step % 3 else {}
        items = [item([name], json.dumps(value)) for name, value in values.items()]
        items += [item(["train", "grad_norm"], "2"), item("_step", str(step))]
        items += [item(["h", "_type"], '"histogram"'), item(["h", "bins"], "[1, 2]")] if step == 7 else []
        records.append(history(number, items, step))
    return log(records)
