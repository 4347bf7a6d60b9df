"""What stands in a baseline is known and fails nothing, until it gets worse."""

import json
import os

import pytest

from audioloss_cli import ScanConfig, scan
from tests.event_files import scalar_event, write
from tests.wobble import wobbly

HEALTHY, LOW = wobbly(3.0, 60), wobbly(0.001, 30)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def log(jsonl):
    def made(values, name="runs/a.jsonl"):
        return jsonl(*({"step": step, "audio_loss": value} for step, value in enumerate(values)), name=name)

    return made


@pytest.fixture
def known(log, audioloss):
    """A bad run and a baseline that knows it."""
    log([*HEALTHY, *LOW])
    ran = audioloss("scan", "runs", "-q", "--write-baseline", "known.json")
    assert (ran.code, ran.err) == (1, "1 known finding in known.json; --baseline known.json lets it pass\n")
    return "known.json"


def standings(ran) -> list[tuple[str, str, str]]:
    document = json.loads(ran.out)
    assert document["exit_code"] == ran.code
    return [
        (incident["code"], incident["standing"], incident["standing_reason"])
        for run in document["runs"]
        for item in run["series"]
        for incident in item["incidents"]
    ]


def test_what_is_known_passes_and_is_shown_as_known(known, audioloss):
    ran = audioloss("scan", "runs", "--baseline", known)
    assert ran.code == 0
    assert "known: critical-loss at step 60 of audio_loss [" in ran.out
    assert ran.out.endswith("\nPASS (exit 0): no new incidents, 1 known in 1 series of 1 run\n")
    assert standings(audioloss("scan", "runs", "--baseline", known, "--report", "json")) == [
        ("critical-loss", "known", "in known.json")
    ]
    assert audioloss("scan", "runs", "--baseline", known, "-q").out.startswith("PASS")
    assert "critical-loss" not in audioloss("scan", "runs", "--baseline", known, "--report", "concise").out
    assert audioloss("scan", "runs").code == 1


def test_the_configuration_file_names_it_as_seen_from_there(known, audioloss, tmp_path, monkeypatch):
    (tmp_path / "audioloss.toml").write_text('baseline = "known.json"\n')
    assert audioloss("scan", "runs").code == 0
    monkeypatch.chdir(tmp_path / "runs")
    assert audioloss("scan", tmp_path / "runs").code == 0


def test_a_new_incident_fails(known, log, audioloss):
    log([*HEALTHY, *LOW, *HEALTHY, *HEALTHY, *HEALTHY, *LOW])
    ran = audioloss("scan", "runs", "--baseline", known, "--window", "50", "--report", "json")
    assert (ran.code, [standing for _, standing, _ in standings(ran)]) == (1, ["known", "found"])
    log([*HEALTHY, *LOW], "runs/b.jsonl")
    log([*HEALTHY, *LOW])
    assert audioloss("scan", "runs", "--baseline", known, "-q").out.splitlines()[-1] == (
        "FAIL (exit 1): 1 critical, 1 known in 2 series of 2 runs"
    )


def test_what_got_worse_fails(log, audioloss):
    log([*HEALTHY, *wobbly(0.007, 5)])
    assert audioloss("scan", "runs", "--write-baseline", "known.json").code == 1
    assert audioloss("scan", "runs", "--baseline", "known.json").code == 0
    log([*HEALTHY, *wobbly(0.007, 5), *LOW])
    ran = audioloss("scan", "runs", "--baseline", "known.json", "--report", "json")
    assert (ran.code, standings(ran)) == (
        1,
        [("critical-loss", "found", "worse than in known.json: low-loss, warning there")],
    )
    log([*HEALTHY, *wobbly(0.007, 9)])
    assert audioloss("scan", "runs", "--baseline", "known.json").code == 0


