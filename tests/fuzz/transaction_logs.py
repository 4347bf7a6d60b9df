"""``python -m tests.fuzz.transaction_logs [--seconds N] [--seed S [--only N]]``: damaged and hostile logs of W&B.

A log of rows, of which each value is known, is damaged: bytes flipped, cut out, put in, copied from elsewhere, blocks
swapped, the end cut off. What is read must have been logged, what is lost must be told, and a row whose bytes are all
where they were must be read.
"""

import json
import random
import sys
from pathlib import Path
from typing import NamedTuple

from audioloss_cli import registry
from audioloss_cli.model import Defect
from tests.fuzz._run import Case, Target, main
from tests.readers.wandb.transaction_logs import BLOCK, HEADER, chunk, field, history, item, log

READER = registry.load("readers", "wandb")
NAMES = ("audio_loss", "train/text_loss", "lr", "grad_norm", "codebook_0_loss")


class Truth(NamedTuple):
    """What was logged: numbers by tag and step, and where each row lies if its bytes were not moved."""

    numbers: dict[tuple[str, int], str]
    rows: list[tuple[int, range]]
    whole: bytes
    moved: bool


def make(rng: random.Random) -> Case:
    """One log and what was done to it; one in five is hostile instead."""
    if rng.random() < 0.2:
        return Case("run-x.wandb", _hostile(rng), None, "hostile")
    records, numbers, steps = list[bytes](), dict[tuple[str, int], str](), list[int]()
    for step in range(rng.choice([3, 40, 300, 900])):
        if rng.random() < 0.2:
            records.append(b"\x08\x01" + field(rng.choice([3, 7, 13, 17]), rng.randbytes(rng.choice([5, 400]))))
        values = {name: rng.random() for name in rng.sample(NAMES, rng.randint(1, 5))}
        records.append(_row(step, values, rng))
        steps.append(len(records) - 1)
        numbers |= {(name, step): repr(value) for name, value in values.items()}
    content, places = log(records), list[tuple[int, range]]()
    at = 0
    for step, index in enumerate(steps):
        found = content.find(records[index], at)
        if found >= 0:  # but for those that a block divides
            places.append((step, range(found - 7, found + len(records[index]))))
            at = found
    damaged, made, moved = bytearray(content), list[str](), False
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        what, moves = _damage(damaged, rng)
        made.append(what)
        moved |= moves
    return Case("run-x.wandb", bytes(damaged), Truth(numbers, places, content, moved), ", ".join(made))


def _row(step: int, values: dict[str, float], rng: random.Random) -> bytes:
    named = {**values, "_step": step, "_timestamp": 1.7e9 + step}
    keyed = rng.random() < 0.3
    items = [item(name if keyed else [name], json.dumps(value)) for name, value in named.items()]
    rng.shuffle(items)
    return history(step, items, rng.choice([None, step]))


def _damage(content: bytearray, rng: random.Random) -> tuple[str, bool]:
    """Damage the bytes; return how, and whether bytes behind the place were moved."""
    at, size = rng.randrange(len(content)), rng.choice([1, 1, 7, 40, 300, BLOCK])
    kind = rng.choice(["flip", "zeros", "noise", "cut out", "put in", "copy", "swap", "cut off"])
    if kind == "flip":
        content[at] ^= 1 << rng.randrange(8)
    elif kind in ("zeros", "noise"):
        end = min(at + size, len(content))
        content[at:end] = bytes(end - at) if kind == "zeros" else rng.randbytes(end - at)
    elif kind == "cut out":
        del content[at : at + size]
    elif kind == "put in":
        content[at:at] = rng.randbytes(size)
    elif kind == "copy":
        start = rng.randrange(len(content))
        content[at:at] = content[start : start + size]
    elif kind == "swap":
        one, other = sorted(rng.randrange(len(content) // BLOCK + 1) * BLOCK for _ in range(2))
        content[one : one + BLOCK], content[other : other + BLOCK] = (
            content[other : other + BLOCK],
            content[one : one + BLOCK],
        )
    else:
        del content[at:]
    if not content:
        content += HEADER
    return f"{kind} {size} at {at}", kind not in ("flip", "zeros", "noise")


def _hostile(rng: random.Random) -> bytes:
    """Well-framed records, and bytes that are none, of up to a megabyte."""
    size = rng.choice([10, 1000, 100_000, 1_000_000])
    choice = rng.randrange(6)
    if choice == 0:
        return HEADER + (rng.randbytes(rng.randint(1, 9)) * size)[:size]
    if choice == 1:
        return HEADER + b"".join(chunk(rng.randint(0, 5), rng.randbytes(rng.randint(0, 40))) for _ in range(size // 40))
    if choice == 2:
        return log([rng.randbytes(rng.randint(1, 200)) for _ in range(size // 100)])
    name = rng.choice(
        [["loss"], ["a"] * rng.randint(1, 900), "x" * rng.choice([3, 4097, size // 4]), ["h", "_type"], ""]
    )
    text = rng.choice(
        ['"x"', "null", "[" * size, '{"a":' * (size // 5), "9" * size, "[1," * (size // 3) + "1]", "1e999"]
    )
    rows = [history(1, [item(name, text)], 1)] * rng.choice([1, 3, 50] if len(text) < 1000 else [1])
    if choice == 3:
        return log(rows)
    if choice == 4:
        return log([history(n, [item(f"k{rng.randrange(size)}", "1") for _ in range(size // 40)], n) for n in range(2)])
    broken = bytearray(rows[0])
    broken[rng.randrange(min(len(broken), 40))] ^= 1 << rng.randrange(8)
    return log([*rows[:2], bytes(broken), *rows[:2]])


def judge(path: Path, case: Case) -> tuple[list[str], int | None]:
    """Compare what is read with what was logged."""
    read, defects, complaints = dict[tuple[str, int], str](), list[Defect](), list[str]()
    for found in READER.read(path):
        if isinstance(found, Defect):
            defects.append(found)
            if not 0 <= (found.offset or 0) <= len(case.content):
                complaints.append(f"a defect beyond the file: {found}")
        else:
            pairs = zip(found.steps, found.values, strict=True)
            read |= {(found.tag, step): repr(value) for step, value in pairs}
    truth = case.truth
    if not isinstance(truth, Truth):
        return complaints, None
    own = {key: value for key, value in read.items() if key[0] not in ("_timestamp", "_runtime")}
    complaints += [f"never logged: {key} {own[key]}" for key in own if truth.numbers.get(key) != own[key]][:3]
    lost = truth.numbers.keys() - own.keys()
    # A log that ends where a record ends is whole.
    if lost and not defects and not truth.whole.startswith(case.content):
        complaints.append(f"lost without a word: {len(lost)} points")
    if not truth.moved:
        intact = {step for step, place in truth.rows if _same(truth.whole, case.content, place)}
        missing = {step for _, step in lost} & intact
        complaints += [f"intact and not read: step {min(missing)}"] if missing else []
    return complaints, None


def _same(whole: bytes, content: bytes, place: range) -> bool:
    return whole[place.start : place.stop] == content[place.start : place.stop]


def warm_up() -> None:
    """Import what reading imports."""
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "run-x.wandb")
        path.write_bytes(log([_row(step, {"loss": 1.5}, random.Random(0)) for step in range(3)]))
        list(READER.read(path))


TARGET = Target(make, judge, warm_up, lambda path: ["scan", str(path), "--allow-defects"])

if __name__ == "__main__":
    sys.exit(main(TARGET, "transaction_logs"))
