"""Whatever stands in the place of a reading, a scan says what one without a cache says, and writes the reading anew."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audioloss_cli import ScanConfig, scan
from audioloss_cli.model import View
from audioloss_cli.outputs import render
from audioloss_cli.storage.cache import draft, reading
from audioloss_cli.storage.cache.draft import DIGEST, LENGTH, MAGIC
from tests.effort import examples, exhaustive, one_in
from tests.storage.cache.test_scan import event_file, json_lines
from tests.wobble import wobbly

ROWS = [f'{{"step": {step}, "audio_loss": {value}, "lr": null}}' for step, value in enumerate(wobbly(6.9, 1100))]
LOGS = {
    "events.out.tfevents.1": event_file(),
    "log.jsonl": "\n".join([*ROWS, '{"step": 1100, "lr": 0.1}', ""]).encode(),
    "damaged.jsonl": json_lines(),  # there is no mark behind damage
}
ROW = b'{"step": 2000, "audio_loss": 2.5}\n'
MORE = {"events.out.tfevents.1": event_file()[:500], "log.jsonl": ROW, "damaged.jsonl": ROW}
ODD = [None, True, -1, 0, 1, 7, 1 << 62, 1 << 63, 1 << 80, -(1 << 70), 0.5, float("nan"), "", "x", "\ud800", [], {}]
ODD += [[[]], [None], ["x"], {"x": "x"}, {"x": -1}, {"x": [1]}, [1, 2, 3], ["", "", "step", [], 0]]


def text(path: Path, cache: Path | None = None) -> str:
    report = scan(path, ScanConfig(cache=str(cache) if cache else None))
    return render("json", report, View())


def taken_apart(content: bytes) -> tuple[bytes, dict[str, Any]]:
    end = len(content) - DIGEST - LENGTH.size
    start = end - LENGTH.unpack(content[end : end + LENGTH.size])[0]
    return content[len(MAGIC) : start], json.loads(content[start:end])


def put_together(columns: bytes, header: object, length: int | None = None) -> bytes:
    """A reading whose digest is right, as whoever knows the format can make one."""
    packed = header if isinstance(header, bytes) else json.dumps(header).encode()
    content = MAGIC + columns + packed + LENGTH.pack(len(packed) if length is None else length)
    return content + blake2b(content, digest_size=DIGEST).digest()


def places(value: object, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each part of a document."""
    yield way
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*way, key))


def changed(header: dict[str, Any], way: tuple[Any, ...], change: Callable[[Any, Any], None]) -> dict[str, Any]:
    found = parent = deepcopy(header)
    for key in way[:-1]:
        parent = parent[key]
    change(parent, way[-1])
    return found


class Kept:
    """A log with a reading of it."""

    def __init__(self, directory: Path, name: str) -> None:
        self.log, self.cache = directory / "run" / name, directory / "kept"
        self.log.parent.mkdir(parents=True)
        self.log.write_bytes(LOGS[name])
        self.truth = text(self.log, self.cache)
        assert self.truth == text(self.log)
        (self.place,) = self.cache.glob("*.reading")
        self.good = self.place.read_bytes()
        self.columns, self.header = taken_apart(self.good)

    def check(self, forged: bytes) -> None:
        """Of the log as it is: the forged one is not taken, and written anew."""
        self.place.write_bytes(forged)
        assert text(self.log, self.cache) == self.truth
        assert self.place.read_bytes() == self.good

    def check_grown(self, forged: bytes) -> None:
        """Of the log when more has come: nothing is raised, and it is right where no mark was believed."""
        self.place.write_bytes(forged)
        self.log.write_bytes(LOGS[self.log.name] + MORE[self.log.name])
        text(self.log, self.cache)
        assert taken_apart(self.place.read_bytes())[1]["fingerprint"][0] == self.log.stat().st_size
        self.log.write_bytes(LOGS[self.log.name])


@pytest.fixture(params=LOGS)
def kept(request, tmp_path) -> Kept:
    return Kept(tmp_path, request.param)


@pytest.fixture(scope="module", params=LOGS)
def shared(request, tmp_path_factory) -> Kept:
    return Kept(tmp_path_factory.mktemp("shared"), request.param)


def test_the_forger_knows_the_format(kept):
    assert put_together(kept.columns, kept.header) == kept.good


EACH_TIME = pytest.mark.parametrize("kept", ["log.jsonl", *exhaustive(*sorted({*LOGS} - {"log.jsonl"}))], indirect=True)


@pytest.mark.sampled(4)
@EACH_TIME
@pytest.mark.parametrize("header", [*ODD, b"", b"{", b"\xff", b"[" * 100_000, b"1" * 5000], ids=repr)
def test_a_header_that_is_none_is_not_taken(header, kept):
    kept.check(put_together(kept.columns, header))


@pytest.mark.parametrize("length", [0, 1, 1 << 20, (1 << 63) - 1, (1 << 64) - 1])
def test_a_length_that_is_wrong_is_not_taken(length, kept):
    kept.check(put_together(kept.columns, kept.header, length))


