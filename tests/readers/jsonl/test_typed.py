"""The typed reader gives, to the last bit, what the specification (line by line) gives, and does most of the work."""

import gzip
import json
from array import array

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli.model import EVERYTHING, Cursor, Defect, ReadOptions, Series, is_missing
from audioloss_cli.readers import jsonl as reader
from audioloss_cli.readers._rows import collector
from audioloss_cli.readers.jsonl import reading, row_type, rows, typed
from audioloss_cli.storage import lines
from tests.effort import examples
from tests.storage.zstandard import compress

NEVER = 1 << 60
TINY = [1, 7, 64, 500, 1 << 16]


def in_bits(items) -> tuple[list[object], list[Defect], list[Cursor]]:
    """Whole series in the order in which they begin, the defects, and the marks."""
    chunks: dict[tuple[str, str], list[Series]] = {}
    for item in items:
        if isinstance(item, Series):
            chunks.setdefault((item.run, item.tag), []).append(item)
    whole = [
        (tag, part.step_source, *(array(code, column).tobytes() for code, column in columns))
        for tag, parts in chunks.items()
        for part in [Series.join(parts)]
        for columns in [(("q", part.steps), ("d", part.values), ("d", part.wall_times))]
    ]
    return (
        whole,
        [item for item in items if isinstance(item, Defect)],
        [item for item in items if isinstance(item, Cursor)],
    )


def read_series(path, *, slow: bool) -> list[Series]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_LINES_OF_A_SMALL_LOG", NEVER if slow else 0)
        return [item for item in reader.read(path) if isinstance(item, Series)]


def read(path, request=EVERYTHING, *, slow=False, chunk=1 << 16, rows_to_learn_from=3, words_after=2):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collector, "_ROWS_TO_LEARN_FROM", rows_to_learn_from)
        patch.setattr(reading, "_LINES_OF_A_SMALL_LOG", NEVER if slow else 0)
        patch.setattr(typed, "_ROWS_FOR_WORDS", words_after)
        patch.setattr(lines, "_CHUNK", chunk)
        return in_bits(list(reader.read(path, request)))


def slow_lines(path, monkeypatch, **options) -> int:
    """How many lines the fast path leaves to the slow one."""
    count = 0
    parse = rows.RowParser.parse

    def counted(self, line):
        nonlocal count
        count += 1
        return parse(self, line)

    monkeypatch.setattr(rows.RowParser, "parse", counted)
    read(path, **options)
    return count


FLOATS = st.floats() | st.floats(0, 10).map(lambda value: round(value, 4)) | st.sampled_from([-0.0, 5e-324, 1e308])
INTS = st.integers(-5, 5) | st.integers(-(2**70), 2**70) | st.sampled_from([10**400, -(10**310), 2**53 + 1, 0])
SPELLED = st.sampled_from(["1.5", "nan", "-inf", " 7 ", "3/9", "Infinity", "1e5", "-0.0"])
TEXTS = SPELLED | st.sampled_from(
    [
        "train",
        "",
        "2024-05-06T07:08:09",
        "2024-05-06 07:08:09.123+02:00",
        "ünï\u2028",
        "\x7f",
        "a: NaN, b",
        "[-Infinity]",
        ", NaN,",
    ]
)
DATES = st.floats(1.6e9, 1.8e9) | st.integers(1_600_000_000_000, 1_700_000_000_000) | st.integers(10**15, 2 * 10**15)
ODD = st.none() | st.booleans() | TEXTS | INTS | FLOATS | st.just({}) | st.just([]) | st.just([[1], {"x": None}])
KEYS = [
    "step",
    "loss",
    "audio/loss",
    "audio",
    "eval_loss",
    "lr",
    "epoch",
    "note",
    "time",
    "timestamp",
    "wall_time",
    "e\u0301",
]
VALUES = {
    "step": st.integers(0, 30),
    "note": TEXTS,
    "time": DATES | FLOATS,
    "timestamp": DATES | TEXTS,
    "wall_time": DATES,
}
LEAVES = {key: VALUES.get(key, st.floats(0, 10)) for key in KEYS}


