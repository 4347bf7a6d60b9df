"""trainer_state.json as the Trainer writes it, of any version, and as it is found when it was damaged."""

import gzip
import json
import math
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audioloss_cli import scan
from audioloss_cli.model import Defect, Series
from audioloss_cli.readers.trainer_state import claims, document, read, reading, run_of
from audioloss_cli.storage.log_file import LogFile
from tests.effort import examples, one_in
from tests.readers.bits import in_bits

Rows = list[dict[str, Any]]


def history(count: int, *, nan: bool = False) -> Rows:
    """Rows of training with rows of evaluation between and a summary at the end."""
    numbers = random.Random(3)
    rows = Rows()
    for step in range(10, 10 * count + 1, 10):
        loss = round(3 + numbers.random(), 4)
        norm = math.nan if nan and step % 50 == 0 else numbers.random()
        rows.append({"loss": loss, "grad_norm": norm, "learning_rate": 1e-4 / step, "epoch": step / 500, "step": step})
        if step % 200 == 0:
            rows.append({"eval_loss": numbers.random(), "eval_runtime": 12.5, "epoch": step / 500, "step": step})
    return [*rows, {"train_loss": 3.5, "train_runtime": 9.25, "total_flos": 1e15, "epoch": 9.0, "step": 10 * count}]


def saved(path: Path, rows: Rows) -> Path:
    """Written by the installed transformers."""
    callback = pytest.importorskip("transformers.trainer_callback")
    path.parent.mkdir(parents=True, exist_ok=True)
    callback.TrainerState(log_history=rows, global_step=rows[-1]["step"], epoch=1.0).save_to_json(str(path))
    return path


def points_of(path: Path) -> tuple[dict[str, list[tuple[int, float]]], list[Defect]]:
    found: dict[str, list[tuple[int, float]]] = {}
    defects = list[Defect]()
    for item in read(path):
        if isinstance(item, Defect):
            defects.append(item)
        elif isinstance(item, Series):
            found.setdefault(item.tag, []).extend(zip(item.steps, item.values, strict=True))
    return found, defects


def expected(rows: Rows) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        for key, value in row.items():
            if key != "step":
                found.setdefault(key, []).append((row["step"], value))
    return found


@pytest.mark.parametrize("nan", [False, True])
def test_what_the_trainer_saves(tmp_path, nan):
    rows = history(4000, nan=nan)
    path = saved(tmp_path / "checkpoint-40000" / "trainer_state.json", rows)
    assert claims(LogFile(path))
    assert run_of(path) == tmp_path
    found, defects = points_of(path)
    told = expected(json.loads(path.read_text(encoding="utf-8"))["log_history"])
    assert {tag: repr(points) for tag, points in found.items()} == {tag: repr(points) for tag, points in told.items()}
    assert len(found["train_loss"]) == 1
    assert not defects


@pytest.mark.parametrize("nan", [False, True])
def test_most_rows_are_read_by_their_columns(tmp_path, monkeypatch, nan):
    path = saved(tmp_path / "trainer_state.json", history(4000, nan=nan))
    alone = list[object]()
    row_of = reading.row_of
    monkeypatch.setattr(reading, "row_of", lambda line, row: alone.append(row) or row_of(line, row))
    list(read(path))
    assert 0 < len(alone) < 400


def test_by_columns_and_one_by_one_give_the_same(tmp_path, monkeypatch):
    rows = history(3000, nan=True)
    rows[500]["loss"] = "3.5"
    rows[900]["loss"] = None
    rows[1500]["note"] = "log_history: [NaN, }, {"
    rows[2000]["losses"] = [1.5, math.inf]
    rows[2500] = {"step": 2, "inner": {"audio_loss": 2.5}}
    path = saved(tmp_path / "trainer_state.json", rows)
    by_columns = in_bits(sorted(read(path), key=lambda item: item.tag))
    monkeypatch.setattr(document.Document, "_whole", lambda self: False)
    assert by_columns == in_bits(sorted(read(path), key=lambda item: item.tag))


