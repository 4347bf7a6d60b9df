"""The reader by the array gives, to the last bit, what the slow path gives, and does most of the work."""

import gzip
import json
import math
import random
import struct
import subprocess
import sys

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli.readers.jsonl import fast
from audioloss_cli.readers.jsonl.arrays import windows
from audioloss_cli.readers.jsonl.learnt import Learnt
from audioloss_cli.readers.jsonl.rows import Row
from audioloss_cli.records import Request
from tests.effort import examples, exhaustive
from tests.readers.jsonl.test_fast import read

SLOWLY = settings(
    max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def left_to_others(path, monkeypatch, **options) -> int:
    """How many lines are not read by the array."""
    count = 0
    by_the_line = fast.Fast._by_the_line

    def counted(self, block, first, last):
        nonlocal count
        count += last - first
        return by_the_line(self, block, first, last)

    with monkeypatch.context() as patch:
        patch.setattr(fast.Fast, "_by_the_line", counted)
        read(path, arrays=True, **options)
    return count


def same(path, **options) -> bool:
    """Whether both ways give the same, however the file is cut into blocks."""
    slow = read(path, slow=True, **options)
    return all(read(path, arrays=True, chunk=chunk, **options) == slow for chunk in (300, 1 << 12, 1 << 16))


def bits(value: int) -> float:
    return struct.unpack("<d", struct.pack("<Q", value))[0]


TEXTS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(0, (1 << 63) - 1).map(bits).filter(math.isfinite).map(repr),
    st.floats(0, 10).map(repr),
    st.floats(-1e-3, 1e-3).map(repr),
    st.tuples(st.floats(0, 100), st.integers(0, 22)).map(lambda pair: f"{pair[0]:.{pair[1]}f}"),
    st.integers(-(10**24), 10**24).map(str),
    st.integers(0, 300).map(str),
    st.from_regex(r"-?\d{1,18}(\.\d{1,18})?(e-\d\d)?", fullmatch=True),
    # next to the middle between two float64: the exact value decides
    st.integers(1 << 52, (1 << 53) - 1).map(lambda whole: f"{2 * whole + 1}" + "0" * (whole % 3)),
    st.sampled_from(
        ["0", "-0", "-0.0", "0.0", "0e-00", "-0e-05", "9007199254740993", "1e-07", "5e-324", "0.30000000000000004"]
    ),
)


@SLOWLY
@given(numbers=st.lists(TEXTS, min_size=5, max_size=40), steps=st.booleans())
def test_numbers_are_read_to_the_same_bits(tmp_path, numbers, steps):
    path = tmp_path / "x.jsonl"
    rows = (
        f'{{"step": {number if steps else step}, "loss": {number}, "x": {number}}}\n'
        for step, number in enumerate([1, 2, 3, 4, *numbers])
    )
    path.write_text("".join(rows))
    assert same(path)


def log(rows, separators=(", ", ": ")) -> bytes:
    return b"".join(json.dumps(row, separators=separators).encode() + b"\n" for row in rows)


def healthy(count, seed=0):
    draw = random.Random(seed)
    return [
        {
            "step": step,
            "loss": round(draw.uniform(0, 20), 5),
            "audio/loss": draw.uniform(2, 4),
            "lr": draw.uniform(0, 1e-5),
            "delta": draw.gauss(0, 1),
        }
        for step in range(count)
    ]