@st.composite
def kinds(draw):
    """The keys of a kind of row, and what strategies its values come from."""
    fields = {}
    for key in draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=6, unique=True)):
        value = LEAVES[key]
        if draw(st.integers(0, 5)) == 0:
            value = st.none() | value if draw(st.booleans()) else st.none()
        elif key == "audio":
            value = st.lists(value, min_size=3, max_size=3) | st.fixed_dictionaries(
                {"loss": value, "er": st.integers(0, 9)}
            )
        fields[key] = draw(st.sampled_from([value, INTS, FLOATS, SPELLED])) if draw(st.integers(0, 7)) == 0 else value
    return st.fixed_dictionaries(fields)


def written(row: dict[str, object], style: int) -> bytes:
    separators = [(", ", ": "), (",", ":"), (" ,  ", ":\t")][style % 3]
    return json.dumps(row, separators=separators, ensure_ascii=style % 2 == 0).encode("utf-8", "surrogatepass")


@st.composite
def logs(draw):
    """Rows of a few kinds, mostly in runs, with odd ones between them, and odd lines."""
    found = draw(st.lists(kinds(), min_size=1, max_size=3))
    style = draw(st.integers(0, 5))
    out = []
    for kind in draw(st.lists(st.sampled_from(found), min_size=1, max_size=8)):
        for row in draw(st.lists(kind, min_size=1, max_size=6)):
            if draw(st.integers(0, 9)) == 0:
                row[draw(st.sampled_from([*KEYS, "new"]))] = draw(ODD)
            line = written(row, style)
            odd = draw(st.integers(0, 39))
            if odd == 0:
                line = draw(st.sampled_from([b"", b" \t", b"\x0c", b"[]", b"7", b"{}", b"null", b'{"a":1}{"b":2}']))
            elif odd == 4:
                line = draw(st.sampled_from([b"7}", b"x7}", b"5}\n6}"]))
            elif odd == 1:
                line = (
                    line[:-1] + b', "loss": ' + draw(st.sampled_from([b"1", b"null", b"-0", b"NaN", b"1e400"])) + b"}"
                )
            elif odd == 2:
                line = line[:1] + b'"loss": 3, ' + line[1:]
            elif odd == 3:
                line = (
                    draw(st.sampled_from([b"\xef\xbb\xbf", b"\0\0", b" "]))
                    + line
                    + draw(st.sampled_from([b" ", b"\0", b"x"]))
                )
            out.append(line)
    newline = draw(st.sampled_from([b"\n", b"\n", b"\r\n"]))
    return newline.join(out) + draw(st.sampled_from([newline, b""]))


@st.composite
def damaged(draw):
    data = bytearray(draw(logs()))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 6))] = draw(
            st.binary(max_size=3) | st.sampled_from([b"\n", b"}", b'"', b"e5", b"-0"])
        )
    return bytes(data)


WANTED = st.none() | st.sets(st.sampled_from(["loss", "audio/loss", "audio/0", "eval_loss", "note", "lr", "step"]))


@settings(max_examples=examples(400), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    content=damaged(),
    wanted=WANTED,
    chunk=st.sampled_from(TINY),
    first=st.sampled_from([1, 3, 10]),
)
def test_the_fast_path_gives_what_the_slow_path_gives(tmp_path, content, wanted, chunk, first):
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    request = ReadOptions(wanted=None if wanted is None else wanted.__contains__)
    slow = read(path, request, slow=True, rows_to_learn_from=first)
    assert read(path, request, chunk=chunk, rows_to_learn_from=first) == slow


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    number=st.from_regex(r"-?\d{1,25}(\.\d{1,25})?([eE][+-]?\d{1,3})?", fullmatch=True)
    | st.text("0123456789.eE+-", min_size=1, max_size=9)
)
def test_numbers_are_read_to_the_same_bits(tmp_path, number):
    path = tmp_path / "x.jsonl"
    first = '{"step": 1, "loss": 2.0}\n' * 6
    path.write_text(f'{first}{{"step": 2, "loss": {number}}}\n{{"step": {number}, "loss": 3}}\n{first}')
    assert read(path) == read(path, slow=True)


LOG = [{"step": step, "loss": step / 7, "lr": 0.1, "tokens": step * 10, "at": 1.7e9 + step} for step in range(3000)]


@pytest.mark.parametrize("odd", ["new", "7", None, 7.5, "tensor(3.2)"])
def test_a_text_that_was_none_of_the_few_before_is_seen(odd, jsonl):
    log = [{**row, "note": odd if row["step"] > 2000 and row["step"] % 5 == 0 else "x"} for row in LOG]
    assert read(jsonl(*log), chunk=1 << 12) == read(jsonl(*log), slow=True)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, compress])