@pytest.mark.parametrize("indent", [None, 2, 4])
@pytest.mark.parametrize("packed", [False, True])
def test_any_layout(tmp_path, indent, packed):
    rows = history(3000)
    text = json.dumps({"log_history": rows, "stateful_callbacks": {"a": {"args": [1]}}}, indent=indent).encode()
    path = tmp_path / ("trainer_state.json.gz" if packed else "trainer_state.json")
    path.write_bytes(gzip.compress(text) if packed else text)
    assert claims(LogFile(path))
    found, defects = points_of(path)
    assert found == expected(rows)
    assert not defects


def test_a_history_in_the_state_of_something_else(tmp_path):
    path = tmp_path / "state.json"
    path.write_text('{"a": {"args": {"lr": 1}, "log_history": [{"loss": 2.5, "step": 1}]}}', encoding="utf-8")
    assert points_of(path) == ({"loss": [(1, 2.5)]}, [])


def test_literals_strings_and_null(tmp_path):
    text = (
        '{"log_history": [{"loss": NaN, "step": 1}, {"loss": Infinity, "step": 2}, {"loss": -Infinity, "step": 3},'
        ' {"loss": "2.5", "step": 4}, {"loss": "NaN", "step": 5}, {"loss": null, "step": 6}, {"loss": 7' + "0" * 5000
    ) + ', "step": 7}]}'
    path = tmp_path / "trainer_state.json"
    path.write_text(text, encoding="utf-8")
    found, defects = points_of(path)
    assert [step for step, _ in found["loss"]] == [1, 2, 3, 4, 5, 6, 7]
    assert [value for _, value in found["loss"]][1:4] == [math.inf, -math.inf, 2.5]
    assert [math.isnan(value) for _, value in found["loss"]] == [True, False, False, False, True, True, False]
    assert not defects


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9, 0.999])
def test_a_truncated_file_gives_every_whole_row(tmp_path, cut):
    rows = history(2000)
    path = saved(tmp_path / "trainer_state.json", rows)
    text = path.read_text(encoding="utf-8")
    kept = text[: int(len(text) * cut)]
    path.write_text(kept, encoding="utf-8")
    found, defects = points_of(path)
    whole = kept[: kept.rindex("}")]
    assert len(found["loss"]) == whole.count(' "loss": ')
    assert [defect.kind for defect in defects] == ["truncated"]
    assert whole.count("\n") <= (defects[0].line or 0) <= kept.count("\n") + 1
    assert scan(path).exit_code == 3


