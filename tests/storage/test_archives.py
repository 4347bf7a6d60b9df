"""Archives of runs, and standard input."""

import io
import json
import tarfile
import zipfile

import pytest

from audioloss_cli import scan
from audioloss_cli.model.report import FINDINGS, NOT_AUDITED
from tests.event_files import scalar_event, version_event, write

LOW = [5.0] * 50 + [0.001] * 50


@pytest.fixture
def log(tmp_path):
    return write(
        tmp_path / "events.tfevents.1",
        [version_event(), *(scalar_event(s, {"audio_loss": v}) for s, v in enumerate(LOW))],
    )


def zipped(path, log):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(log, "runs/a/events.tfevents.1")
        archive.writestr(
            "runs/b/log.jsonl", "".join(json.dumps({"step": s, "audio_loss": 5.0 + s % 3}) + "\n" for s in range(50))
        )
        archive.writestr("runs/a/model.safetensors", b"weights")


def tarred(path, log):
    with tarfile.open(path, "w:gz") as archive:
        archive.add(log, "runs/a/events.tfevents.1")


@pytest.mark.parametrize(("name", "pack"), [("runs.zip", zipped), ("runs.tar.gz", tarred), ("runs.tgz", tarred)])
def test_an_archive_is_read_as_the_directory_that_it_holds(name, pack, log, tmp_path):
    pack(tmp_path / "x" / name if (tmp_path / "x").mkdir() is None else None, log)
    report = scan(tmp_path / "x" / name)
    assert report.exit_code == FINDINGS
    assert any(run.run.endswith(f"{name}/runs/a") for run in report.runs)
    assert report.incidents[0].first_step == 50
    assert scan(tmp_path / "x").exit_code == FINDINGS


def test_a_damaged_archive_is_named(log, tmp_path):
    zipped(tmp_path / "runs.zip", log)
    content = bytearray((tmp_path / "runs.zip").read_bytes())
    content[60] ^= 0xFF
    (tmp_path / "runs.zip").write_bytes(content)
    report = scan(tmp_path / "runs.zip")
    assert [defect.kind for defect in report.defects] == ["compression"]
    assert report.defects[0].path.startswith(str(tmp_path / "runs.zip"))


def test_a_bomb_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "runs.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log.jsonl", bytes(200 << 20))
    report = scan(tmp_path / "runs.zip")
    assert "would unpack to" in report.defects[0].message
    assert report.exit_code == NOT_AUDITED


def test_an_archive_without_a_log_is_not_audited(tmp_path):
    with zipfile.ZipFile(tmp_path / "runs.zip", "w") as archive:
        archive.writestr("model.safetensors", b"x")
    assert scan(tmp_path / "runs.zip").exit_code == NOT_AUDITED


def test_a_member_that_leads_outside_stays_inside(log, tmp_path):
    path = tmp_path / "runs.tar"
    with tarfile.open(path, "w") as archive:
        info = tarfile.TarInfo("../../events.tfevents.9")
        info.size = len(content := log.read_bytes())
        archive.addfile(info, io.BytesIO(content))
    assert scan(path).exit_code == FINDINGS
    assert not (tmp_path.parent / "events.tfevents.9").exists()


def test_standard_input(log, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(log.read_bytes())))
    assert scan("-").incidents[0].first_step == 50


def test_rows_on_standard_input(monkeypatch):
    text = "".join(json.dumps({"step": s, "audio_loss": v}) + "\n" for s, v in enumerate(LOW))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    report = scan("-")
    assert (report.exit_code, report.incidents[0].first_step) == (FINDINGS, 50)
