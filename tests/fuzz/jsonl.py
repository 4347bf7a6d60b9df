"""Damaged JSON lines: ``python -m tests.fuzz.jsonl [--seconds N] [--seed N] [--inputs N]``.

Each number has a value of its own. What a line holds that Python's json reads must come out, and nothing else but what
once was a row. Beside that, the ways of reading agree, damage that shows is a defect, a file without damage has none,
and neither time nor memory runs away.
"""

import codecs
import gzip
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

from audioloss_cli import ScanConfig, scan
from audioloss_cli.model import Defect, Series, is_missing
from audioloss_cli.readers import jsonl
from audioloss_cli.readers._rows import collector, row_of
from audioloss_cli.readers._rows.steps import choose_step
from audioloss_cli.readers.jsonl import reading, typed  # noqa: F401  # memory is counted from here
from audioloss_cli.storage import lines
from audioloss_cli.storage.log_file import LogFile
from tests.fuzz._damage import cut, delete, flip, insert, zeros
from tests.fuzz._run import Case, Target, main
from tests.storage.zstandard import compress, zstd

Point = tuple[str, bytes]
DECODER = json.JSONDecoder()


class Truth(NamedTuple):
    """What went into a file.

    Attributes:
        points: tags and the bits of their values, of every row that was written.
        text: the lines as they are now, decompressed and in UTF-8; None if nobody can tell.
        broken: whether the stream around them is damaged.
        healthy: whether nothing is wrong.
    """

    points: frozenset[Point]
    text: bytes | None
    broken: bool
    healthy: bool


def points_of(row: dict[str, Any]) -> frozenset[Point]:
    return frozenset((key, struct.pack("<d", value)) for key, value in row_of(1, row).numbers)


def rows_of(source: Random, count: int) -> list[dict[str, Any]]:
    """A log of one or several kinds of rows; no two numbers are equal."""
    value = 0

    def number() -> Any:
        nonlocal value
        value += 1
        plain = source.choice([value + 0.5, value, value / 7, value * 1e-7, value * 1e12])
        kind = source.random()
        if kind < 0.03:
            return source.choice([str(plain), f"tensor({plain})", f"{plain}%", f"np.float32({plain})"])
        return None if kind < 0.05 else float(source.choice(["nan", "inf"])) if kind < 0.06 else plain

    def values(shape: Any) -> Any:
        if isinstance(shape, dict):
            return {key: values(inner) for key, inner in shape.items()}
        return [values(inner) for inner in shape] if isinstance(shape, list) else number() if shape else "text: {a}, b"

    shapes: list[dict[str, Any]] = [
        {"audio_loss": 1, "loss": 1},
        {"audio_loss": 1, "lr": 1, "note": 0},
        {"train": {"audio_loss": 1, "codebooks": [1, 1, 1]}, "lr": 1},
        {"eval_loss": 1},
    ]
    chosen, step = source.sample(shapes, source.randint(1, 3)), source.choice([0, 1000])
    rows = []
    for _ in range(count):
        step += source.choice([1, 1, 10])
        rows.append({"step": step, **values(source.choice(chosen))})
    return rows


def insert_text(source: Random, data: bytes) -> bytes:
    return insert(source, data, [b"\n", b"}", b"{", b'"', b",", b"NaN"])


def join(source: Random, data: bytes) -> bytes:
    """A newline is lost, or stands in another place."""
    places = [at for at, byte in enumerate(data) if byte == 10]
    if not places:
        return data
    at = source.choice(places)
    data = data[:at] + source.choice([b"", b" ", b",", b"\r"]) + data[at + 1 :]
    return insert_newline(source, data) if source.random() < 0.5 else data


def insert_newline(source: Random, data: bytes) -> bytes:
    places = [at for at, byte in enumerate(data) if byte in b",:{}[ "] or [0]
    at = source.choice(places) + source.randint(0, 1)
    return data[:at] + b"\n" + data[at:]


def text_between(source: Random, data: bytes) -> bytes:
    piece = source.choice([b"# started\n", b"\n\n \n", b" 3%|#   | 1/9 [00:10<01:00]\n", b"{'step': 1, 'loss': 2}\n"])
    at = data.find(b"\n", source.randrange(len(data))) + 1
    return data[:at] + piece + data[at:]


DAMAGES: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(flip, flip, delete, insert_text, cut, zeros, join, insert_newline, text_between),
)


