"""The reports of the sample logs, as the command line prints them."""

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from tests.outputs.test_json import closed, strictly

ROOT = Path(__file__).parents[2]
SAMPLES = ["sample_logs", *sorted(f"sample_logs/{path.name}" for path in (ROOT / "sample_logs").iterdir())]
SCHEMA = json.loads(resources.files("audioloss_cli.outputs").joinpath("report-1.schema.json").read_text())


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_json_report_fits_the_schema(sample, audioloss):
    ran = audioloss("scan", sample, "--report", "json")
    document = strictly(ran.out)
    jsonschema.validate(document, closed(SCHEMA))
    assert document["exit_code"] == ran.code
    assert all(run["series"] for run in document["runs"])


@pytest.mark.parametrize("arguments", [[], ["-v"], ["-q"], ["--tag", "nothing"], ["--all-losses"]])
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_text_report_is_no_wider_than_80_columns(sample, arguments, audioloss):
    """Apart from the lines of broken runs, each of which ends in a path."""
    ran = audioloss("scan", sample, *arguments)
    wide = [line for line in ran.out.splitlines() if len(line) > 80]
    assert [
        line for line in wide if not re.fullmatch(r"(CRITICAL|WARNING ) .* [0-9a-f]{16}  sample_logs/\S*", line)
    ] == []
    assert "(exit " in ran.out


@pytest.mark.parametrize("width", [60, 120])
def test_the_sparkline_takes_the_width_of_the_terminal(width, audioloss, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    out = audioloss("scan", "sample_logs/collapse-tensorboard").out
    (row,) = [line for line in out.splitlines() if "█" in line]
    assert sum(row.count(block) for block in "▁▂▃▄▅▆▇█") == width - 30
