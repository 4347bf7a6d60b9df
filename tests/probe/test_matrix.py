"""Every root cause that one batch can show is injected and must be the first diagnosis; health must be no finding."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from audioloss_cli.model import Report, Severity
from audioloss_cli.outputs import render
from audioloss_cli.probe import ProbeConfig, probe
from tests.effort import combinations, rows
from tests.probe import tiny
from tests.probe.training import checkpoint, trainer_arguments

HERE = "tests.probe.broken"


@pytest.fixture
def saved(tmp_path: Path) -> Any:
    """Write a batch down."""

    def write(batch: dict[str, Tensor]) -> str:
        torch.save(batch, tmp_path / "batch.pt")
        return str(tmp_path / "batch.pt")

    return write


def healthy(**more: Any) -> dict[str, Tensor]:
    return tiny.hf_batch(**{"distinct": 64, **more})


def without(name: str) -> dict[str, Tensor]:
    return {key: value for key, value in healthy().items() if key != name}


def changed(name: str, change: Any) -> dict[str, Tensor]:
    batch = healthy()
    return {**batch, name: change(batch[name].clone())}


def keep_eos_alone(labels: Tensor) -> Tensor:
    labels = tiny.hf_batch(distinct=64, keep_eos=True)["audio_labels"]
    return labels.masked_fill(labels < tiny.BOS, -100)


def most_masked(labels: Tensor) -> Tensor:
    labels[:, ::4] = -100
    labels[:, 1::4] = -100
    labels[:, 2::4] = -100
    return labels


def silence(codes: Tensor) -> Tensor:
    return torch.where(codes < tiny.BOS, 7, codes)


def too_large(codes: Tensor) -> Tensor:
    codes[0, 12, 0] = 1026
    return codes


def names_of(report: Report) -> list[str]:
    return [diagnosis.cause for diagnosis in report.diagnoses]


def grave(report: Report) -> list[str]:
    return [finding.code for finding in report.findings if finding.severity is not Severity.INFO]


BATCHES = {
    "codes missing": ("inputs-filtered", lambda: without("audio_input_ids")),
    "labels missing": ("inputs-filtered", lambda: without("audio_labels")),
    "mask false": ("inputs-filtered", lambda: changed("audio_input_ids_mask", torch.zeros_like)),
    "no frames": ("inputs-filtered", lambda: changed("audio_input_ids", lambda codes: codes[:, :0])),
    "only EOS counts": ("over-masked", lambda: changed("audio_labels", keep_eos_alone)),
    "a quarter counts": ("over-masked", lambda: changed("audio_labels", most_masked)),
    "nothing counts": ("all-masked", lambda: changed("audio_labels", lambda labels: torch.full_like(labels, -100))),
    "one sample counts": (
        "all-masked",
        lambda: changed("audio_labels", lambda x: x.index_fill(0, torch.tensor(1), -100)),
    ),
    "not delayed": ("delay-mismatch", lambda: healthy(delay=False)),
    "silence": ("bad-codes", lambda: changed("audio_input_ids", silence)),
    "an id aliases": ("bad-codes", lambda: changed("audio_input_ids", too_large)),
    "labels shifted already": ("double-shift", lambda: changed("audio_labels", lambda x: x.roll(-1, 1))),
    "ignored index fed in": (
        "in-place-masking",
        lambda: changed("audio_input_ids", lambda x: x.masked_fill(x == 3, -100)),
    ),
}


@pytest.mark.parametrize("name", BATCHES)
def test_a_broken_batch(name, saved):
    cause, make = BATCHES[name]
    report = probe(ProbeConfig(str(checkpoint("untrained")), saved(make())))
    assert names_of(report)[:1] == [cause], [(f.code, f.message) for f in report.findings]
    assert report.exit_code == 1
    assert report.diagnoses[0].evidence
    assert report.diagnoses[0].fix


MODELS = {
    "Anonymous": "inputs-filtered",
    "Deaf": "inputs-filtered",
    "Peeking": "no-shift",
    "Swallowing": "constant-loss",
    "Accumulating": "loss-scale",
}


@pytest.mark.parametrize("kind", MODELS)
def test_a_broken_model(kind, saved, tmp_path):
    trainer_arguments(tmp_path)
    report = probe(built(tmp_path, "wrapped", {"kind": kind}, saved(healthy())))
    assert names_of(report)[:1] == [MODELS[kind]], [(f.code, f.message) for f in report.findings]


@pytest.mark.parametrize(
    ("factory", "arguments", "cause"),
    [
        ("wrapped", {"kind": "TextOnly"}, "audio-loss-not-added"),
        ("wrapped", {"kind": "Swallowing"}, "constant-loss"),
        ("frozen_head", {}, "audio-head-frozen"),
        ("zero_head", {}, "audio-head-frozen"),
    ],
)
def test_a_model_whose_gradient_tells(factory, arguments, cause, saved, tmp_path):
    report = probe(built(tmp_path, factory, arguments, saved(healthy()), backward=True))
    assert names_of(report)[:1] == [cause], [(f.code, f.message) for f in report.findings]


def built(tmp_path: Path, factory: str, arguments: dict[str, Any], data: str, **more: Any) -> ProbeConfig:
    """A model of a factory, with its own weights saved as the checkpoint."""
    from tests.probe import broken

    weights = tmp_path / "weights.pt"
    torch.save(getattr(broken, factory)(**arguments).state_dict(), weights)
    return ProbeConfig(str(weights), data, model=f"{HERE}:{factory}", model_arguments=arguments, **more)


def test_a_collator_that_masks_in_place():
    report = probe(ProbeConfig(str(checkpoint("untrained")), f"{HERE}:in_place_loader"))
    assert names_of(report)[:1] == ["in-place-masking"]
    assert probe(ProbeConfig(str(checkpoint("untrained")), f"{HERE}:healthy_loader")).diagnoses == []


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("name", "cause"),
    rows(  # a batch whose labels are shifted already is tried each time
        [("no-shift", "no-shift"), ("double-shift", "double-shift"), ("memorised", "memorised")],
        each_time=[("no-shift", "no-shift"), ("memorised", "memorised")],
    ),
)
def test_a_model_that_learnt_the_wrong_thing(name, cause, saved):
    seen = {"no-shift": {"lengths": ((60,),), "seed": 999, "distinct": 16}}
    batch = tiny.hf_batch(**seen.get(name, {"lengths": ((24,),), "seed": 3, "distinct": 64}))
    report = probe(ProbeConfig(str(checkpoint(name)), saved(batch), backward=True))
    assert names_of(report)[:1] == [cause], [(f.code, f.message) for f in report.findings]
    assert len(report.diagnoses[0].ruled_out) >= 8


def test_the_leak_is_below_the_thresholds_of_the_scan(saved):
    """The collapse that everybody mistakes for success: below 0.01, on codes that nobody could predict."""
    batch = tiny.hf_batch(((60,),), seed=999, distinct=16)
    report = probe(ProbeConfig(str(checkpoint("no-shift")), saved(batch)))
    (leak,) = [finding for finding in report.findings if finding.code == "label-leak"]
    assert leak.evidence["offset_0"] < 0.01
    assert leak.evidence["offset_1"] > leak.evidence["chance"]


def test_held_out_data_tells_memory_from_learning(saved, tmp_path):
    batch = tiny.hf_batch(((24,),), seed=3, distinct=64)
    torch.save(tiny.hf_batch(((24,),), seed=4, distinct=64), tmp_path / "other.pt")
    report = probe(ProbeConfig(str(checkpoint("memorised")), saved(batch), held_out=str(tmp_path / "other.pt")))
    (finding,) = [finding for finding in report.findings if finding.code == "memorised"]
    assert finding.evidence["held_out"] > 4


HEALTHY = {
    "delayed": {},
    "short segments": {"lengths": ((3,), (4,), (3,))},
    "one long segment": {"lengths": ((400,),)},
    "many segments": {"lengths": ((20, 20, 20, 20), (10,), (40, 5))},
    "EOS kept": {"keep_eos": True},
    "all codes": {"distinct": 1024},
}


EACH_TIME = [*((variant, "healthy", "float32") for variant in HEALTHY), ("delayed", "untrained", "bfloat16")]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("variant", "name", "dtype"),
    combinations(HEALTHY, ["untrained", "healthy"], ["float32", "bfloat16"], each_time=EACH_TIME),
)
def test_a_healthy_model_and_batch(variant, name, dtype, saved):
    config = ProbeConfig(str(checkpoint(name)), saved(healthy(**HEALTHY[variant])), dtype=dtype, backward=True)
    report = probe(config)
    assert grave(report) == [], [(f.code, f.message) for f in report.findings]
    assert (report.exit_code, report.diagnoses, report.unaudited) == (0, [], [])
    assert "cross-entropy" in [finding.code for finding in report.findings]


def test_a_healthy_model_without_the_delay(saved, tmp_path):
    model = tiny.model()
    model.config.use_delay_pattern = False
    model.save_pretrained(tmp_path / "model")
    report = probe(ProbeConfig(str(tmp_path / "model"), saved(healthy(delay=False)), backward=True))
    assert grave(report) == []
    assert names_of(probe(ProbeConfig(str(tmp_path / "model"), saved(healthy())))) == ["delay-mismatch"]


def test_everything_is_ready_for_json(saved):
    from audioloss_cli.model import View

    batch = tiny.hf_batch(((60,),), seed=999, distinct=16)
    report = probe(ProbeConfig(str(checkpoint("no-shift")), saved(batch), backward=True))
    document = json.loads(render("json", report, View()))
    assert document["diagnoses"][0]["cause"] == "no-shift"