def hostile(source: Random) -> Case:
    """Up to a megabyte that is made to take long, or much memory."""
    size = source.choice([1000, 30_000, 1_000_000])
    key = "k" * source.choice([10, 4000, size // 2])
    makers: list[Callable[[], str]] = [
        lambda: '{"a":' * (size // 5),
        lambda: "[" * size,
        lambda: '{"step": 1, "a": ' + "[" * (size // 2) + "]" * (size // 2) + ', "audio_loss": 2.5}',
        lambda: '{"step": 1, "x": ' + "9" * size + ', "audio_loss": 2.5}',
        lambda: '{"%s": {%s}}' % (key, ", ".join(f'"{n}": {n}' for n in range((size - len(key)) // 14))),  # noqa: UP031
        lambda: '{"' + "a/" * (size // 2) + '": 1}',
        lambda: "{" + ", ".join(f'"n{n}": {n}, "x{n}": null' for n in range(size // 24)) + "}",
        lambda: "\n".join(f'{{"k{n}": {n}, "x": null}}' for n in range(size // 24)),
        lambda: "\n".join(f'{{"k": {n}, "x{n}": null}}' for n in range(size // 24)),
        lambda: "{" + ", ".join(f'"lr {n}": {n}' for n in range(size // 15)) + "}",
        lambda: '{"a": [' + "[]," * (size // 3) + "[]]}",
        lambda: "\n" * size,
        lambda: "\n".join('{"step": 1, "loss": {"' for _ in range(size // 22)),
        lambda: '{"step": 1, "loss": {' * (size // 21),
        lambda: "{" + ",".join(f'"{n}":{n}' for n in range(size // 12)) + '}\n{"a": 1}',
        lambda: '{"a": {' + ",".join(f'"{n}":{n}' for n in range(size // 24)) + "}}\n" + '{"a":null}\n' * (size // 22),
        lambda: "\n".join(f'{{"run_name": "r{n}", "step": {n}, "loss": 1}}' for n in range(size // 40)),
    ]
    number = source.randrange(len(makers))
    text = makers[number]().encode() + source.choice([b"", b"\n"])
    return Case("x.jsonl", text, None, f"hostile {number} of {size}")


def make(source: Random) -> Case:
    kind = source.random()
    if kind < 0.002:
        return hostile(source)
    if kind < 0.02:
        return Case("x.jsonl", source.randbytes(source.choice([1, 10, 400])), None, "noise")
    rows = rows_of(source, 1500 if kind < 0.022 else source.choice([1, 3, 10, 25]))
    points = frozenset[Point]().union(*map(points_of, rows))
    newline, made = source.choice([b"\n", b"\n", b"\r\n"]), list[str]()
    clean = newline.join(json.dumps(row).encode() for row in rows) + source.choice([newline, b""])
    data = clean
    for _ in range(source.choice([0, 1, 1, 1, 2, 4])):
        damage = source.choice(DAMAGES)
        data = damage(source, data) if data else data
        made.append(damage.__name__)
    wrapped, text, broken = wrap(source, data, made)
    truth = Truth(points, text, broken, data == clean and text is not None)
    return Case(source.choice(["x.jsonl", "log.jsonl.gz"]), wrapped, truth, "+".join(made) or "healthy")


def wrap(source: Random, data: bytes, made: list[str]) -> tuple[bytes, bytes | None, bool]:
    """The data as they are in most cases; else compressed, in UTF-16, or with a mark, and perhaps damaged."""
    kind = source.random()
    if kind < 0.06:
        return packed(source, data, made)
    if kind < 0.08 and data[:1] not in (b"", b"\0") and data.isascii():
        made.append("utf-16")
        return codecs.BOM_UTF16_LE + data.decode().encode("utf-16-le"), data, False
    return (b"\xef\xbb\xbf" + data if kind < 0.1 else data), data, False


def packed(source: Random, data: bytes, made: list[str]) -> tuple[bytes, bytes | None, bool]:
    """As ``wrap``, of what is compressed."""
    pack, unpack = source.choice([(gzip.compress, gzip.decompress), (compress, zstd.decompress)])
    whole = pack(data)
    made.append("packed")
    if source.random() < 0.4:
        return whole, data, False
    damage = source.choice([flip, delete, cut])
    made.append(f"and {damage.__name__}")
    hurt = damage(source, whole)
    if hurt[:4] != whole[:4]:  # it is no longer told by its first bytes
        return hurt, None, False
    try:
        return hurt, None, unpack(hurt) != data
    except Exception:  # noqa: BLE001  # whatever it is, it shows
        return hurt, None, True


def judge(path: Path, case: Case) -> tuple[list[str], int | None]:
    items = list(jsonl.read(path))
    defects = [item for item in items if isinstance(item, Defect)]
    complaints, code = list[str](), None
    lot = zlib.crc32(case.content) % 4
    if lot == 0 and len(case.content) < 100_000:
        complaints += ways_differ(path)
    if lot == 1 and case.truth is not None:
        report = scan(path, ScanConfig(tags=("*",)))
        code = report.exit_code
        if defects and code == 0 and jsonl.claims(LogFile(path)):
            complaints.append("exit 0 with a defect")
    if isinstance(case.truth, Truth):
        complaints += untrue(case.truth, items, defects)
    return complaints, code


def untrue(truth: Truth, items: list[object], defects: list[Defect]) -> Iterator[str]:
    found = {
        (item.tag, struct.pack("<d", value))
        for item in items
        if isinstance(item, Series)
        for value in item.values
        if not is_missing(value)
    }
    if truth.healthy and defects:
        yield f"a defect in a healthy file: {defects[0].message}"
    if truth.broken and not defects:
        yield "a damaged stream without a defect"
    if len(defects) > 70:
        yield "a flood of defects"
    if truth.text is None:
        return
    held, inside, shows = held_by(truth.text)
    if found - truth.points - held - inside:
        yield f"an invented value: {sorted(found - truth.points - held - inside)[:2]}"
    lost = {(tag, value) for tag, value in held - found if not is_step(tag)}
    if lost:
        yield f"a lost value: {sorted(lost)[:2]}"
    if shows and not defects:
        yield "a silent loss"


def is_step(tag: str) -> bool:
    """Whether the column may be where the steps come from, which is no series."""
    return choose_step([row_of(1, {tag: 1})]).key is not None


def held_by(text: bytes) -> tuple[frozenset[Point], frozenset[Point], bool]:
    """What the lines hold that json reads, what objects in other lines hold, and whether there are such lines."""
    held, inside, shows = set[Point](), set[Point](), False
    for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        try:
            row = json.loads(line.decode())
        except ValueError:
            row = None
        if isinstance(row, dict):
            held |= points_of(row)
        else:
            shows = shows or bool(line.strip())
            inside.update(inside_of(line.decode("utf-8", "replace")))
    return frozenset(held), frozenset(inside), shows


def inside_of(line: str) -> Iterator[Point]:
    at = line.find("{")
    while at >= 0:
        try:
            row, _ = DECODER.raw_decode(line, at)
            yield from points_of(row)
        except ValueError:
            pass
        at = line.find("{", at + 1)


def ways_differ(path: Path) -> Iterator[str]:
    outcomes = []
    for small, chunk in ((1 << 60, 1 << 16), (0, 1 << 16), (0, 300)):
        with (
            patch.object(collector, "_ROWS_TO_LEARN_FROM", 3),
            patch.object(reading, "_LINES_OF_A_SMALL_LOG", small),
            patch.object(lines, "_CHUNK", chunk),
        ):
            outcomes.append(content(jsonl.read(path)))
    if outcomes[1] != outcomes[0]:
        yield "the typed reader finds another content than the specification"
    if outcomes[2] != outcomes[0]:
        yield "small blocks hold another content than large ones"


def content(items: Iterator[object]) -> object:
    series: dict[tuple[str, str], list[Series]] = {}
    defects = list[Defect]()
    for item in items:
        if isinstance(item, Series):
            series.setdefault((item.run, item.tag), []).append(item)
        elif isinstance(item, Defect):
            defects.append(item)
    whole = {key: Series.join(parts) for key, parts in series.items()}
    return {key: (list(one.steps), bytes(memoryview(one.values))) for key, one in whole.items()}, defects  # type: ignore[arg-type]


def warm_up() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        for number in range(60):
            case = make(Random(number))
            path = Path(directory) / case.name
            path.write_bytes(case.content)
            judge(path, case)


TARGET = Target(make, judge, warm_up, command=lambda path: ["scan", str(path), "--tag", "*"], every=3000)

if __name__ == "__main__":
    raise SystemExit(main(TARGET, "jsonl"))
