"""Every healthy file of the corpus of real logs, against its truth; `tests/reference` has the reference reader."""

import hashlib
import json
import math
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from audioloss_cli import registry, scan
from audioloss_cli.model import Series
from audioloss_cli.storage.log_file import LogFile
from tests.event_files import read

CORPUS = Path(os.environ.get("AUDIOLOSS_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))
READERS = {
    "tfevents": "tensorboard",
    "jsonl": "jsonl",
    "csv": "csv",
    "trainer_state": "trainer_state",
    "wandb": "wandb",
}

if not (CORPUS / "truth.jsonl").is_file():
    pytest.skip("no corpus here", allow_module_level=True)

with (CORPUS / "truth.jsonl").open(encoding="utf-8") as lines:
    TRUTH = {entry["id"]: entry for entry in map(json.loads, lines) if entry["kind"] in READERS}


def digest(series: Series) -> str:
    """The corpus hashes little-endian int64 step and float64 value, point by point."""
    packed = b"".join(struct.pack("<qd", *pair) for pair in zip(series.steps, series.values, strict=True))
    return hashlib.sha256(packed).hexdigest()


def figures(series: Series) -> dict[str, object]:
    """For a series with a NaN, whose bit pattern the hash does not define: what the corpus tells beside the hash."""
    pairs = list(zip(series.steps, series.values, strict=True))
    finite = [value for value in series.values if math.isfinite(value)]
    return {
        "count": len(pairs),
        "first_step": pairs[0][0],
        "last_step": pairs[-1][0],
        "min": min(finite, default=None),
        "max": max(finite, default=None),
        "n_nan": sum(math.isnan(value) for value in series.values),
        "n_inf": sum(math.isinf(value) for value in series.values),
        "n_zero": sum(value == 0 for value in series.values),
        "first_nonfinite_step": next(step for step, value in pairs if not math.isfinite(value)),
    }


# The truth of these files takes W&B's count of calls, ``_step``, though the trainer logged the step of the training.
STEPS_OF_THE_TRAINING = {"wan0388", "wan0389", "wan0631"}


def assert_has_the_values_of(series: Series, truth: dict[str, Any]) -> None:
    finite = [value for value in series.values if math.isfinite(value)]
    assert len(series) == truth["count"]
    assert (min(finite, default=None), max(finite, default=None)) == (truth["min"], truth["max"])
    assert list(series.steps) == sorted(series.steps)


def assert_is(series: Series, truth: dict[str, object]) -> None:
    if truth["n_nan"]:
        found = figures(series)
        assert found == {name: truth[name] for name in found}
    else:
        assert digest(series) == truth["series_sha256"]


def lists_in(path: Path, reader: str) -> set[str]:
    """Keys of JSON lists, which the truth leaves out and the reader takes apart."""
    if reader != "jsonl":
        return set()
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    return {key for row in rows for key, value in row.items() if isinstance(value, list)}


def expected_defects(entry: dict[str, Any]) -> list[str]:
    """One file of the corpus holds a record whose checksum is wrong, which the truth's reader did not look at."""
    if entry["id"] == "tfe0081":
        return ["checksum"]
    stop = entry.get("framing", entry["meta"]).get("stop", "eof")
    return {"eof": [], "short_record": ["truncated"], "short_data": ["truncated"]}[stop]


@pytest.mark.parametrize("entry", TRUTH.values(), ids=TRUTH)
def test_it_reads_what_the_truth_says(entry):
    path, reader = CORPUS / entry["file"], READERS[entry["kind"]]
    assert registry.load("readers", reader).claims(LogFile(path))
    series, defects = read(path, reader)
    for tag, truth in entry["series"].items():
        if entry["id"] in STEPS_OF_THE_TRAINING:
            assert_has_the_values_of(series[tag], truth)
        else:
            assert_is(series[tag], truth)
    extra = {tag for tag in set(series) - set(entry["series"]) if tag.split("/")[0] not in lists_in(path, reader)}
    assert extra == set(entry["meta"].get("string_numeric", []))
    assert [defect.kind for defect in defects] == expected_defects(entry)


def marked(series: Series) -> list[int]:
    """Points before which the writer marks a restart though the step does not go back; the truth counts none."""
    return [index for index in series.restarts if index and series.steps[index] >= series.steps[index - 1]]


def test_restarts_are_those_of_the_truth():
    """A segment more for each time the step of a tag goes back, and for each SessionLog.START in the midst of it."""
    more = set()
    for entry in TRUTH.values():
        for run in scan(CORPUS / entry["file"], points=True).runs:
            for item in run.series:
                restarts = entry["series"][item.tag]["restarts"]
                assert len(item.segment_starts) - 1 == restarts + len(marked(item.series)), entry["id"]
                more |= {entry["id"]} if marked(item.series) else set()
    assert more == {entry["id"] for entry in TRUTH.values() if entry["meta"].get("session_starts", 0) > 1} != set()


def test_nothing_in_it_crashes_a_scan():
    report = scan(CORPUS / "files")
    assert len([run for run in report.runs if run.series]) > 50
    assert {defect.kind for defect in report.defects} == {"truncated", "checksum"}


# These hold nothing but the loss of an evaluation, which the report names; it stands in for no training.
EVALUATION_ALONE = {"tfe0205", "tra0383"}


def test_every_file_that_holds_a_loss_is_audited_or_its_losses_are_named():
    with (CORPUS / "truth.jsonl").open(encoding="utf-8") as lines:
        entries = [entry for entry in map(json.loads, lines) if any("loss" in tag.lower() for tag in entry["series"])]
    passed_over = set()
    for entry in entries:
        runs = scan(CORPUS / entry["file"]).runs
        if not any(run.series for run in runs):
            passed_over.add(entry["id"])
            assert any(run.not_audited for run in runs)
    assert passed_over == EVALUATION_ALONE
    assert len(passed_over) <= 0.02 * len(entries)


def test_the_summary_of_a_run_is_no_log():
    """These documents of the corpus hold the last numbers of a training, and none of its steps."""
    with (CORPUS / "truth.jsonl").open(encoding="utf-8") as lines:
        summaries = [CORPUS / entry["file"] for entry in map(json.loads, lines) if entry["kind"] == "json"]
    assert summaries
    for path in summaries:
        assert [one for one in registry.names("readers") if registry.load("readers", one).claims(LogFile(path))] == []