def test_another_run_in_the_same_place_is_not_known(known, log, audioloss):
    log([*wobbly(2.9, 60), *LOW])
    ran = audioloss("scan", "runs", "--baseline", known)
    assert ran.code == 1
    assert "baseline known.json: 1 of 1 known findings were not found again" in ran.out


def test_a_run_that_has_grown_since_its_third_point_is_known(log, audioloss):
    log([3.0, 3.1, 0.001])
    assert audioloss("scan", "runs", "--write-baseline", "known.json").code == 1
    log([3.0, 3.1, 0.001, *wobbly(0.001, 40)])
    assert audioloss("scan", "runs", "--baseline", "known.json").code == 0
    log([3.0])
    assert audioloss("scan", "runs", "--baseline", "known.json").code == 0
    log([3.0, 2.1, 0.001])
    assert audioloss("scan", "runs", "--baseline", "known.json").code == 1


@pytest.mark.parametrize(
    ("then", "now"), [(["runs"], ["runs/a"]), (["runs/a"], ["runs"]), (["runs/a"], ["runs/a", "runs/b"])]
)
def test_a_scan_of_the_directory_above_knows_it(then, now, tmp_path, audioloss):
    """As a glob over directories does once there is a second one."""
    for name, values in (("a", [*HEALTHY, *LOW]), ("b", HEALTHY)):
        events = [scalar_event(step, {"audio_loss": value}) for step, value in enumerate(values)]
        write(tmp_path / "runs" / name / "x.tfevents", events)
    assert audioloss("scan", *then, "--write-baseline", "known.json").code == 1
    assert audioloss("scan", *now, "--baseline", "known.json").code == 0


def test_a_run_that_gets_a_second_log_is_known_under_the_name_of_its_directory(log, audioloss, tmp_path):
    values = [*HEALTHY, *LOW]
    log(values, "runs/a/log.jsonl")
    for roots in ("runs", "runs/a"):
        assert audioloss("scan", roots, "--write-baseline", f"{roots[-1]}.json").code == 1
    (tmp_path / "runs" / "a" / "train.log").write_text(
        "".join(f"step {step} audio_loss {value:.4f}\n" for step, value in enumerate(values))
    )
    for roots in ("runs", "runs/a"):
        ran = audioloss("scan", roots, "--baseline", f"{roots[-1]}.json", "--report", "json")
        assert (ran.code, len(json.loads(ran.out)["runs"][0]["sources"])) == (0, 2)
        audioloss("scan", roots, "--write-baseline", f"{roots[-1]}2.json")
    (tmp_path / "runs" / "a" / "train.log").unlink()
    for roots in ("runs", "runs/a"):
        assert audioloss("scan", roots, "--baseline", f"{roots[-1]}2.json").code == 0


def test_another_run_beside_a_known_one_is_new_though_it_begins_the_same(known, log, audioloss, tmp_path):
    log([*HEALTHY, *LOW], "runs/b.jsonl")
    (tmp_path / "runs" / "a.jsonl").unlink()
    assert audioloss("scan", "runs", "--baseline", known).code == 1


def test_it_lies_beside_the_logs_and_is_none(known, audioloss, tmp_path):
    for name in ("known.json", "renamed.json", "log.jsonl"):
        (tmp_path / "runs" / name).write_text((tmp_path / known).read_text())
    ran = audioloss("scan", "runs", "--baseline", known, "-v", "--report", "json")
    document = json.loads(ran.out)
    assert (ran.code, len(document["runs"])) == (0, 1)
    assert {each["reason"] for each in document["left_out"]} == {"a baseline of audioloss"}


def test_it_is_written_anew_without_what_is_gone_or_suppressed(known, log, audioloss, tmp_path):
    log([*HEALTHY, *LOW], "runs/b.jsonl")
    log([*HEALTHY, *LOW], "runs/c.jsonl")
    (tmp_path / "audioloss.toml").write_text('[[suppress]]\nrun = "b.jsonl"\nreason = "a test"\n')
    ran = audioloss("scan", "runs", "--baseline", known, "--write-baseline", known, "-q")
    assert (ran.code, ran.err) == (1, "2 known findings in known.json; --baseline known.json lets them pass\n")
    entries = json.loads((tmp_path / known).read_text())["findings"]
    assert [entry["run"] for entry in entries] == ["a.jsonl", "c.jsonl"]
    assert audioloss("scan", "runs", "--baseline", known).code == 0