def test_every_key_is_needed_and_none_is_too_many(kept):
    for key in kept.header:
        kept.check(put_together(kept.columns, {name: part for name, part in kept.header.items() if name != key}))
    kept.check(put_together(kept.columns, {**kept.header, "more": 1}))


@pytest.mark.parametrize("change", ["type", "points", "shifted", "restarts", "source", "short", "long", "empty"])
def test_series_that_do_not_fit_their_columns_are_not_taken(change, kept):
    header = deepcopy(kept.header)
    first, last = header["series"][0], header["series"][-1]
    if change == "points":
        first[4] = 1 << 60
    elif change == "shifted":  # in all as many
        first[4], last[4] = first[4] + last[4] + 1, -1
    elif change == "type":
        first[4] = float(first[4])
    elif change == "restarts":
        first[3] = [first[4] + 1]
    elif change == "source":
        first[2] = "guess"
    elif change == "empty":
        header["series"] = []
    columns = {"short": kept.columns[:-8], "long": kept.columns + bytes(24)}.get(change, kept.columns)
    kept.check(put_together(columns, header))


@pytest.mark.sampled(4)
@settings(max_examples=examples(200), deadline=None)
@given(data=st.data())
def test_no_forged_header_raises(shared, data):
    """One part of the header is another one, is not there, or is there twice; the log is as it was, or has grown."""
    ways = [way for way in places(shared.header) if way and way[0] != "key"]
    way = data.draw(st.sampled_from(ways))
    odd = data.draw(st.sampled_from(ODD))
    change = data.draw(
        st.sampled_from(
            [
                lambda parent, key: parent.__setitem__(key, odd),
                lambda parent, key: parent.__delitem__(key),
                lambda parent, key: parent.append(parent[key]) if isinstance(parent, list) else parent.clear(),
            ]
        )
    )
    forged = put_together(shared.columns, changed(shared.header, way, change))
    shared.check_grown(forged)
    shared.place.write_bytes(forged)
    text(shared.log, shared.cache)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("odd", one_in(3, [odd for odd in ODD if odd != {}]), ids=repr)
def test_a_mark_that_no_reader_made_is_not_gone_on_from(odd, kept):
    """The whole log is read, as if nothing had been kept of it."""
    if kept.log.name == "damaged.jsonl":
        assert kept.header["mark"] is None
        return
    kept.log.write_bytes(LOGS[kept.log.name] + MORE[kept.log.name])
    truth = text(kept.log)
    for way in [way for way in places(kept.header["mark"][1], ("mark", 1)) if len(way) == 3]:
        part = kept.header["mark"][1][way[-1]]
        if type(odd) is type(part) or (part is None and isinstance(odd, str)):
            continue
        if kept.log.name == "log.jsonl" and way[-1] == "key" and odd is None:
            continue  # steps by the line: a mark as good as any other
        kept.place.write_bytes(
            put_together(kept.columns, changed(kept.header, way, lambda parent, key: parent.__setitem__(key, odd)))
        )
        assert text(kept.log, kept.cache) == truth


def in_its_place(kept: Kept, what: str) -> None:
    kept.place.unlink()
    if what == "pipe":
        os.mkfifo(kept.place)
    elif what in ("directory", "full directory"):
        kept.place.mkdir()
        if what == "full directory":
            (kept.place / "mine").write_text("mine")
    else:
        kept.place.symlink_to({"dangling": "nowhere", "loop": kept.place.name, "device": "/dev/zero"}[what])


@pytest.mark.sampled(4)
@pytest.mark.skipif(os.name != "posix", reason="no pipes in directories")
@EACH_TIME
@pytest.mark.parametrize("what", ["pipe", "directory", "full directory", "dangling", "loop", "device"])
def test_what_is_no_file_is_not_waited_for(what, kept):
    """In a process, which is ended where it hangs."""
    in_its_place(kept, what)
    command = [sys.executable, "-m", "audioloss_cli", "scan", "--report", "json", "--cache"]
    done = subprocess.run([*command, str(kept.cache), str(kept.log)], capture_output=True, timeout=120, check=False)
    assert done.stderr == b""
    assert json.loads(done.stdout) == json.loads(kept.truth)
    assert not kept.place.is_symlink()
    assert kept.place.is_file()
    assert text(kept.log, kept.cache) == kept.truth
    assert [path.read_text() for path in kept.cache.rglob("mine")] == ["mine"] * (what == "full directory")


@pytest.mark.skipif(os.name != "posix", reason="no links")
def test_a_link_to_a_reading_is_one(kept):
    kept.place.rename(kept.cache / "elsewhere")
    kept.place.symlink_to("elsewhere")
    assert text(kept.log, kept.cache) == kept.truth
    assert kept.place.is_symlink()


def test_a_header_that_would_not_be_read_is_not_written(kept, monkeypatch):
    for module in (draft, reading):
        monkeypatch.setattr(module, "LONGEST_HEADER", 100)
    assert text(kept.log, kept.cache) == kept.truth
    kept.place.unlink()
    assert text(kept.log, kept.cache) == kept.truth
    assert [path.name for path in kept.cache.iterdir()] == [".gitignore"]
