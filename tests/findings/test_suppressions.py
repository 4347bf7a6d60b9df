"""What a configuration accepts, for a reason; and suppressions that do nothing any more."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from audioloss_cli import ScanConfig, scan
from audioloss_cli.config import ConfigError
from tests.wobble import wobbly

HEALTHY, LOW = wobbly(3.0, 60), wobbly(0.001, 30)
TODAY = datetime.now(UTC).date()


@pytest.fixture(autouse=True)
def _bad_run(jsonl, tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    rows = ({"step": step, "audio_loss": value} for step, value in enumerate([*HEALTHY, *LOW]))
    jsonl(*rows, name="runs/a.jsonl")


@pytest.fixture
def scanned(audioloss, tmp_path):
    """What a scan says under these suppressions: exit code, standing and its reason, stale ones."""

    def run(*entries: str, more=()):
        (tmp_path / "audioloss.toml").write_text("".join(f"[[suppress]]\n{entry}\n" for entry in entries))
        ran = audioloss("scan", "runs", "--report", "json", *more)
        document = json.loads(ran.out)
        (incident,) = document["runs"][0]["series"][0]["incidents"]
        stale = [each["reason"] for each in document["stale_suppressions"]]
        return ran.code, incident["standing"], incident["standing_reason"], stale

    return run


@pytest.mark.parametrize(
    "entry",
    [
        'run = "a.jsonl"',
        'run = "*"',
        'run = "runs/a.jsonl"',
        'tag = "audio_*"',
        'tag = "re:^audio"',
        'code = "critical-loss"',
        'run = "a*"\ntag = "audio_loss"\ncode = "*-loss"',
    ],
)
def test_it_is_accepted_by_what_it_is(entry, scanned):
    assert scanned(f'{entry}\nreason = "a sweep"') == (0, "suppressed", "a sweep", [])


def test_it_is_accepted_by_its_fingerprint(scanned):
    (incident,) = scan("runs").incidents
    for fingerprint in (incident.fingerprint, incident.fingerprint.upper()):
        assert scanned(f'fingerprint = "{fingerprint}"\nreason = "known to Ann"')[:2] == (0, "suppressed")
    assert scanned('fingerprint = "0000000000000000"\nreason = "x"') == (1, "found", "", ["matches nothing"])


@pytest.mark.parametrize(
    "entry", ['run = "b.jsonl"', 'tag = "audio"', 'code = "low-loss"', 'run = "a*"\ncode = "nan"', 'tag = "x"']
)
def test_what_does_not_match_in_full_is_idle_and_said(entry, scanned):
    assert scanned(f'{entry}\nreason = "x"') == (1, "found", "", ["matches nothing"])


def test_an_expired_one_accepts_nothing_and_is_said(scanned, audioloss, tmp_path):
    yesterday = TODAY - timedelta(days=1)
    told = f"its suppression expired on {yesterday} (a sweep)"
    for until in (f"{yesterday}", f'"{yesterday}"', f"{yesterday}T23:59:59Z"):
        entry = f'code = "*"\nreason = "a sweep"\nuntil = {until}'
        assert scanned(entry) == (1, "found", told, [f"expired on {yesterday}"])
    text = audioloss("scan", "runs").out
    assert f"Stale suppressions code = '*': expired on {yesterday} ({tmp_path}" in " ".join(text.split())
    assert text.splitlines()[-1].endswith("1 critical, 1 stale suppression in 1 series of 1 run")


def test_it_holds_on_its_last_day(scanned):
    assert scanned(f'code = "*"\nreason = "a sweep"\nuntil = {TODAY + timedelta(days=1)}') == (
        0,
        "suppressed",
        "a sweep",
        [],
    )


def test_stale_ones_fail_if_asked_to(scanned, jsonl):
    both = ('code = "*"\nreason = "a sweep"', 'run = "gone"\nreason = "x"')
    assert scanned(*both) == (0, "suppressed", "a sweep", ["matches nothing"])
    assert scanned(*both, more=["--fail-on-stale-suppressions"])[0] == 1
    assert scanned(both[0], more=["--fail-on-stale-suppressions"])[0] == 0


def test_each_entry_that_matches_is_of_use(scanned):
    """The reason is that of the first."""
    assert scanned('code = "*"\nreason = "one"', 'run = "*"\nreason = "two"') == (0, "suppressed", "one", [])


def test_one_for_a_probe_is_not_idle_in_a_scan(scanned):
    assert scanned('code = "label-leak"\nreason = "of the probe"') == (1, "found", "", [])


def test_what_is_suppressed_is_shown_apart(audioloss, tmp_path):
    (tmp_path / "audioloss.toml").write_text('[[suppress]]\ncode = "*"\nreason = "a sweep"\n')
    text = audioloss("scan", "runs").out
    assert "suppressed: critical-loss at step 60 of audio_loss [" in text
    assert text.endswith("\nPASS (exit 0): no new incidents, 1 suppressed in 1 series of 1 run\n")
    assert "CRITICAL" not in text
    assert "suppressed: a sweep" in audioloss("scan", "runs", "-v").out


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('code = "*"', "suppress entry 1 has no reason; say why this finding is accepted"),
        ('code = "*"\nreason = " "', "suppress entry 1: reason must be a text, not ' '"),
        ('reason = "x"', "suppress entry 1 would accept everything; name a run, tag, code or fingerprint"),
        ('reason = "x"\nuntil = 2026-01-01', "suppress entry 1 would accept everything"),
        ('cod = "*"\nreason = "x"', "suppress entry 1 has an unknown key 'cod'; did you mean 'code'?"),
        ('zzz = "*"\nreason = "x"', "unknown key 'zzz'; known keys: run, tag, code, fingerprint, reason, until"),
        ("run = 3\nreason = 'x'", "suppress entry 1: run must be a text, not 3"),
        ('tag = "re:("\nreason = "x"', "suppress entry 1: tag 're:(' is no regular expression"),
        ('run = "a"\nreason = "x"\nuntil = "soon"', "until must be a date such as 2026-12-31, not 'soon'"),
        ('run = "a"\nreason = "x"\nuntil = 12:00:00', "until must be a date such as 2026-12-31"),
        ('run = "a"\nreason = "x"\nuntil = 5', "until must be a date such as 2026-12-31, not 5"),
    ],
)
def test_a_mistake_names_the_file_and_the_entry(entry, words, audioloss, tmp_path):
    (tmp_path / "audioloss.toml").write_text(f"[[suppress]]\n{entry}\n")
    for command in (("scan", "runs"), ("probe", "--ckpt", "x", "--data", "y")):
        ran = audioloss(*command)
        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert f"{tmp_path / 'audioloss.toml'}: " in ran.err
        assert words in ran.err


@pytest.mark.parametrize("text", ["suppress = 3", "[suppress]\ncode = '*'", "suppress = ['x']"])
def test_another_form_is_refused(text, audioloss, tmp_path):
    (tmp_path / "audioloss.toml").write_text(f"{text}\n")
    ran = audioloss("scan", "runs")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "suppress" in ran.err


def test_a_caller_gives_tables():
    report = scan("runs", ScanConfig(suppress=({"code": "*", "reason": "a test"},)))
    assert (report.exit_code, [each.standing for each in report.incidents]) == (0, ["suppressed"])
    with pytest.raises(ValueError, match="has no reason"):
        scan("runs", ScanConfig(suppress=({"code": "*"},)))
    assert issubclass(ConfigError, ValueError)
