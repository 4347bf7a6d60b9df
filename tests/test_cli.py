"""The command line: options, messages of one line, exit codes."""

import concurrent.futures
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import audioloss_cli
from audioloss_cli import registry
from audioloss_cli.audit import jobs
from tests.wobble import wobbly

LOW, HIGH = [*wobbly(6.9, 20), *wobbly(0.001, 20)], wobbly(6.9, 40)
READERS, OUTPUTS = (", ".join(registry.names(folder)) for folder in ("readers", "outputs"))
RULES = [registry.code_of(name) for name in registry.names("rules")]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def low(jsonl) -> Path:
    return jsonl(*({"step": step, "audio_loss": value, "loss": 5.0} for step, value in enumerate(LOW)))


@pytest.fixture
def high(jsonl) -> Path:
    return jsonl(*({"step": step, "audio_loss": value} for step, value in enumerate(HIGH)), name="high.jsonl")


def test_exit_codes_0_1_and_3(audioloss, low, high, tmp_path):
    assert audioloss("scan", high).code == 0
    assert audioloss("scan", low).code == 1
    assert audioloss("scan", tmp_path / "nowhere").code == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scna"], "No such command 'scna'"),
        (["scan", "x", "--nope"], "No such option"),
        (["scan", "x", "--window", "ten"], "'--window'"),
        (["scan", "x", "--window", "0"], "--window must be a whole number of steps"),
        (
            ["scan", "x", "--critical-threshold", "1"],
            "--critical-threshold (1) must not be above the warning threshold (0.01)",
        ),
        (["scan", "x", "--threshold", "nan"], "--threshold must be a finite number"),
        (["scan", "x", "--scale", "0"], "--scale must be a finite number, above 0"),
        (["scan", "x", "--jobs", "-1"], "--jobs must be a whole number"),
        (["scan", "x", "--fail-on", "info"], "'--fail-on'"),
        (["scan", "x", "--kind", "cross"], "'--kind'"),
        (["scan", "x", "--adaptive=no"], "'--adaptive'"),
        (
            ["scan", "x", "--select", "log-dorp"],
            "--select names 'log-dorp', which is no loss rule; did you mean 'log-drop'",
        ),
        (
            ["scan", "x", "--ignore", "log_drop"],
            "--ignore names 'log_drop', which is no loss rule; did you mean 'log-drop'",
        ),
        (["scan", "x", "--ignore", "xyz"], "--ignore names 'xyz', which is no loss rule; audioloss rules lists them"),
        (["scan", "x", "--select", "log-drop", "--ignore", "log-drop"], "--select leaves no rule"),
        (["scan", "x", *(f"--ignore={code}" for code in RULES)], "leaves no rule"),
        (["scan", "x", "--no-adaptive", "--select", "log-drop"], "leaves no rule"),
        (["scan", "x", "--format", "xml"], f"'xml' is not one of {READERS}"),
        (["scan", "x", "--report", "xml"], f"'xml' is not one of {OUTPUTS}"),
        (["scan", "x", "--tag", "re:("], "--tag 're:(' is no regular expression"),
        (["scan", "x", "--output", "no/such/dir/x"], "there is no directory"),
        (["scan", "x", "--config", "nowhere.toml"], "nowhere.toml: No such file"),
    ],
)
def test_a_usage_error_is_one_line_and_exits_2(audioloss, arguments, words):
    ran = audioloss(*arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert ran.err.startswith("audioloss: error: ")
    assert words in ran.err


def test_version_and_both_doors():
    for command in ([sys.executable, "-m", "audioloss_cli"], [str(Path(sys.executable).parent / "audioloss")]):
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, f"audioloss {audioloss_cli.__version__}\n")


def series(ran) -> dict[str, dict]:
    """The audited series of a JSON report, by tag."""
    return {item["tag"]: item for run in json.loads(ran.out)["runs"] for item in run["series"]}


@pytest.mark.parametrize(
    ("arguments", "tags"),
    [
        ([], ["audio_loss"]),
        (["--tag", "loss"], ["loss"]),
        (["--tag", "loss", "--tag", "re:^audio"], ["audio_loss", "loss"]),
        (["--all-losses"], ["audio_loss", "loss"]),
    ],
)
def test_options_choose_the_series(arguments, tags, audioloss, low):
    assert sorted(series(audioloss("scan", low, "--report", "json", *arguments))) == tags


@pytest.mark.parametrize(
    ("arguments", "limits"),
    [
        ([], (100, 0.01, 0.005)),
        (["--window", "5"], (5, 0.01, 0.005)),
        (["--threshold", "0.02"], (100, 0.02, 0.005)),
        (["--critical-threshold", "0.001"], (100, 0.01, 0.001)),
        (["--scale", "8"], (100, 0.08, 0.04)),
    ],
)
def test_options_set_the_limits(arguments, limits, audioloss, low):
    (item,) = series(audioloss("scan", low, "--report", "json", *arguments)).values()
    assert (item["window_size"], item["threshold"], item["critical_threshold"]) == limits


