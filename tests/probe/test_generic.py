"""Models that no adapter knows, described by options; and the two siblings of Higgs Audio from a saved directory."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from audioloss_cli.model import Report, Severity
from audioloss_cli.probe import ProbeConfig, probe
from audioloss_cli.probe.errors import UsageError
from audioloss_cli.probe.model_io.adapter import Options
from tests.probe import custom, tiny_siblings

#: How the logits lie, as the model gives them and as the command line says it.
PLAIN, FLAT = "BTKV", "(BK)TV"
trained = cache(custom.trained)


def grave(report: Report) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in report.findings if each.severity is not Severity.INFO]


def causes(report: Report) -> list[str]:
    return [diagnosis.cause for diagnosis in report.diagnoses]


@pytest.fixture
def probed(tmp_path: Path) -> Callable[..., Report]:
    """Write weights and a batch down and probe them with the options that describe them."""

    def run(model: torch.nn.Module, batch: dict[str, Tensor], layout: str = PLAIN, **more: Any) -> Report:
        torch.save(model.state_dict(), tmp_path / "weights.pt")
        torch.save(batch, tmp_path / "batch.pt")
        said = {"codes_key": "tokens", "labels_key": "targets", "layout": "BTK", "logits_key": "logits"}
        options = Options(**{**said, "logits_layout": layout, "num_codebooks": custom.K, **more})
        arguments = {"shift": options.shift if options.shift is not None else 1, "flat": layout == FLAT}
        return probe(
            ProbeConfig(
                str(tmp_path / "weights.pt"),
                str(tmp_path / "batch.pt"),
                model="tests.probe.custom:codebooks",
                model_arguments=arguments,
                adapter="generic",
                options=options,
                backward=True,
            )
        )

    return run


def batch(shift: int = 1, seed: int = 7) -> dict[str, Tensor]:
    """Labels are the codes for a loss that shifts them, the next codes for one that does not."""
    codes = custom.codes(seed)
    if shift == 1:
        return {"tokens": codes, "targets": codes.clone()}
    last = torch.full_like(codes[:, :1], -100)
    return {"tokens": codes, "targets": torch.cat([codes[:, 1:], last], 1)}


@pytest.mark.parametrize("layout", [PLAIN, FLAT])
@pytest.mark.parametrize("shift", [0, 1])
def test_health(shift, layout, probed):
    report = probed(custom.codebooks(shift), batch(shift), layout, shift=shift)
    assert grave(report) == []
    assert (report.exit_code, report.diagnoses, report.unaudited) == (0, [], [])
    (measured,) = [finding for finding in report.findings if finding.code == "cross-entropy"]
    assert measured.evidence["recomputed"] == pytest.approx(measured.evidence["reported"], rel=1e-4)
    assert len(measured.evidence["by_codebook"]["0"]) == custom.K


def test_health_after_training(probed):
    assert grave(probed(trained(1, 60), batch())) == []


@pytest.mark.parametrize("layout", [PLAIN, FLAT])
def test_trained_without_the_shift(layout, probed):
    report = probed(trained(0, 150), batch(), layout)
    assert causes(report)[:1] == ["no-shift"], grave(report)
    (leak,) = [finding for finding in report.findings if finding.code == "label-leak"]
    assert leak.evidence["offset_0"] < 1 < leak.evidence["offset_1"]
    assert leak.evidence["codebooks"] == list(range(custom.K))


def test_labels_that_are_shifted_before_they_are_shifted(probed):
    assert causes(probed(custom.codebooks(), batch(shift=0))) == ["double-shift"]


def test_labels_that_nobody_shifts(probed):
    assert causes(probed(custom.codebooks(0), batch(), shift=0)) == ["no-shift"]


def test_labels_of_another_layout_than_was_said(probed):
    turned = custom.codes(7).transpose(1, 2).contiguous()
    assert "wrong-shape" in dict(grave(probed(custom.codebooks(), {"tokens": custom.codes(7), "targets": turned})))


def test_labels_alone(probed):
    assert grave(probed(custom.codebooks(), batch(), codes_key="")) == []


def test_logits_that_are_not_where_they_are_said_to_be(probed):
    report = probed(custom.codebooks(), batch(), logits_key="audio.logits")
    assert "--logits-key" in dict(grave(report))["forward-failed"]
    assert report.exit_code == 1


def test_an_option_that_is_missing_is_named(probed):
    with pytest.raises(UsageError, match="--logits-key"):
        probed(custom.codebooks(), batch(), logits_key="")


def late(codes: Tensor, empty: int) -> Tensor:
    """Codebooks 1.. one column later, as Moshi's decoder is fed."""
    moved = torch.cat([torch.full_like(codes[:, 1:, :1], empty), codes[:, 1:, :-1]], 2)
    return torch.cat([codes[:, :1], moved], 1)


