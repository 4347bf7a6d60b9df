"""Every console output of the corpus of real logs, against its truth; where it differs, this says why."""

import json
import os
from pathlib import Path

import pytest

from audioloss_cli import registry
from audioloss_cli.model import Series
from audioloss_cli.storage.log_file import LogFile
from tests.event_files import read

CORPUS = Path(os.environ.get("AUDIOLOSS_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))

if not (CORPUS / "truth.jsonl").is_file():
    pytest.skip("no corpus here", allow_module_level=True)

with (CORPUS / "truth.jsonl").open(encoding="utf-8") as lines:
    TRUTH = {entry["id"]: entry for entry in map(json.loads, lines) if entry["kind"] == "text_log"}

# No loss comes twice in lines of one kind: it is the summary of ten trainings.
NOT_CLAIMED = {"tex0590"}
# The truth has the step in the epoch, which starts anew; ours goes on from epoch to epoch.
STEP_IN_EPOCH = {"tex0544": 62, "tex0568": 3125}
# Lists without names, which the truth places by line, configurations included; ours have the step that they name.
LISTS = {"tex0436": {}, "tex0490": {2: 107, 3: 107, 4: 107}}


def figures(series: Series) -> dict[str, object]:
    values = list(series.values)
    return {
        "count": len(values),
        "first": values[0],
        "last": values[-1],
        "min": min(values),
        "max": max(values),
        "n_zero": values.count(0.0),
    }


def steps_of(series: Series) -> dict[str, object]:
    steps = list(series.steps)
    return {"first_step": steps[0], "last_step": steps[-1], "min_step": min(steps), "max_step": max(steps)}


@pytest.mark.parametrize("entry", TRUTH.values(), ids=TRUTH)
def test_it_reads_what_the_truth_says(entry):
    path = CORPUS / entry["file"]
    claimed = registry.load("readers", "text").claims(LogFile(path))
    assert claimed == (entry["id"] not in NOT_CLAIMED)
    series, defects = read(path, "text")
    assert defects == []
    if entry["id"] in LISTS:
        assert all(len(series[f"losses/{place}"]) == count for place, count in LISTS[entry["id"]].items())
        return
    assert any("loss" in tag.lower() for tag in series)
    for tag, truth in entry["series"].items():
        found = figures(series[tag])
        assert found == {name: truth[name] for name in found}
        if entry["id"] not in STEP_IN_EPOCH:
            steps = steps_of(series[tag])
            assert steps == {name: truth[name] for name in steps}
        else:
            assert max(series[tag].steps) > truth["max_step"]
            assert series[tag].steps[0] == truth["first_step"]
