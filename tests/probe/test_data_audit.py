"""The data alone: a fault in one late batch of a loader with workers is found, and healthy data are silent."""

import json
from typing import Any

import pytest
import torch

from audioloss_cli import Severity
from audioloss_cli.probe.config import ProbeConfig
from audioloss_cli.probe.data_audit import audit_data
from tests.effort import exhaustive, one_in
from tests.probe.model_io.adapters.healthy import HEALTHY, ORIGINAL
from tests.probe.pipelines import BATCHES, FAULTS, LATE, batches, kept

HERE = "tests.probe.pipelines"
CODES = {
    "label-out-of-range": "id-out-of-range",
    "text-out-of-range": "id-out-of-range",
    "wrong-codebooks": "wrong-shape",
}
CAUSES = {
    "all-masked": "all-masked",
    "masked-samples": "all-masked",
    "few-distinct-labels": "over-masked",
    "low-valid-fraction": "over-masked",
    "delay-mismatch": "delay-mismatch",
    "double-shift": "double-shift",
    "label-leak": "no-shift",
    "missing-input": "inputs-filtered",
    "empty-input": "inputs-filtered",
    "placeholder-mismatch": "inputs-filtered",
    "bad-positions": "inputs-filtered",
    "bad-attention-mask": "inputs-filtered",
    "wrong-text-shape": "inputs-filtered",
    "ignored-index-in-inputs": "in-place-masking",
}


@pytest.fixture
def config_json(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(ORIGINAL))
    return str(file)


@pytest.fixture
def audit(config_json):
    def run(what: str = "loader", *, batches: int | None = None, **arguments: Any) -> Any:
        config = ProbeConfig("", f"{HERE}:{what}", data_arguments=arguments, config_json=config_json)
        return audit_data(config, batches)

    return run


def grave(report: Any) -> dict[str, Any]:
    return {each.code: each for each in report.findings if each.severity is not Severity.INFO}


def test_healthy_data_of_a_loader_with_workers_are_silent(audit):
    report = audit()
    assert [each.code for each in report.findings] == ["data-summary"]
    summary = report.findings[0].evidence
    assert (summary["samples"], summary["labels"]) == (2 * BATCHES, sum(each["labels"].numel() for each in kept()))
    assert summary["labels_that_count"] == sum(int((each["labels"] >= 0).sum()) for each in kept())
    assert [each["labels"] for each in summary["codebooks"]] == [summary["labels_that_count"] // 8] * 8
    assert not report.unaudited


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_data_of_every_family_are_silent(name, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(HEALTHY[name].config))
    config = ProbeConfig(
        "",
        f"{HERE}:healthy",
        data_arguments={"name": name},
        config_json=str(tmp_path),
        adapter=name,
        options=HEALTHY[name].options,
    )
    report = audit_data(config)
    assert grave(report) == {}
    assert not report.unaudited


@pytest.mark.parametrize("fault", one_in(8, FAULTS))
def test_a_fault_of_one_late_batch_is_found(fault, audit):
    report = audit(fault=fault)
    found = grave(report)
    code = CODES.get(fault, fault)
    assert code in found
    if code != "masked-samples":
        assert found[code].evidence["batches"] == [LATE]
        assert f"in 1 of {BATCHES} batches (batch {LATE}: samples 74, 75): " in found[code].message
        assert found[code].evidence["samples_of_the_first"] == [2 * LATE, 2 * LATE + 1]
    assert CAUSES.get(fault, "bad-codes") in {each.cause for each in report.diagnoses}
    assert not report.unaudited


def test_samples_are_named_by_their_place_in_the_data_when_they_are_shuffled(audit):
    torch.manual_seed(3)
    report = audit(fault="all-masked", shuffle=True, size=1, workers=0)
    masked = grave(report)["masked-samples"]
    (place,) = masked.evidence["first"]
    assert place["index"] == 2 * LATE
    assert place["batch"] != 2 * LATE  # it was shuffled
    assert f"sample {2 * LATE} (batch {place['batch']})" in masked.message


def test_a_dataset_that_is_not_shared_among_workers_shows_by_its_copies(audit):
    found = grave(audit("unshared"))["duplicate-samples"]
    assert found.evidence["copies"] == found.evidence["distinct"] == 20
    assert found.evidence["first"][0] == [0, 2]


def test_copies_that_are_drawn_on_purpose_are_a_fact(audit):
    report = audit("with_replacement")
    assert grave(report) == {}
    assert "drawn with replacement" in next(
        each.message for each in report.findings if each.code == "duplicate-samples"
    )


def test_samples_and_batches_of_text_alone_are_a_fact(audit):
    report = audit("mixed")
    assert grave(report) == {}
    alone = next(each for each in report.findings if each.code == "text-alone")
    assert alone.evidence["text_alone"] == 12
    assert alone.evidence["first"][0] == {"batch": 1, "sample": 1, "index": 3}


@pytest.mark.parametrize("workers", [0, *exhaustive(2)])
def test_a_collator_that_writes_into_its_samples_is_found(workers, audit):
    report = audit("masking_in_place", workers=workers)
    assert "mutated-by-collator" in grave(report)
    assert report.diagnoses[0].cause == "in-place-masking"


def test_what_was_found_before_the_data_broke_off_is_told(audit):
    report = audit("breaking")
    assert grave(report)["all-masked"].evidence["batches"] == [1]
    (broken,) = report.unaudited
    assert broken.reason.startswith("it broke off at batch 3: ")
    assert "RuntimeError in the dataset or its collate_fn" in broken.reason
    assert "no such audio" in broken.reason


def test_what_no_batch_can_tell_all_of_them_together_do(audit):
    found = grave(audit("short"))["dominant-label"]
    assert found.evidence["codebooks"] == [7]


@pytest.mark.parametrize("what", ["generator", "batches"])
@pytest.mark.parametrize(("asked", "taken"), [(None, 7), (3, 3), (1, 1), (9, 7)])
def test_every_batch_is_taken_once(what, asked, taken, audit):
    summary = next(each for each in audit(what, batches=asked).findings if each.code == "data-summary")
    assert summary.evidence["samples"] == 2 * taken


def test_a_directory_of_batches_is_read_file_by_file(config_json, tmp_path):
    for number, batch in enumerate(batches()):
        torch.save(batch, tmp_path / f"{number}.pt")
    report = audit_data(ProbeConfig("", str(tmp_path / "0.pt"), config_json=config_json))
    assert report.findings[0].evidence["samples"] == 2
    (tmp_path / "config.json").unlink()
    report = audit_data(ProbeConfig("", str(tmp_path)))
    assert report.findings[-1].evidence["samples"] == 14


def test_progress_is_told_by_the_batch(config_json):
    told: list[tuple[int, int, str]] = []
    config = ProbeConfig("", f"{HERE}:loader", data_arguments={"workers": 0}, config_json=config_json)
    audit_data(config, 5, lambda *each: told.append(each))
    assert told == [(number, 5, f"{HERE}:loader") for number in range(1, 6)]