def test_a_long_log_is_read_by_the_typed_decoder(pack, tmp_path, monkeypatch):
    path = tmp_path / "x.jsonl"
    path.write_bytes(pack("".join(json.dumps(row) + "\n" for row in LOG).encode()))
    assert slow_lines(path, monkeypatch, chunk=1 << 12) < 100


@pytest.mark.parametrize(
    "odd",
    [
        {"eval_loss": 1.0, "step": 7},
        {"step": 7, "loss": None, "lr": 0.1, "tokens": 1, "at": 1.7e9},
        {"step": 8, "loss": [1.0, 2.0, None], "deep": {"er": 1, "text": "x"}},
        {"loss": "1.5", "timestamp": "2024-05-06T07:08:09"},
        {"step": 9, "loss": 1.0, "time": 1.7e12},
    ],
)
def test_kinds_of_rows_that_alternate_are_all_read_by_it(odd, jsonl, monkeypatch):
    path = jsonl(*(odd if row["step"] % 3 == 0 else row for row in LOG))
    assert read(path) == read(path, slow=True)
    assert slow_lines(path, monkeypatch, chunk=1 << 12) < 150


def test_an_odd_text_costs_only_its_own_line_the_fast_path(jsonl, monkeypatch):
    log = [{**row, "note": "7" if row["step"] == 2000 else "x"} for row in LOG]
    assert read(jsonl(*log)) == read(jsonl(*log), slow=True)
    assert slow_lines(jsonl(*log), monkeypatch, chunk=1 << 12) < 100


def test_few_decoders_are_built_for_a_log_of_which_no_line_is_like_another(jsonl, monkeypatch):
    built = []
    monkeypatch.setattr(typed, "RowType", lambda *args: built.append(1) or row_type.RowType(*args))
    path = jsonl(*({"step": row["step"], f"key {row['step'] // 2}": 1.0} for row in LOG))
    assert read(path) == read(path, slow=True)
    assert len(built) <= 256


def test_a_small_log_is_read_without_the_typed_decoder(jsonl, monkeypatch):
    monkeypatch.setattr(typed, "TypedReader", None)
    assert len(in_bits(list(reader.read(jsonl(*LOG[:900]))))[0]) == 4


def split_reading(path, content: bytes, cut: int, first: int, **options):
    """Both parts of a file that grew, or None if the first part gives no mark."""
    path.write_bytes(content[:cut])
    whole, defects, marks = read(path, ReadOptions(mark=True), rows_to_learn_from=first, **options)
    if not marks:
        return None
    (mark,) = marks
    mark = Cursor(mark.offset, json.loads(json.dumps(mark.state)))
    path.write_bytes(content)
    more, more_defects, _ = read(path, ReadOptions(since=mark), rows_to_learn_from=first, **options)
    columns: dict[str, list[object]] = {tag: [tag, source, *columns] for tag, source, *columns in whole}
    for tag, source, *rest in more:
        known = columns.setdefault(tag, [tag, source, b"", b"", b""])
        assert known[1] == source
        known[2:] = [before + after for before, after in zip(known[2:], rest, strict=True)]
    return {tag: tuple(column) for tag, column in columns.items()}, defects + more_defects


@settings(max_examples=examples(400), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    content=damaged(),
    at=st.integers(0, 60),
    chunk=st.sampled_from(TINY),
    way=st.sampled_from([{"slow": True}, {}]),
    first=st.sampled_from([1, 3]),
)
def test_a_file_read_in_two_parts_is_as_the_whole(tmp_path, content, at, chunk, way, first):
    newlines = [index + 1 for index, byte in enumerate(content) if byte == 10]
    if not newlines:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "LINES_TO_LEARN_FROM", 0)  # or no mark could be made before line 100
        patch.setattr(reading, "LINES_TO_LEARN_FROM", 0)
        parts = split_reading(tmp_path / "x", content, newlines[at % len(newlines)], first, chunk=chunk, **way)
        whole, defects, _ = read(tmp_path / "x", slow=True, rows_to_learn_from=first)
    if parts is not None:
        assert parts == ({item[0]: item for item in whole}, defects)