def test_two_baselines_of_the_same_findings_are_the_same_bytes(known, audioloss, tmp_path):
    audioloss("scan", "runs", "--write-baseline", "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / known).read_bytes()
    assert (tmp_path / known).read_text().startswith('{\n  "schema": "audioloss.baseline/1",\n  "findings": [\n')


def test_a_clean_scan_has_an_empty_one(log, audioloss, tmp_path):
    log(HEALTHY)
    assert audioloss("scan", "runs", "--write-baseline", "known.json").code == 0
    assert json.loads((tmp_path / "known.json").read_text())["findings"] == []
    assert audioloss("scan", "runs", "--baseline", "known.json").code == 0


GOOD = {"schema": "audioloss.baseline/1", "findings": []}
ENTRY = {"fingerprint": "0" * 16, "severity": "warning"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file or directory; make it with --write-baseline"),
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("\xff", "no JSON"),
        ("[]", "is no baseline (audioloss.baseline/1)"),
        ('{"schema": "audioloss.baseline/2"}', "is no baseline (audioloss.baseline/1)"),
        (json.dumps({"schema": "audioloss.baseline/1"}), "has no list of findings"),
        (json.dumps({**GOOD, "findings": [ENTRY, 3]}), "finding 2: it is no table of texts"),
        (
            json.dumps({**GOOD, "findings": [{**ENTRY, "severity": "dire"}]}),
            "finding 1: 'dire' is not a valid Severity",
        ),
        (json.dumps({**GOOD, "findings": [{"severity": "warning"}]}), "finding 1: it has no fingerprint"),
        (json.dumps({**GOOD, "findings": [{**ENTRY, "points": "16"}]}), "or no number of points"),
        (json.dumps({**GOOD, "findings": [{**ENTRY, "run": 3}]}), "finding 1: it is no table of texts"),
        (json.dumps({**GOOD, "findings": [{**ENTRY, "aliases": "x"}]}), "its aliases are no list of texts"),
    ],
)
def test_one_that_is_damaged_is_refused_in_one_line(content, words, log, audioloss, tmp_path):
    log(HEALTHY)
    if content is not None:
        (tmp_path / "known.json").write_text(content, encoding="latin-1")
    ran = audioloss("scan", "runs", "--baseline", "known.json")
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert "--baseline known.json: " in ran.err
    assert words in ran.err
    with pytest.raises(ValueError, match=r"--baseline known\.json"):
        scan("runs", ScanConfig(baseline="known.json"))


def test_only_a_baseline_is_written_over(log, audioloss, tmp_path):
    path = log([*HEALTHY, *LOW])
    before = path.read_bytes()
    ran = audioloss("scan", "runs", "--write-baseline", path)
    assert (ran.code, ran.out) == (2, "")
    assert "holds something else than a baseline; name another file" in ran.err
    assert path.read_bytes() == before
    ran = audioloss("scan", "runs", "--write-baseline", "none/known.json")
    assert (ran.code, "there is no directory" in ran.err, ran.err.count("\n")) == (2, True, 1)
    os.mkfifo("pipe")
    for place in (tmp_path, "pipe"):
        ran = audioloss("scan", "runs", "--write-baseline", place)
        assert (ran.code, "is no file; name another one" in ran.err, ran.err.count("\n")) == (2, True, 1)
    (tmp_path / "empty.json").touch()
    assert audioloss("scan", "runs", "--write-baseline", "empty.json").code == 1
    assert json.loads((tmp_path / "empty.json").read_text())["findings"]
