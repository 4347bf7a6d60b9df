"""``-o``: the new report in full or the old one as it was, whatever kind of file it is."""

import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

OLD = "an old report\n" * 1000
COMMAND = [sys.executable, "-m", "audioloss_cli"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def low(jsonl) -> Path:
    return jsonl(*({"step": step, "audio_loss": 3.0 if step < 20 else 0.001} for step in range(40)))


@pytest.fixture
def unprivileged(low, monkeypatch):
    """A directory of somebody who is not root, with the log in it: root may write anywhere."""
    root, directory = os.geteuid() == 0, Path(tempfile.mkdtemp())
    shutil.copy(low, directory)
    (directory / ".git").mkdir()
    monkeypatch.chdir(directory)
    if root:
        for path in (directory, *directory.iterdir()):
            os.chown(path, 65534, -1)
        os.seteuid(65534)
    try:
        yield directory
    finally:
        directory.chmod(0o755)
        if root:
            os.seteuid(0)
        shutil.rmtree(directory)


def names(directory: Path = Path()) -> set[str]:
    return {path.name for path in directory.iterdir()} - {".git", "log.jsonl"}


def small_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))


@pytest.mark.parametrize("report", ["text", "json"])
def test_a_report_that_fails_half_way_leaves_the_old_one(report, low):
    Path("report").write_text(OLD)
    words = [*COMMAND, "scan", "log.jsonl", "--report", report, "-o", "report"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, preexec_fn=small_disk)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)
    assert "cannot write the report to report: File too large" in done.stderr
    assert Path("report").read_text() == OLD
    assert names() == {"report"}


@pytest.mark.exhaustive  # as a report, which is tried each time
def test_so_does_a_dump_of_a_batch(low):
    pytest.importorskip("torch")
    from tests.probe.training import checkpoint

    Path("dump").write_text(OLD)
    words = f"probe --ckpt {checkpoint('untrained')} --data tests.probe.batches:healthy --dump-batch dump"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(
        [*COMMAND, *words.split()], capture_output=True, text=True, check=False, preexec_fn=small_disk, env=environment
    )
    assert (done.returncode, done.stdout) == (4, "")
    assert "cannot write the batch dump to dump: File too large" in done.stderr
    assert Path("dump").read_text() == OLD
    assert names() == {"dump"}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_permissions_stay(mode, audioloss, low):
    Path("report").write_text(OLD)
    Path("report").chmod(mode)
    assert audioloss("scan", low, "-o", "report").code == 1
    assert stat.S_IMODE(Path("report").stat().st_mode) == mode
    assert Path("report").read_text().splitlines()[-1].startswith("FAIL")


def test_a_new_report_has_the_permissions_of_any_new_file(audioloss, low):
    mask = os.umask(0o027)
    try:
        assert audioloss("scan", low, "-o", "report").code == 1
    finally:
        os.umask(mask)
    assert stat.S_IMODE(Path("report").stat().st_mode) == 0o640


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_one(there, audioloss, low):
    Path("deep").mkdir()
    if there:
        Path("deep/report").write_text(OLD)
    Path("link").symlink_to("deep/report")
    assert audioloss("scan", low, "-o", "link").code == 1
    assert Path("link").is_symlink()
    assert Path("deep/report").read_text().splitlines()[-1].startswith("FAIL")
    assert names() == {"deep", "link"}
    assert names(Path("deep")) == {"report"}


def test_links_that_lead_nowhere_exit_4(audioloss, low):
    Path("link").symlink_to("link")
    ran = audioloss("scan", low, "-o", "link")
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)


def test_a_fifo_is_written_to(audioloss, low):
    os.mkfifo("pipe")
    read = list[str]()
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text()))
    reader.start()
    assert audioloss("scan", low, "-o", "pipe").code == 1
    reader.join()
    assert read[0].splitlines()[-1].startswith("FAIL (exit 1)")
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/proc/self/fd/1"])
@pytest.mark.parametrize("redirection", [">> kept", "| cat >> kept"])
def test_standard_output_by_name(name, redirection, low):
    if not Path(name).exists():
        pytest.skip(f"no {name} here")
    Path("kept").write_text("what was before\n")
    command = f"{' '.join(COMMAND)} scan log.jsonl -o {name} {redirection}; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "FAIL (exit 1): 1 critical in 1 series of 1 run\n")
    assert Path("kept").read_text().startswith("what was before\nlog.jsonl  [jsonl]\n")


def test_the_null_device(audioloss, low):
    assert audioloss("scan", low, "-o", os.devnull).code == 1
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_a_directory_that_takes_no_new_file(audioloss, unprivileged):
    (unprivileged / "report").write_text(OLD)
    unprivileged.chmod(0o555)
    assert audioloss("scan", unprivileged / "log.jsonl", "-o", unprivileged / "report").code == 1
    assert (unprivileged / "report").read_text().splitlines()[-1].startswith("FAIL")
    assert "an old report" not in (unprivileged / "report").read_text()
    ran = audioloss("scan", unprivileged / "log.jsonl", "-o", unprivileged / "new")
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    assert "new: Permission denied" in ran.err
    assert names(unprivileged) == {"report"}


def test_a_report_that_is_write_protected_stays(audioloss, unprivileged):
    (unprivileged / "report").write_text(OLD)
    (unprivileged / "report").chmod(0o444)
    ran = audioloss("scan", unprivileged / "log.jsonl", "-o", unprivileged / "report")
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, "", 1)
    assert (unprivileged / "report").read_text() == OLD