def test_a_grown_file_is_read_from_its_mark_on(jsonl, monkeypatch):
    content = jsonl(*LOG).read_bytes()
    cut = content.index(b"\n", len(content) // 2) + 1
    path = jsonl(*LOG)
    parts = split_reading(path, content, cut, 1000)
    assert parts is not None
    assert parts[0] == {item[0]: item for item in read(path, slow=True)[0]}


@pytest.mark.parametrize(
    "content",
    [
        "".join(json.dumps(row) + "\n" for row in LOG[:500]),  # too few rows
        "".join(json.dumps(row) + "\n" for row in LOG)[:-1],  # the last line may go on
        "".join(json.dumps(row) + "\n" for row in LOG) + "{oops\n",  # the stretch of bad lines may go on
        "".join(json.dumps({**row, "x": None}) + "\n" for row in LOG),  # x may still become a number
    ],
)
def test_no_mark_where_later_lines_may_change_what_was_said(content, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(content)
    assert read(path, ReadOptions(mark=True), rows_to_learn_from=1000)[2] == []


def test_no_mark_for_a_compressed_file(tmp_path):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in LOG).encode()))
    assert read(path, ReadOptions(mark=True), rows_to_learn_from=1000)[2] == []


LITERALS = ["NaN", "Infinity", "-Infinity"]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("literal", LITERALS)
def test_a_log_that_is_no_number_for_good_is_read_as_fast(literal, tmp_path, monkeypatch):
    path = tmp_path / "log.jsonl"
    path.write_text(
        "".join(f'{{"step": {step}, "loss": {literal}, "lr": [{literal}, 0.5]}}\n' for step in range(20_000))
    )
    assert slow_lines(path, monkeypatch) < 3000  # the first block and what is learnt from
    assert read(path) == read(path, slow=True)


@pytest.mark.parametrize("odd", ["-NaN", "nan", "+Infinity", "NaN1", '"x: NaN, y"', '"\\\\, NaN,"', '", NaN"', '"NaN"'])
def test_what_only_looks_like_a_literal_is_read_as_the_slow_path_reads_it(odd, tmp_path):
    path = tmp_path / "log.jsonl"
    rows = (odd if step % 7 == 5 else LITERALS[step % 3] if step % 2 else "1.5" for step in range(500))
    path.write_text("".join(f'{{"step": {step}, "loss": {loss}}}\n' for step, loss in enumerate(rows)))
    assert read(path) == read(path, slow=True)


@pytest.mark.parametrize("nulls", [0, 1, 3, 999, 1000, 1001, 1100, 4000])
@pytest.mark.parametrize("slow", [True, False])
def test_any_number_of_nulls_in_front_leaves_the_ones_behind_missing(nulls, slow, jsonl):
    """What is missing in a row was once kept for all rows like it, though a number had come in between."""
    values = [None] * nulls + [4.0] * 30 + [None] * 270
    path = jsonl(*({"step": step, "audio_loss": value, "lr": 0.1} for step, value in enumerate(values)))
    series = [item for item in read_series(path, slow=slow) if item.tag == "audio_loss"]
    missing = [
        step for part in series for step, value in zip(part.steps, part.values, strict=True) if is_missing(value)
    ]
    assert missing == list(range(nulls + 30, nulls + 300))


LAUNCHES = st.sampled_from(["", "A", "B lr0.1", "7"])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data(), chunk=st.sampled_from(TINY), first=st.sampled_from([1, 3, 10]))
def test_launches_in_one_file_are_told_apart_in_the_same_way(tmp_path, data, chunk, first):
    launches = data.draw(st.lists(st.tuples(LAUNCHES, st.integers(1, 30), st.booleans()), min_size=1, max_size=6))
    rows = [
        {"run_name": launch, "step": step, "loss": step / 7} | ({"eval_loss": 1.0} if other and step % 3 else {})
        for launch, count, other in launches
        for step in range(count)
    ]
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read(path, chunk=chunk, rows_to_learn_from=first) == read(path, slow=True, rows_to_learn_from=first)


@pytest.mark.parametrize("lost", [b"", b" ", b"\r", b"\t\r "])
@pytest.mark.parametrize("split", [b", ", b": ", b"{"])
def test_a_lost_newline_is_seen_though_another_line_is_split(lost, split, tmp_path):
    """There are as many rows as lines then."""
    lines = [json.dumps(row).encode() for row in LOG[:2000]]
    lines[1500] = lines[1500].replace(split, split + b"\n", 1)
    content = b"\n".join(lines[:1600]) + lost + b"\n".join(lines[1600:]) + b"\n"
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    assert read(path) == read(path, slow=True)
    assert [defect.line for defect in read(path)[1]] == [1501, 1601]
