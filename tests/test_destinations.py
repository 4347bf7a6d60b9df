"""Several reports of one scan: which kinds, and where each goes."""

import json
from pathlib import Path

import pytest

KINDS = {
    "x.json": "json",
    "x.jsonl": "jsonl",
    "x.csv": "csv",
    "x.md": "markdown",
    "x.xml": "junit",
    "x.sarif": "sarif",
    "x.sarif.json": "sarif",
    "x.prom": "prometheus",
    "gl-code-quality-report.json": "gitlab",
    "x.txt": "text",
    "X.JSON": "json",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)


@pytest.fixture
def low(jsonl) -> Path:
    jsonl(*({"step": step, "audio_loss": 3.0 if step < 20 else 0.001} for step in range(40)), name="log.jsonl")
    return Path("log.jsonl")


def without_time(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if "timestamp=" not in line)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("file", "kind"), KINDS.items())
@pytest.mark.parametrize("options", [["--report", "{file}"], ["-o", "{file}"], ["--report", "{kind}={file}"]], ids=str)
def test_the_suffix_tells_the_kind(options, file, kind, low, audioloss):
    ran = audioloss("scan", low, *(option.format(file=file, kind=kind) for option in options))
    assert ran.code == 1
    assert without_time(Path(file).read_text()) == without_time(audioloss("scan", low, "--report", kind).out)


def test_text_is_on_standard_output_all_the_while(low, audioloss):
    text = audioloss("scan", low).out
    ran = audioloss("scan", low, "--report", "x.json", "--report", "sarif=y", "--report", "csv=a=b.txt")
    assert (ran.code, ran.out, ran.err) == (1, text, "")
    assert json.loads(Path("x.json").read_text())["exit_code"] == 1
    assert json.loads(Path("y").read_text())["version"] == "2.1.0"
    assert Path("a=b.txt").read_text().startswith("kind,run,")


def test_another_kind_takes_its_place_and_a_file_of_the_option_output_the_place_of_that(low, audioloss):
    ran = audioloss("scan", low, "--report", "json", "--report", "x.csv")
    assert json.loads(ran.out)["exit_code"] == 1
    ran = audioloss("scan", low, "--report", "json", "-o", "y.txt", "--report", "x.csv")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("FAIL (exit 1): ")
    assert json.loads(Path("y.txt").read_text())["exit_code"] == 1


@pytest.mark.parametrize("options", [["--report", "json=-"], ["--report", "json", "-o", "-"]], ids=str)
def test_a_dash_is_standard_output(options, low, audioloss):
    assert json.loads(audioloss("scan", low, *options).out)["exit_code"] == 1
    assert not Path("-").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--report", "jsno"], "--report: 'jsno' is not one of concise, csv, "),
        (["--report", "jsno"], "did you mean 'json'? give KIND, KIND=FILE or FILE, such as x.json"),
        (["--report", "x.foo"], "nor a file with the suffix of one"),
        (["--report", "jsno=x.foo"], "'jsno' is not one of"),
        (["--report", "json="], "'json='"),
        (
            ["-o", "x.foo"],
            "--output x.foo: .foo is the suffix of no kind of report; name the kind with --report, one of",
        ),
        (["--report", "json", "--report", "csv"], "json and --report csv would both go to standard output"),
        (["--report", "x.json", "--report", "csv=./x.json"], "x.json would be the same file; name another one"),
        (["--report", "x.json", "-o", "x.json"], "would be the same file"),
        (["--report", "json=no/x"], "--report no/x: there is no directory"),
    ],
    ids=str,
)
def test_what_makes_no_sense_is_a_usage_error(options, words, low, audioloss, tmp_path):
    ran = audioloss("scan", low, *options)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert words in ran.err
    assert {path.name for path in tmp_path.iterdir()} == {".git", "log.jsonl"}


def test_one_kind_named_twice_is_one(low, audioloss):
    assert audioloss("scan", low, "--report", "json", "--report", "json").out.count('"schema"') == 1
    assert audioloss("scan", low, "--report=/dev/null", "--report=json=/dev/null").code == 2
    assert audioloss("scan", low, "--report=csv=/dev/null", "--report=json=/dev/null").code == 1


def test_no_report_is_written_where_a_log_would_be_lost(low, audioloss):
    kept = low.read_bytes()
    ran = audioloss("scan", low, "--report", "x.csv", "--report", "jsonl=log.jsonl")
    assert (ran.code, low.read_bytes(), Path("x.csv").exists()) == (2, kept, False)
    assert "--report log.jsonl: is one of the logs that were read" in ran.err


def test_our_own_reports_are_no_logs(low, audioloss):
    """But for text, which may stand in the console output of a training."""
    options = [f"--report={file}" for file, kind in KINDS.items() if kind != "text"]
    expected = audioloss("scan", low.parent, "--report", "json").out
    for _ in range(2):
        assert audioloss("scan", ".", *options).code == 1
        assert json.loads(audioloss("scan", ".", "--report", "json").out)["unread"] == []
    assert json.loads(Path("x.json").read_text())["runs"] == json.loads(expected)["runs"]