def test_a_file_without_its_beginning(tmp_path):
    path = saved(tmp_path / "trainer_state.json", history(2000))
    text = path.read_text(encoding="utf-8")
    path.write_text(text[len(text) // 2 :], encoding="utf-8")
    assert claims(LogFile(path))
    found, defects = points_of(path)
    assert len(found["loss"]) == text[len(text) // 2 :].count('{\n      "epoch": ') - len(found["eval_loss"]) - 1
    assert [defect.kind for defect in defects] == ["not-a-log"]


def test_a_damaged_row_costs_itself_alone(tmp_path):
    rows = history(2000)
    path = saved(tmp_path / "trainer_state.json", rows)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"step": 10000\n', '"step": 10#00\n'), encoding="utf-8")
    found, defects = points_of(path)
    assert found["loss"] == [point for point in expected(rows)["loss"] if point[0] != 10000]
    assert [defect.kind for defect in defects] == ["malformed"]
    assert defects[0].line in range(*(text[: text.index('"step": 10000\n')].count("\n") + at for at in (-6, 2)))


def test_concatenated_documents(tmp_path):
    first, second = history(500), history(700)
    path = tmp_path / "trainer_state.json"
    path.write_text("".join(json.dumps({"log_history": rows}) for rows in (first, second)), encoding="utf-8")
    found, defects = points_of(path)
    assert found == {tag: expected(first)[tag] + points for tag, points in expected(second).items()}
    assert [defect.kind for defect in defects] == ["malformed"]


@pytest.mark.parametrize(
    ("name", "text", "claimed"),
    [
        ("trainer_state.json", '{"epoch": 3, "best": 0.5}', False),
        ("trainer_state.json", "[1, 2, 3]", False),
        ("trainer_state.json", '{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 2.25}\n', False),
        ("trainer_state.json", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n", True),
        ("trainer_state.json", '{\n  "best_metric": null,\n  "epo', True),
        ("trainer_state.json", '\0\0\0\0"loss": 2.5, "step": 10}, {"loss": 2.25, "step": 20}]}', True),
        ("state_of_my_run.json", '{"log_history": [{"loss": 2.5, "step": 1}]}', True),
        ("notes.ipynb", '{"log_history": [{"loss": 2.5, "step": 1}]}', False),
        ("config.json", '{"log_history": "logs/history"}', False),
    ],
)
def test_claims(tmp_path, name, text, claimed):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert claims(LogFile(tmp_path / name)) is claimed
    if claimed:
        assert list(read(tmp_path / name))


def test_a_git_lfs_pointer_is_named(tmp_path):
    path = tmp_path / "checkpoint-5" / "trainer_state.json"
    path.parent.mkdir()
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n", encoding="utf-8")
    report = scan(tmp_path)
    assert report.exit_code == 3
    assert ["git lfs pull" in defect.message for defect in report.defects] == [True]


def test_a_state_before_the_first_row_is_no_defect(tmp_path):
    path = tmp_path / "trainer_state.json"
    path.write_text('{"log_history": [], "global_step": 0}', encoding="utf-8")
    assert list(read(path)) == []


_START = b'{"log_history": ['
HOSTILE = {
    "open rows": _START + b'{"a' * (1 << 18),
    "no steps": _START + b'{"a":1},' * (1 << 17),
    "empty rows": _START + b"{}," * (1 << 18),
    "objects in objects": _START + b'{"a":' * (1 << 18),
    "lists in lists": _START + b"[" * (1 << 20),
    "histories": _START * (1 << 16),
    "no history": b'{"a":' * (1 << 18),
    "a long key": _START + b'{"' + b"a" * (1 << 20) + b'": 1, "step": 1}]}',
    "a long list": _START + b'{"step": 1, "a": [' + b"1," * (1 << 19) + b"1]}]}",
    "many keys": _START + b'{"step": 1' + b"".join(b',"k%d": 1' % key for key in range(80_000)) + b"}]}",
    "many kinds": _START + b",".join(b'{"step": 1, "k%d": 1.5}' % (at % 3000) for at in range(50_000)) + b"]}",
    "spaces": b'{"log_history": ' + b" " * (1 << 20),
    "lists with NaN": _START + b'{"step": 1, "a": NaN, "b": [NaN]},' * 30_000,
}
BOUNDED = """
import resource, sys
from pathlib import Path
from audioloss_cli.readers.trainer_state import claims, read, reading
from audioloss_cli.storage.log_file import LogFile
path = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
claims(LogFile(path))
for item in read(path):
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before >> 10)
"""


@pytest.mark.parametrize("name", one_in(4, HOSTILE))
def test_a_megabyte_of_anything_is_read_in_bounds(tmp_path, name):
    path = tmp_path / "trainer_state.json"
    path.write_bytes(HOSTILE[name])
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=examples(80))
@given(
    at=st.integers(0, 10**6),
    lost=st.integers(0, 60),
    noise=st.sampled_from([b"", b"{", b"}", b'"', b"[", b"]", b",", b"\0\0", b"NaN", b'{"', b"}, {", b"\xff"]),
)
def test_a_damage_costs_a_few_rows(tmp_path, at, lost, noise):
    rows = history(300)
    document = {"global_step": 3000, "log_history": rows, "stateful_callbacks": {"a": {"b": 1}}}
    text = json.dumps(document, indent=2).encode()
    at %= len(text)
    path = tmp_path / "trainer_state.json"
    path.write_bytes(text[:at] + noise + text[at + lost :])
    found, defects = points_of(path)
    assert len(found.get("loss", ())) >= 300 - 3 or defects
    whole = set(expected(rows)["loss"])
    assert len(whole.intersection(found.get("loss", ()))) >= 300 - 3
    try:
        sound = json.loads(path.read_bytes())["log_history"]
    except (ValueError, KeyError, TypeError):
        assert defects or at + lost > text.rindex(b"]"), "damage that nobody hears of"
    else:
        assert isinstance(sound, list)