LOGS = {
    "plain": healthy(2000),
    "nested": [
        {"step": row["step"], "audio": {"loss": row["loss"], "er": 3}, "lr": row["lr"]} for row in healthy(2000)
    ],
    "lists": [{"step": row["step"], "audio": [row["loss"], row["delta"], 2], "x": 1.5} for row in healthy(2000)],
    "texts": [{"split": "train: a, b", **row, "done": False, "note": None} for row in healthy(2000)],
    "dates": [{**row, "time": 1.7e9 + row["step"], "took": row["step"] / 7} for row in healthy(2000)],
    "milliseconds": [{**row, "timestamp": 1_700_000_000_000 + row["step"]} for row in healthy(2000)],
    "epochs": [{"epoch": row["step"] // 100, "loss": row["loss"]} for row in healthy(2000)],
    "no steps": [{"loss": row["loss"]} for row in healthy(2000)],
    "steps that are floats": [{**row, "step": float(row["step"])} for row in healthy(2000)],
    "long keys": [{"step": row["step"], "a" * 100: row["loss"], "b" * 7: row["delta"]} for row in healthy(2000)],
}


@pytest.mark.parametrize("name", LOGS)
@pytest.mark.parametrize("separators", [(", ", ": "), *exhaustive((",", ":"))])
def test_logs_of_one_kind_are_read_by_it(name, separators, tmp_path, monkeypatch):
    path = tmp_path / "x.jsonl"
    path.write_bytes(log(LOGS[name], separators))
    assert same(path)
    assert left_to_others(path, monkeypatch, chunk=1 << 11) < 300  # the first blocks aside


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_compressed_logs_are_read_by_it(pack, tmp_path, monkeypatch):
    path = tmp_path / "x.jsonl"
    path.write_bytes(pack(log(LOGS["plain"])))
    assert same(path)
    assert left_to_others(path, monkeypatch, chunk=1 << 12) < 300


@pytest.mark.parametrize("newline", [b"\r\n", b" \n"])
def test_line_ends_do_not_matter(newline, tmp_path, monkeypatch):
    path = tmp_path / "x.jsonl"
    path.write_bytes(log(LOGS["plain"]).replace(b"\n", newline))
    assert same(path)
    assert left_to_others(path, monkeypatch, chunk=1 << 12) < 300


ODD_NUMBERS = [
    *("5.5", "5.0", "9007199254740993", "9223372036854775808", "18446744073709551617", "100000000000000000000005"),
    *(
        "01",
        "-01",
        "00.5",
        ".5",
        "-.5",
        "5.",
        "1.e-05",
        ".e-05",
        "e-05",
        "-",
        "",
        "+1",
        "--1",
        "1-",
        "1.2.3",
        "1..2",
        "1e-5.5",
    ),
    *(
        "1e5",
        "1E-05",
        "1e-005",
        "1e-5",
        "1e+16",
        "1e-0a",
        "1;",
        ";1",
        "1:",
        ":",
        "1.:",
        "1 2",
        " 1",
        "1 ",
        "0x1",
        "1_0",
        "1,2",
    ),
    *(
        "1\x002",
        "1\n2",
        "\xb12",
        "NaN",
        "-Infinity",
        "nan",
        "null",
        "true",
        '"1.5"',
        '"x"',
        "[1]",
        "{}",
        '{"a": 1}',
        "1e400",
    ),
    *("123456789012345678901234567890", "0." + "0" * 40 + "1", "9" * 400, "-0", "1}", "1}\n{", '1, "loss": 2', "1]"),
]


@pytest.mark.parametrize("odd", ODD_NUMBERS)
@pytest.mark.parametrize("key", ["step", "loss", *exhaustive("audio/loss", "lr", "delta")])
def test_what_is_no_usual_number_is_read_as_the_slow_path_reads_it(odd, key, tmp_path):
    lines = [json.dumps(row) for row in healthy(300)]
    for at in (77, 78, 200, 299):
        row = healthy(300)[at]
        lines[at] = lines[at].replace(f'"{key}": {row[key]!r}', f'"{key}": {odd}')
    path = tmp_path / "x.jsonl"
    path.write_bytes("\n".join(lines).encode("latin-1") + b"\n")
    assert same(path)


ODD_LINES = [
    *(
        b"",
        b" ",
        b"7}",
        b"x7}",
        b"5}\n6}",
        b"{}",
        b"null",
        b"[]",
        b'{"step": 5}',
        b'"a": 1}',
        b"\0\0\0",
        b"\xef\xbb\xbf{}",
    ),
    *(b'{"step": 5, "loss": 1.5', b'{"step": 1}{"step": 2}', b'{"loss": 2, "step": 1}', b'{"step": 1, "loss": 2}x'),
    *(b'{"step": 1, "lost": 2}', b'{"step": 1, "loss"; 2}', b'{"step": 1, "loss": 2]', b'{"step": 1, "loss":  2}'),
    *(b'{"step": 1, "loss": 2, "loss": 3}', b'{"step": 1, "loss": 2, "new": 3}', b'{"step": 1,, "loss": 2}'),
]


# Places of an odd line, and sizes of blocks.
SOME, ALL = ((42, 119), (109, 1 << 16)), ((40, 41, 42, 43, 119), (*range(100, 140, 3), 1 << 16))


@pytest.mark.parametrize("odd", ODD_LINES)
@pytest.mark.parametrize("tried", [SOME, *exhaustive(ALL)], ids=["some", "all"])
def test_an_odd_line_is_left_to_the_slow_path_wherever_it_is(odd, tried, tmp_path):
    usual = [b'{"step": %d, "loss": %d.5}' % (step, step % 10) for step in range(120)]
    path = tmp_path / "x.jsonl"
    places, chunks = tried
    for at in places:
        for end in (b"\n", b""):
            path.write_bytes(b"\n".join([*usual[:at], odd, *usual[at:]]) + end)
            slow = read(path, slow=True)
            for chunk in chunks:
                assert read(path, arrays=True, chunk=chunk) == slow


@pytest.mark.parametrize("bytes_changed", [120, *exhaustive(1200)])
def test_a_changed_byte_is_never_overlooked(bytes_changed, tmp_path):
    content = log(healthy(40))
    draw = random.Random(1)
    path = tmp_path / "x.jsonl"
    for at in range(len(content) - bytes_changed, len(content)):
        changed = bytearray(content)
        changed[at] = draw.choice(b'0123456789.,:;eE+-"{}[] \n\x00\x80\xff')
        path.write_bytes(changed)
        assert read(path, arrays=True, chunk=1 << 12) == read(path, slow=True)


def test_lines_of_another_kind_cost_only_themselves_the_array(tmp_path, monkeypatch):
    rows = healthy(3000)
    for at in range(50, 3000, 100):
        rows[at] = {"step": at, "eval_loss": 1.5}
        rows[at + 25] = {**rows[at + 25], "loss": None}
        rows[at + 40] = {**rows[at + 40], "loss": 123456.123456789012345678}
    path = tmp_path / "x.jsonl"
    path.write_bytes(log(rows))
    assert same(path)
    assert left_to_others(path, monkeypatch, chunk=1 << 13) < 600


def test_it_is_given_up_where_no_two_lines_are_alike(tmp_path, monkeypatch):
    tried = []
    attempt = windows.Windows.read
    monkeypatch.setattr(windows.Windows, "read", lambda self, block: tried.append(1) or attempt(self, block))
    rows = [{"step": step, "loss": 1.5} for step in range(300)]
    rows += [{"step": step, f"key {step}": 1.5} for step in range(300, 6000)]
    path = tmp_path / "x.jsonl"
    path.write_bytes(log(rows))
    assert same(path)
    tried.clear()
    with monkeypatch.context() as patch:
        patch.setattr("tests.readers.jsonl.test_fast.LONGEST_PAUSE", 64)
        read(path, arrays=True, chunk=1000)  # some 200 blocks
    assert len(tried) < 40


def test_only_what_is_wanted_comes_with_points(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(log(LOGS["plain"]))
    for wanted in ({"loss"}, {"lr", "delta"}, {"step"}, set[str]()):
        request = Request(wanted=wanted.__contains__)
        assert read(path, request, arrays=True, chunk=1 << 13) == read(path, request, slow=True)


PROGRAM = """
import sys
from pathlib import Path
from audioloss_cli.readers import jsonl
print(sum(len(item) for item in jsonl.read(Path(sys.argv[1]))), "numpy" in sys.modules)
"""


def test_a_log_that_is_not_large_is_read_without_numpy(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(log(healthy(5000)))
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["20000", "False"]


@pytest.mark.parametrize("short", ['{"a":1,"b":2}', *exhaustive('{"a":1}', '{"a":1,"b":2,"c":3}')])
@pytest.mark.parametrize("every", [100, *exhaustive(399)])
def test_short_lines_whose_markers_are_too_close_to_count(short, every, tmp_path):
    noise = random.Random(1)
    lines = [
        short if step % every == 0 else f'{{"step": {step}, "audio_loss": {noise.uniform(2, 6):.5f}}}'
        for step in range(1, 60_000)
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(lines) + "\n")
    slow = read(path, slow=True)
    assert all(read(path, arrays=True, chunk=chunk) == slow for chunk in (1 << 16, 1 << 20))


def test_many_keys_do_not_teach_of_each_other():
    """What is kept of the keys of a row grows with their number, not with its square."""
    keys = ["lr", *(f"loss_{number}" for number in range(2000))]
    learnt = Learnt()
    learnt.learn(Row(1, [(key, 3.5) for key in keys], [], [], math.nan), 1)
    assert learnt.size < 5 * len(keys)
    assert learnt.missing(Row(2, [("lr", 0.1)], ["loss_7"], ["loss_7"], math.nan)) == ["loss_7"]
    assert learnt.missing(Row(2, [], ["lr", "loss_7"], ["lr", "loss_7"], math.nan)) == []  # a row of another kind