def moshi_fed_late() -> dict[str, Tensor]:
    found = tiny_siblings.moshi_batch()
    return {**found, "moshi_audio_codes": late(found["moshi_audio_codes"], tiny_siblings.MOSHI_IDS)}


def csm_with_sampled_depth() -> dict[str, Tensor]:
    """Codebooks 1.. are learnt on every 16th frame."""
    found = tiny_siblings.csm_batch()
    some = torch.arange(found["labels"].shape[1]) % 16 != 5
    labels = found["labels"].clone()
    labels[:, some, 1:] = -100
    return {**found, "labels": labels}


SIBLINGS = {
    "csm": (tiny_siblings.csm_model, tiny_siblings.csm_batch),
    "csm, backbone only": (tiny_siblings.csm_model, lambda: tiny_siblings.csm_batch(backbone_only=True)),
    "csm, depth on few frames": (tiny_siblings.csm_model, csm_with_sampled_depth),
    "moshi, fed late": (tiny_siblings.moshi_model, moshi_fed_late),
}


@pytest.mark.parametrize("name", SIBLINGS)
@pytest.mark.parametrize("dtype", ["", "bfloat16"])
def test_a_healthy_sibling(name, dtype, tmp_path):
    model, made = SIBLINGS[name]
    model().save_pretrained(tmp_path / "model")
    torch.save(made(), tmp_path / "batch.pt")
    report = probe(ProbeConfig(str(tmp_path / "model"), str(tmp_path / "batch.pt"), dtype=dtype, backward=True))
    assert grave(report) == []
    assert (report.exit_code, report.diagnoses, report.unaudited) == (0, [], [])
    assert f"adapter {name.partition(',')[0]}" in report.notes[0]


@pytest.mark.parametrize(
    ("name", "labels", "change", "cause"),
    [
        ("csm", "labels", lambda labels: labels.roll(-1, 1), "double-shift"),
        ("csm", "labels", lambda labels: labels.fill_(-100), "all-masked"),
        ("moshi, fed late", "audio_labels", lambda labels: labels.fill_(tiny_siblings.MOSHI_IDS), "all-masked"),
        (
            "moshi, fed late",
            "moshi_audio_codes",
            lambda _: tiny_siblings.moshi_batch()["moshi_audio_codes"],
            "no-shift",
        ),
        ("moshi, fed late", "audio_labels", lambda _: tiny_siblings.moshi_batch()["moshi_audio_codes"], "no-shift"),
        ("moshi, fed late", "audio_labels", lambda labels: labels.roll(1, 2), "no-shift"),
        ("moshi, fed late", "audio_labels", lambda labels: labels.roll(-1, 2), "double-shift"),
    ],
)
def test_a_broken_batch_of_a_sibling(name, labels, change, cause, tmp_path):
    model, made = SIBLINGS[name]
    model().save_pretrained(tmp_path / "model")
    batch = made()
    torch.save({**batch, labels: change(batch[labels].clone())}, tmp_path / "batch.pt")
    report = probe(ProbeConfig(str(tmp_path / "model"), str(tmp_path / "batch.pt")))
    assert causes(report)[:1] == [cause], grave(report)
    assert report.exit_code == 1
