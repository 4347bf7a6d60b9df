"""Policies of the gate, from options to the exit code."""

import json

import pytest

from audioloss_cli.config import ScanConfig
from audioloss_cli.model import SettingError
from tests.wobble import wobbly

HEALTHY, LOW = wobbly(3.0, 60), wobbly(0.001, 30)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def log(jsonl):
    def made(values, name="runs/a.jsonl", tag="audio_loss"):
        return jsonl(*({"step": step, tag: value} for step, value in enumerate(values)), name=name)

    return made


@pytest.mark.parametrize(("most", "code"), [(0, 1), (1, 1), (2, 0), (9, 0)])
def test_so_many_incidents_may_pass(most, code, log, audioloss):
    for name in ("a", "b"):
        log([*HEALTHY, *LOW], f"runs/{name}.jsonl")
    ran = audioloss("scan", "runs", "-q", "--max-incidents", most)
    assert ran.code == code
    verdict = ran.out.splitlines()[-1]
    assert verdict.startswith("PASS (exit 0): 2 critical" if code == 0 else "FAIL (exit 1): 2 critical")
    assert verdict.endswith(f" (up to {most} incident{'s' * (most > 1)} may pass)" if most else "of 2 runs")


def test_incidents_below_the_gate_do_not_count(log, audioloss):
    for name, low in (("a", 0.007), ("b", 0.007), ("c", 0.001)):
        log([*HEALTHY, *wobbly(low, 5)], f"runs/{name}.jsonl")
    assert audioloss("scan", "runs", "--fail-on", "critical", "--max-incidents", "1").code == 0
    assert audioloss("scan", "runs", "--max-incidents", "1").code == 1


def test_what_a_run_lacks_is_not_among_those_that_may_pass(log, audioloss):
    log(HEALTHY)
    assert audioloss("scan", "runs", "--require-tag", "other", "--max-incidents", "5").code == 1


def test_exit_zero_reports_and_passes(log, audioloss, tmp_path):
    log([*HEALTHY, *LOW])
    ran = audioloss("scan", "runs", "--exit-zero")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "FAIL (exit 0 by --exit-zero): 1 critical in 1 series of 1 run"
    assert json.loads(audioloss("scan", "runs", "--exit-zero", "--report", "json").out)["exit_code"] == 0
    (tmp_path / "audioloss.toml").write_text("exit-zero = true\n")
    assert audioloss("scan", "runs").code == 0
    assert audioloss("scan", "runs", "--no-exit-zero").code == 1


def test_exit_zero_hides_nothing_that_could_not_be_audited(log, audioloss):
    path = log([*HEALTHY, *LOW])
    path.write_text(path.read_text() + "no row\n")
    assert audioloss("scan", "runs").code == 1
    assert audioloss("scan", "runs", "--exit-zero").code == 3
    assert audioloss("scan", "runs", "nowhere", "--exit-zero", "--allow-defects").code == 3


@pytest.mark.parametrize(
    ("variable", "value", "arguments"),
    [
        ("MAX_INCIDENTS", "1", ["--max-incidents", "1"]),
        ("REQUIRE_TAG", "x y", ["--require-tag", "x", "--require-tag", "y"]),
        ("MIN_STEPS", "500", ["--min-steps", "500"]),
        ("EXIT_ZERO", "1", ["--exit-zero"]),
        ("FAIL_ON_STALE_SUPPRESSIONS", "1", ["--fail-on-stale-suppressions"]),
        ("BASELINE", "known.json", ["--baseline", "known.json"]),
    ],
)
def test_a_variable_says_what_its_option_says(variable, value, arguments, log, audioloss, monkeypatch, tmp_path):
    log([*HEALTHY, *LOW])
    audioloss("scan", "runs", "--write-baseline", "known.json")
    (tmp_path / "audioloss.toml").write_text('[[suppress]]\nrun = "gone"\nreason = "x"\n')
    without = audioloss("scan", "runs", "--report", "json")
    said = audioloss("scan", "runs", "--report", "json", *arguments)
    monkeypatch.setenv(f"AUDIOLOSS_{variable}", value)
    assert audioloss("scan", "runs", "--report", "json") == said != without


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"max_incidents": -1}, "must be a whole number, 0 or more"),
        ({"max_incidents": True}, "must be a whole number"),
        ({"min_steps": 1.5}, "must be a whole number"),
        ({"require_tags": "loss"}, "must be a list of patterns"),
        ({"require_tags": ("re:(",)}, "is no regular expression"),
        ({"exit_zero": 1}, "must be true or false"),
        ({"fail_on_stale_suppressions": "no"}, "must be true or false"),
        ({"baseline": ""}, "must be the name of a file"),
        ({"suppress": "all"}, "must be a list of tables"),
    ],
)
def test_a_value_that_makes_no_sense_names_its_field(fields, words):
    with pytest.raises(SettingError, match=words) as caught:
        ScanConfig(**fields)
    assert [caught.value.field] == list(fields)
