"""Standard input and named pipes: claimed by their first bytes, as files are by their names, and read again."""

import gzip
import io
import json
import os
import tarfile
import threading
import zipfile

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.model.exit_code import FINDINGS, NOT_AUDITED
from tests.event_files import records, scalar_event, version_event
from tests.readers.healthy import HEALTHY

LOW = [5.0 + place % 3 for place in range(50)] + [0.001] * 50
ROWS = [{"step": step, "audio_loss": value} for step, value in enumerate(LOW)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
STATE = {"log_history": [{"step": row["step"], "loss": row["audio_loss"]} for row in ROWS], "global_step": 100}
CONTENTS = {
    "jsonl": LINES.encode(),
    "json": json.dumps(ROWS).encode(),
    "json, indented": json.dumps(ROWS, indent=2).encode(),
    "json, columns": json.dumps({"audio_loss": LOW, "step": list(range(100))}).encode(),
    "csv": ("step,audio_loss\n" + "".join(f"{row['step']},{row['audio_loss']}\n" for row in ROWS)).encode(),
    "trainer_state": json.dumps(STATE, indent=2).encode(),
    "text": "".join(f"Step {row['step']}: Audio Loss = {row['audio_loss']}\n" for row in ROWS).encode(),
    "tensorboard": b"".join(
        records([version_event(), *(scalar_event(step, {"audio_loss": value}) for step, value in enumerate(LOW))])
    ),
}


@pytest.fixture
def piped(monkeypatch):
    """A scan of standard input that holds the content."""

    def scanned(content: bytes, config: ScanConfig | None = None, **more):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        return scan("-", config, **more)

    return scanned


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("kind", CONTENTS)
def test_what_is_piped_is_claimed_by_its_first_bytes(kind, compress, piped):
    report = piped(compress(CONTENTS[kind]))
    assert [(run.run, run.format) for run in report.runs] == [("standard input", kind.partition(",")[0])]
    first = 51 if kind == "trainer_state" else 50  # a loss of the training counts as low by its last two values
    assert (report.exit_code, report.incidents[0].first_step) == (FINDINGS, first)


@pytest.mark.parametrize("name", sorted(HEALTHY))
def test_every_format_is_known_on_a_pipe(name, piped):
    report = piped(HEALTHY[name].content)
    assert {run.format for run in report.runs} == {name}


def archived(kind: str) -> bytes:
    content = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("runs/a/log.jsonl", LINES)
    else:
        with tarfile.open(fileobj=content, mode=f"w:{kind}") as archive:
            info = tarfile.TarInfo("runs/a/log.jsonl")
            info.size = len(LINES)
            archive.addfile(info, io.BytesIO(LINES.encode()))
    return content.getvalue()


@pytest.mark.parametrize("kind", ["zip", "", "gz", "bz2", "xz"])
def test_an_archive_is_known_on_a_pipe(kind, piped):
    report = piped(archived(kind))
    assert [run.run for run in report.runs] == ["standard input/runs/a/log.jsonl"]
    assert report.exit_code == FINDINGS


@pytest.mark.parametrize("kind", CONTENTS)
def test_a_named_pipe_without_a_telling_name(kind, tmp_path):
    os.mkfifo(pipe := tmp_path / "pipe")
    writer = threading.Thread(target=pipe.write_bytes, args=(CONTENTS[kind],))
    writer.start()
    report = scan(pipe)
    writer.join()
    assert (report.exit_code, report.runs[0].format) == (FINDINGS, kind.partition(",")[0])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("log.jsonl", "jsonl"),
        ("metrics.csv", "csv"),
        ("trainer_state.json", "trainer_state"),
        ("train.log", "text"),
        ("history.json", "json"),
        ("events.tfevents.1", "tensorboard"),
    ],
)
@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_named_pipe_with_the_name_of_a_log(name, kind, compress, tmp_path):
    os.mkfifo(pipe := tmp_path / name)
    writer = threading.Thread(target=pipe.write_bytes, args=(compress(CONTENTS[kind]),))
    writer.start()
    report = scan(pipe)
    writer.join()
    assert (report.exit_code, report.runs[0].format, report.defects) == (FINDINGS, kind, [])


def test_pipes_are_runs_of_their_own(tmp_path):
    pipes = [tmp_path / name for name in ("a", "b")]
    for pipe in pipes:
        os.mkfifo(pipe)
    writers = [threading.Thread(target=pipe.write_bytes, args=(CONTENTS["tensorboard"],)) for pipe in pipes]
    for writer in writers:
        writer.start()
    report = scan(pipes)
    for writer in writers:
        writer.join()
    assert [(run.run, [item.points for item in run.series]) for run in report.runs] == [
        (str(pipe), [100]) for pipe in pipes
    ]


@pytest.mark.parametrize("kind", ["jsonl", "csv", "trainer_state"])
def test_the_points_of_a_stream_can_be_had_afterwards(kind, piped):
    report = piped(CONTENTS[kind])
    points = report.to_frame().points
    assert list(points.value) == LOW
    assert list(report.to_frame().points.step) == list(range(100))
    assert list(piped(CONTENTS[kind], points=True).to_frame().points.value) == LOW


def test_the_points_of_a_pipe_that_is_gone_can_be_had_afterwards(tmp_path):
    """As a process substitution is: /dev/fd/63."""
    os.mkfifo(pipe := tmp_path / "63")
    writer = threading.Thread(target=pipe.write_bytes, args=(CONTENTS["jsonl"],))
    writer.start()
    report = scan(pipe)
    writer.join()
    pipe.unlink()
    assert list(report.to_frame().points.value) == LOW


def test_the_points_of_an_archive_on_a_pipe_can_be_had_afterwards(piped):
    assert list(piped(archived("gz")).to_frame().points.value) == LOW


def test_nothing_is_left_behind_once_the_report_is_gone(tmp_path, monkeypatch, piped):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    report = piped(CONTENTS["jsonl"])
    report.to_frame()
    assert len(list(tmp_path.iterdir())) == 1
    del report
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_that_was_read_as_it_came_says_how_to_get_its_points(tmp_path):
    os.mkfifo(pipe := tmp_path / "log.jsonl")
    writer = threading.Thread(target=pipe.write_bytes, args=(CONTENTS["jsonl"],))
    writer.start()
    report = scan(pipe)
    writer.join()
    assert report.exit_code == FINDINGS
    with pytest.raises(ValueError, match=r"log\.jsonl: a pipe cannot be read twice; ask for .*points=True"):
        report.to_frame()


def test_what_is_no_log_of_a_training_is_none_on_a_pipe_either(piped):
    samples = "".join(json.dumps({"text": "hello", "duration": 1.5 + place}) + "\n" for place in range(30))
    report = piped(samples.encode())
    assert report.exit_code == NOT_AUDITED
    assert "samples of a data set" in report.unaudited[0].reason


def test_a_standard_input_that_is_closed_is_named(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    report = scan("-")
    assert report.exit_code == NOT_AUDITED
    assert [(defect.path, defect.kind) for defect in report.defects] == [("standard input", "unreadable")]
    assert report.unaudited[0].reason == "no log came out of it"
