"""``--open``: the page is opened by the user's browser, and where there is none its place is said."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent.parent / "sample_logs"


def scan(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
    command = [sys.executable, "-m", "audioloss_cli", "scan", str(SAMPLES / "nan"), *map(str, arguments)]
    return subprocess.run(command, env=known | environment, capture_output=True, text=True, check=False)


@pytest.fixture
def browser(tmp_path) -> Path:
    """A browser that writes down what it is asked to open."""
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/asked\n')
    script.chmod(0o755)
    return script


def test_the_page_is_opened(browser, tmp_path):
    done = scan("--open", "--report", f"html={tmp_path}/a page.html", BROWSER=f"{browser} %s")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("sample_logs") or "FAIL" in done.stdout
    assert (tmp_path / "asked").read_text() == (tmp_path / "a page.html").as_uri()
    assert (tmp_path / "a page.html").read_text().startswith("<!DOCTYPE html>")


def test_without_a_file_it_is_a_temporary_one(browser, tmp_path):
    (tmp_path / "here").mkdir()
    done = scan("--open", BROWSER=f"{browser} %s", TMPDIR=f"{tmp_path}/here")
    assert done.returncode == 1
    (page,) = (tmp_path / "here").glob("*.html")
    assert (tmp_path / "asked").read_text() == page.as_uri()


def test_without_a_browser_its_place_is_said(tmp_path):
    done = scan("--open", TMPDIR=str(tmp_path))
    (page,) = tmp_path.glob("*.html")
    assert done.returncode == 1
    assert re.fullmatch(rf"no browser can be opened here; the page is {re.escape(str(page))}\n", done.stderr)
    assert "FAIL" in page.read_text()


def test_a_failure_leaves_no_empty_page(tmp_path):
    log = tmp_path / "train_log.jsonl"
    log.write_bytes((SAMPLES / "no-shift" / "train_log.jsonl").read_bytes())
    done = scan(log, "--open", "--report", f"json={log}", TMPDIR=str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert list(tmp_path.iterdir()) == [log]