@pytest.mark.parametrize(("arguments", "escalated"), [([], []), (["--window", "5"], [24])])
def test_the_window_decides_when_a_low_loss_is_a_sustained_one(arguments, escalated, audioloss, jsonl):
    losses = [*wobbly(3.0, 20), *wobbly(0.007, 20)]
    path = jsonl(*({"step": step, "audio_loss": value} for step, value in enumerate(losses)))
    (incident,) = series(audioloss("scan", path, "--report", "json", *arguments))["audio_loss"]["incidents"]
    assert [edge["step"] for edge in incident["timeline"] if edge["type"] == "sustained_warning"] == escalated


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 1),
        (["--fail-on", "never"], 0),
        (["--threshold", "0.001", "--critical-threshold", "0.001"], 1),
        (["--no-adaptive"], 1),
        (["--no-adaptive", "--threshold", "0.001", "--critical-threshold", "0.001"], 0),
        (["--format", "tensorboard"], 3),
    ],
)
def test_options_change_the_verdict(arguments, code, audioloss, low):
    assert audioloss("scan", low, *arguments).code == code


@pytest.fixture
def troubled(jsonl) -> Path:
    """Low, then critical; a NaN; and the same number again and again."""
    losses = [*wobbly(6.9, 20), 0.008, 0.004, 6.8, math.nan, *[6.70123] * 25]
    return jsonl(*({"step": step, "audio_loss": loss} for step, loss in enumerate(losses)), name="troubled.jsonl")


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ([], ["critical-loss", "non-finite-loss", "frozen-loss"]),
        (["--select", "critical-loss"], ["critical-loss"]),
        (["--select", "low-loss", "--select", "non-finite-loss"], ["low-loss", "non-finite-loss"]),
        (["--select", "log-drop"], []),
        (["--ignore", "frozen-loss"], ["critical-loss", "non-finite-loss"]),
        (["--ignore", "critical-loss", "--ignore", "non-finite-loss"], ["low-loss", "frozen-loss"]),
        (["--select", "critical-loss", "--select", "frozen-loss", "--ignore", "frozen-loss"], ["critical-loss"]),
        (["--kind", "small"], ["non-finite-loss", "frozen-loss"]),
        (["--kind", "rl"], ["non-finite-loss"]),
    ],
)
def test_options_choose_the_rules(arguments, codes, audioloss, troubled):
    ran = audioloss("scan", troubled, "--report", "json", *arguments)
    assert [incident["code"] for incident in series(ran)["audio_loss"]["incidents"]] == codes
    assert ran.code == bool(codes)


def test_a_loss_that_is_small_by_nature_is_left_alone_and_the_report_says_why(audioloss, low):
    assert audioloss("scan", low, "--kind", "ce").code == audioloss("scan", low).code == 1
    ran = audioloss("scan", low, "--kind", "small")
    assert ran.code == 0
    assert (
        "taken for a loss that is small by nature, to which the fixed thresholds do not apply: declared as small "
        "(--kind ce applies them)"
    ) in " ".join(ran.out.split())
    assert "small by nature" not in audioloss("scan", low, "--kind", "small", "-q").out


def test_without_the_past_a_drop_above_the_thresholds_is_none(audioloss, jsonl):
    losses = enumerate([*wobbly(3.0, 400), *wobbly(0.3, 60)])
    path = jsonl(*({"step": step, "audio_loss": loss} for step, loss in losses))
    assert [audioloss("scan", path, *more).code for more in ([], ["--adaptive"], ["--no-adaptive"])] == [1, 1, 0]


@pytest.mark.parametrize(
    ("enough", "arguments", "pools"),
    [
        (0, [], [2]),
        (0, ["--jobs", "1"], []),
        (0, ["--jobs", "2"], [2]),
        (0, ["--jobs", "9"], [2]),
        (1 << 20, [], []),
        (1 << 20, ["--jobs", "2"], []),
    ],
)
def test_jobs_are_processes_at_most_one_a_run_for_much_work(
    enough, arguments, pools, audioloss, low, high, monkeypatch
):
    monkeypatch.setattr(jobs, "BYTES_WORTH_PROCESSES", enough)
    monkeypatch.setattr(jobs, "BYTES_OF_A_BATCH", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    started = []

    class Pool:
        map = staticmethod(map)

        def __init__(self, jobs, *_, **__):
            started.append(jobs)

        def shutdown(self, **_): ...

    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", Pool)
    assert audioloss("scan", low, high, *arguments).code == 1
    assert started == pools


def test_tags_that_are_there_and_a_hint(audioloss, low):
    ran = audioloss("scan", low, "--tag", "audio_los")
    assert ran.code == 3
    assert "did you mean --tag 'audio_loss'?" in ran.out.replace("\n    ", " ")
    assert "scalars there: audio_loss, loss" in ran.out


def test_quiet_and_verbose(audioloss, low, high):
    broken, verdict = audioloss("scan", low, "-q").out.splitlines()
    assert re.fullmatch(rf"CRITICAL critical-loss  at step \d+  [0-9a-f]{{16}}  {re.escape(str(low))}", broken)
    assert verdict == "FAIL (exit 1): 1 critical in 1 series of 1 run"
    assert audioloss("scan", high, "-q").out == "PASS (exit 0): no incidents in 1 series of 1 run\n"
    assert "█" not in audioloss("scan", high).out
    assert "▆▇█▁▂▃" in audioloss("scan", high, "-v").out


def test_a_json_report(audioloss, low):
    ran = audioloss("scan", low, "--report", "json")
    assert json.loads(ran.out)["exit_code"] == ran.code == 1
    assert ran.err == ""


def test_a_report_in_a_file_leaves_the_verdict_on_stderr(audioloss, low, tmp_path):
    ran = audioloss("scan", low, "--report", "json", "--output", "report.json")
    assert (ran.code, ran.out, ran.err) == (1, "", "FAIL (exit 1): 1 critical in 1 series of 1 run\n")
    assert json.loads((tmp_path / "report.json").read_text())["exit_code"] == 1
    assert audioloss("scan", low, "-q", "--output", "report.txt").err == ""
