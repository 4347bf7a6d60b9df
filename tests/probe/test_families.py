"""Each family is recognised by its configuration or its model: health is no finding, a fault is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from audioloss_cli.model import Report, Severity
from audioloss_cli.probe import ProbeConfig, probe, validate_model_inputs
from audioloss_cli.probe.errors import UsageError
from tests.probe import tiny_families, tiny_siblings
from tests.probe.tiny_families import BOOKS, IDS, delayed_batch

HERE = "tests.probe.test_families"
Batch = dict[str, Tensor]


def csm_hf() -> Any:
    return tiny_families.CsmHf()


def musicgen() -> Any:
    return tiny_families.Delayed(tiny_families.MUSICGEN)


def parler() -> Any:
    return tiny_families.Delayed(tiny_families.PARLER, 5)


def dia() -> Any:
    return tiny_families.Delayed(tiny_families.DIA, by_book=True)


def kyutai() -> Any:
    return tiny_families.Kyutai()


BATCHES: dict[str, Callable[[], Batch]] = {
    "csm_hf": tiny_families.csm_hf_batch,
    "musicgen": lambda: delayed_batch(codes=False),
    "parler": lambda: delayed_batch(codes=False, prompt=5),
    "dia": lambda: delayed_batch(by_book=True),
    "kyutai": tiny_families.kyutai_batch,
}
WITH_INPUTS: dict[str, Callable[[], Batch]] = {
    "musicgen": delayed_batch,
    "parler": lambda: delayed_batch(prompt=5),
}
HEALTHY = [*BATCHES.items(), *WITH_INPUTS.items()]


def probed(place: Path, name: str, batch: Batch, **more: Any) -> Report:
    torch.save(globals()[name]().state_dict(), place / "weights.pt")
    torch.save(batch, place / "batch.pt")
    return probe(ProbeConfig(str(place / "weights.pt"), str(place / "batch.pt"), model=f"{HERE}:{name}", **more))


def grave(report: Report) -> list[str]:
    return [each.code for each in report.findings if each.severity is not Severity.INFO]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(("name", "batch"), HEALTHY)
def test_health_is_no_finding(tmp_path: Path, name: str, batch: Callable[[], Batch], backward: bool) -> None:
    report = probed(tmp_path, name, batch(), backward=backward)
    assert (grave(report), report.diagnoses, report.exit_code) == ([], [], 0), [f.message for f in report.findings]
    assert any(each.code == "cross-entropy" for each in report.findings)


def with_labels(batch: Batch, name: str, change: Callable[[Tensor], None]) -> Batch:
    """The labels changed as [B, T, K], whatever their axes are."""
    labels = batch["labels"].clone()
    change(labels.unflatten(0, (-1, BOOKS)).transpose(1, 2) if name == "dia" else labels[..., :BOOKS])
    return {**batch, "labels": labels}


@pytest.mark.parametrize("name", ["csm_hf", "musicgen", "parler", "dia"])
def test_all_masked(tmp_path: Path, name: str) -> None:
    report = probed(tmp_path, name, with_labels(BATCHES[name](), name, lambda labels: labels.fill_(-100)))
    assert report.diagnoses[0].cause == "all-masked"


@pytest.mark.parametrize("name", ["musicgen", "parler", "dia"])
def test_one_codebook_masked(tmp_path: Path, name: str) -> None:
    report = probed(tmp_path, name, with_labels(BATCHES[name](), name, lambda labels: labels[..., 2].fill_(-100)))
    assert report.diagnoses[0].cause == "over-masked"


@pytest.mark.parametrize("name", ["musicgen", "parler", "dia"])
def test_labels_one_column_late_beside_the_inputs_are_shifted_twice(tmp_path: Path, name: str) -> None:
    batch = WITH_INPUTS.get(name, BATCHES[name])()
    report = probed(tmp_path, name, with_labels(batch, name, later))
    assert report.diagnoses[0].cause == "double-shift"


def later(labels: Tensor) -> None:
    labels[:, :-1] = labels[:, 1:].clone()
    labels[:, -1] = -100


@pytest.mark.parametrize("name", ["csm_hf", "kyutai"])
def test_an_id_out_of_range_comes_before_the_exception_of_the_model(tmp_path: Path, name: str) -> None:
    batch = BATCHES[name]()
    if name == "kyutai":
        batch["codes"][0, 3, 5] = IDS + 1
    else:
        batch["input_ids"][0, 9, BOOKS - 1] = IDS + 1
    report = probed(tmp_path, name, batch)
    assert grave(report)[0] == "id-out-of-range"
    assert report.diagnoses[0].cause == "bad-codes"


def processed() -> Batch:
    """What the processor of transformers' CSM gives: waveforms, and one token a frame."""
    generator = torch.Generator().manual_seed(2)
    frames, codec = 12, tiny_siblings.csm_model().codec_model
    length = next(n for n in range(8, 4000, 4) if codec.encode(torch.zeros(1, 1, n)).audio_codes.shape[-1] == frames)
    ids = torch.cat([torch.randint(2, 49, (2, 5), generator=generator), torch.full((2, frames), 50)], 1)
    ids = torch.cat([ids, torch.full((2, 1), 51)], 1)
    labels = ids.clone()
    labels[:, :5] = -100
    labels[:, 6:-1:2] = -101  # the depth decoder leaves these frames out
    return {
        "input_ids": ids,
        "labels": labels,
        "attention_mask": torch.ones_like(ids),
        "input_values": torch.randn(2, 1, length, generator=generator) * 3,
        "input_values_cutoffs": torch.full((2, 1), length),
    }


def csm_report(place: Path, batch: Batch) -> Report:
    tiny_siblings.csm_model().save_pretrained(place / "model")
    torch.save(batch, place / "batch.pt")
    return probe(ProbeConfig(str(place / "model"), str(place / "batch.pt")))


def test_a_batch_of_the_processor_of_csm(tmp_path: Path) -> None:
    report = csm_report(tmp_path, processed())
    assert not {"wrong-shape", "forward-failed", "wrong-logits-shape"} & set(grave(report))
    assert any(each.code == "logit-summary" for each in report.findings), [f.message for f in report.findings]


def test_a_batch_of_the_processor_that_is_masked(tmp_path: Path) -> None:
    batch = processed()
    batch["labels"] = torch.full_like(batch["labels"], -100)
    assert csm_report(tmp_path, batch).diagnoses[0].cause == "all-masked"
    config = tiny_siblings.csm_config().to_dict()
    assert "all-masked" in [each.code for each in validate_model_inputs(batch, config=config)]
    assert [e.code for e in validate_model_inputs(processed(), config=config) if e.severity is not Severity.INFO] == []


@pytest.mark.parametrize("key", ["decoder_input_ids", "codes"])
def test_a_key_of_many_models_tells_no_family(key: str) -> None:
    batch = {key: torch.zeros(2, 5, dtype=torch.long), "labels": torch.zeros(2, 5, dtype=torch.long)}
    with pytest.raises(UsageError, match="no adapter serves a model without a configuration"):
        validate_model_inputs(batch)
