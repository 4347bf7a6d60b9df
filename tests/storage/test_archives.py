"""Archives of runs."""

import io
import json
import tarfile
import zipfile

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.model.exit_code import CLEAN, FINDINGS, NOT_AUDITED
from audioloss_cli.storage import archives
from tests.event_files import scalar_event, version_event, write
from tests.storage.zstandard import compress

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


ROWS = "".join(json.dumps({"step": step, "audio_loss": value}) + "\n" for step, value in enumerate(LOW))
HEALTHY = "".join(json.dumps({"step": step, "audio_loss": 5.0 + step % 3}) + "\n" for step in range(50))


def zip_of(members: dict[str, str | bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def tar_of(members: dict[str, str | bytes], kind: str = "") -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode=f"w:{kind}") as archive:
        for name, given in members.items():
            data = given.encode() if isinstance(given, str) else given
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return content.getvalue()


@pytest.mark.parametrize("outer", ["zip", "tar.gz"])
@pytest.mark.parametrize("inner", ["zip", "tar.gz", "tar.xz"])
def test_an_archive_inside_of_an_archive_is_read(outer, inner, tmp_path):
    held = zip_of({"b/log.jsonl": ROWS}) if inner == "zip" else tar_of({"b/log.jsonl": ROWS}, inner.partition(".")[2])
    members = {"a/log.jsonl": HEALTHY, f"runs.{inner}": held}
    path = tmp_path / f"all.{outer}"
    path.write_bytes(zip_of(members) if outer == "zip" else tar_of(members, "gz"))
    report = scan(path)
    assert report.exit_code == FINDINGS
    assert [run.run for run in report.runs] == [f"{path}/a/log.jsonl", f"{path}/runs.{inner}/b/log.jsonl"]


def test_archives_deep_inside_of_archives_are_named(tmp_path):
    content = zip_of({"log.jsonl": ROWS})
    for _ in range(5):
        content = zip_of({"log.jsonl": HEALTHY, "inner.zip": content})
    (tmp_path / "runs.zip").write_bytes(content)
    report = scan(tmp_path)
    assert [(item.path, item.reason) for item in report.unread] == [
        (f"{tmp_path}/runs.zip/inner.zip/inner.zip/inner.zip", "an archive inside of 3 others")
    ]
    assert report.exit_code == NOT_AUDITED
    assert scan(tmp_path, ScanConfig(allow_unread=True)).exit_code == CLEAN


def test_archives_inside_of_an_archive_share_its_room(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.Room.__init__, "__defaults__", (10_000, 100))
    (tmp_path / "runs.zip").write_bytes(zip_of({"a.zip": zip_of({"a.log": b"x" * 6000, "b.log": b"x" * 6000})}))
    report = scan(tmp_path)
    assert [(defect.path.rpartition("/")[2], defect.kind) for defect in report.defects] == [("b.log", "compression")]


def test_more_members_than_are_unpacked_are_one_defect(tmp_path, monkeypatch):
    monkeypatch.setattr(archives.Room.__init__, "__defaults__", (1 << 30, 3))
    (tmp_path / "runs.zip").write_bytes(zip_of({f"{place}.jsonl": HEALTHY for place in range(50)}))
    report = scan(tmp_path)
    assert len(report.runs) == 3
    assert ["more files than are unpacked" in defect.message for defect in report.defects] == [True]


def test_a_member_that_is_encrypted_is_named_and_the_others_are_read(tmp_path):
    content = bytearray(zip_of({"a.jsonl": HEALTHY, "b.jsonl": ROWS}))
    content[content.index(b"PK\x01\x02") + 8] |= 1  # the flag in the table of contents
    (tmp_path / "runs.zip").write_bytes(content)
    report = scan(tmp_path)
    assert [(defect.path, defect.message) for defect in report.defects] == [
        (f"{tmp_path}/runs.zip/a.jsonl", "the member is encrypted; unpack the archive and scan the directory")
    ]
    assert report.exit_code == FINDINGS


def test_a_damaged_member_of_a_zip_file_does_not_hide_those_behind_it(tmp_path):
    content = bytearray(zip_of({"a.jsonl": HEALTHY, "b.jsonl": ROWS}))
    content[60] ^= 0xFF
    (tmp_path / "runs.zip").write_bytes(content)
    report = scan(tmp_path)
    assert [defect.path for defect in report.defects][:1] == [f"{tmp_path}/runs.zip/a.jsonl"]
    assert report.exit_code == FINDINGS


def test_a_damaged_header_in_a_tar_file_is_named(tmp_path):
    content = bytearray(tar_of({"a.jsonl": HEALTHY, "b.jsonl": ROWS}))
    content[content.index(b"b.jsonl") + 100] ^= 0xFF
    (tmp_path / "runs.tar").write_bytes(content)
    report = scan(tmp_path)
    assert [defect.path for defect in report.defects] == [f"{tmp_path}/runs.tar"]
    assert "no header of a member at byte" in report.defects[0].message
    assert report.exit_code == NOT_AUDITED


def linked(kind: bytes, target: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        info = tarfile.TarInfo("run/log.jsonl")
        info.size = len(HEALTHY)
        archive.addfile(info, io.BytesIO(HEALTHY.encode()))
        link = tarfile.TarInfo("run/metrics.csv")
        link.type, link.linkname = kind, target
        archive.addfile(link)
    return content.getvalue()


@pytest.mark.parametrize(
    ("kind", "target", "is_named"),
    [
        (tarfile.SYMTYPE, "/nfs/metrics.csv", True),
        (tarfile.SYMTYPE, "../../metrics.csv", True),
        (tarfile.SYMTYPE, "log.jsonl", False),
        (tarfile.SYMTYPE, "../run", False),
        (tarfile.LNKTYPE, "run/log.jsonl", False),
        (tarfile.LNKTYPE, "other/metrics.csv", True),
        (tarfile.FIFOTYPE, "", True),
        (tarfile.CHRTYPE, "", True),
    ],
)
def test_a_log_without_content_in_the_archive_is_named(kind, target, is_named, tmp_path):
    (tmp_path / "runs.tar").write_bytes(linked(kind, target))
    report = scan(tmp_path)
    assert [item.path for item in report.unread] == [f"{tmp_path}/runs.tar/run/metrics.csv"] * is_named
    assert report.exit_code == (NOT_AUDITED if is_named else CLEAN)


def test_a_log_in_a_format_without_a_reader_is_named_in_an_archive_too(tmp_path):
    members = {"log.jsonl": HEALTHY, "metrics.parquet": b"PAR1", "history.npz": b"PK", "weights.npz": b"PK"}
    (tmp_path / "runs.zip").write_bytes(zip_of(members))
    assert [item.path.rpartition("/")[2] for item in scan(tmp_path).unread] == ["metrics.parquet", "history.npz"]


def test_an_absolute_member_stays_inside(tmp_path):
    (tmp_path / "runs.tar").write_bytes(tar_of({"/etc/log.jsonl": ROWS}))
    report = scan(tmp_path)
    assert report.exit_code == FINDINGS


def test_a_tar_file_in_zstandard(tmp_path):
    (tmp_path / "runs.tar.zst").write_bytes(compress(tar_of({"a/log.jsonl": ROWS})))
    report = scan(tmp_path)
    assert [run.run for run in report.runs] == [f"{tmp_path}/runs.tar.zst/a/log.jsonl"]
    assert report.exit_code == FINDINGS


@pytest.mark.parametrize("name", ["runs.tar.gz", "wandb.zip", "logs.7z", "train.log.bz2", "metrics.csv.xz"])
def test_what_is_named_like_packed_logs_and_cannot_be_opened_is_named(name, tmp_path):
    (tmp_path / "log.jsonl").write_text(HEALTHY)
    (tmp_path / name).write_bytes(bytes(range(256)) * 8)
    report = scan(tmp_path)
    assert [item.path for item in report.unread] == [str(tmp_path / name)]
    assert report.exit_code == NOT_AUDITED


@pytest.mark.parametrize("name", ["audio.zip", "weights.tar.gz", "train.json.xz", "model.7z"])
def test_other_things_that_are_packed_are_none_of_our_business(name, tmp_path):
    (tmp_path / "log.jsonl").write_text(HEALTHY)
    (tmp_path / name).write_bytes(bytes(range(256)) * 8)
    assert scan(tmp_path).exit_code == CLEAN
