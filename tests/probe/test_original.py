"""The original layout of Higgs Audio, checkpoint and batch: health is no finding, an injected cause comes first."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from audioloss_cli.model import Report, Severity
from audioloss_cli.probe import ProbeConfig, probe
from tests.probe import broken, tiny
from tests.probe.model_io.checkpoint import original

Change = Callable[[Tensor], Tensor]


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, str]:
    """Whether the delay pattern is configured -> a directory."""
    where = tmp_path_factory.mktemp("original")
    return {
        delay: str(original.save(tiny.model(), where / f"delay-{delay}", use_delay_pattern=delay))
        for delay in (True, False)
    }


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., str]:
    """A batch, written down."""

    def write(labels: Change | None = None, **more: Any) -> str:
        batch = tiny.original_batch(**{"distinct": 64, **more})
        if labels is not None:
            batch["label_audio_ids"] = labels(batch["label_audio_ids"].clone())
        torch.save(batch, tmp_path / "batch.pt")
        return str(tmp_path / "batch.pt")

    return write


def grave(report: Report) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in report.findings if each.severity is not Severity.INFO]


def causes(report: Report) -> list[str]:
    return [diagnosis.cause for diagnosis in report.diagnoses]


SAMPLES = {
    "two samples": ((30, 20), (40,)),
    "one segment": ((60,),),
    "many segments": ((20, 20, 20), (10,), (40, 5)),
    "short segments": ((3,), (4, 3)),
    "a sample without audio": ((20,), (), (30,)),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("dtype", ["", "bfloat16"])
@pytest.mark.parametrize("delay", [True, False])
@pytest.mark.parametrize("samples", SAMPLES)
def test_health(samples, delay, dtype, checkpoints, saved):
    batch = saved(lengths=SAMPLES[samples], delay=delay)
    report = probe(ProbeConfig(checkpoints[delay], batch, dtype=dtype, backward=True))
    assert grave(report) == []
    assert (report.exit_code, report.diagnoses, report.unaudited) == (0, [], [])
    assert "adapter higgs_audio;" in report.notes[0]
    assert f"segments: {sum(map(len, SAMPLES[samples]))}" in report.notes[-1]


def test_both_layouts_measure_the_same(checkpoints, saved, tmp_path):
    """The same samples through the same weights; only the placeholders differ, and they are replaced by the audio."""
    tiny.model().save_pretrained(tmp_path / "model")
    torch.save(tiny.hf_batch(distinct=64, keep_eos=True), tmp_path / "other.pt")
    reports = [
        probe(ProbeConfig(checkpoints[True], saved())),
        probe(ProbeConfig(str(tmp_path / "model"), str(tmp_path / "other.pt"))),
    ]
    one, other = (
        next(each.evidence for each in report.findings if each.code == "cross-entropy")["by_offset"]
        for report in reports
    )
    assert one == pytest.approx(other, rel=1e-3)


@pytest.mark.parametrize("delay", [True, False])
def test_a_batch_with_the_delay_of_another_model(delay, checkpoints, saved):
    report = probe(ProbeConfig(checkpoints[not delay], saved(delay=delay)))
    assert causes(report) == ["delay-mismatch"], grave(report)
    assert "3 of 3 segments" in report.diagnoses[0].evidence[0]


def test_all_labels_masked(checkpoints, saved):
    report = probe(ProbeConfig(checkpoints[True], saved(lambda labels: labels.fill_(-100))))
    assert causes(report)[:1] == ["all-masked"], grave(report)


@pytest.mark.parametrize(
    "change",
    [lambda labels: labels.masked_fill(labels < tiny.EOS, -100), lambda labels: labels.index_fill_(1, FEW, -100)],
    ids=["only EOS counts", "a fifth counts"],
)
def test_too_many_labels_masked(change, checkpoints, saved):
    report = probe(ProbeConfig(checkpoints[True], saved(change)))
    assert causes(report)[:1] == ["over-masked"], grave(report)


FEW = torch.tensor([column for column in range(117) if column % 5])


def test_labels_shifted_by_the_collator(checkpoints, saved):
    report = probe(ProbeConfig(checkpoints[True], saved(lambda labels: labels.roll(-1, 1))))
    assert causes(report)[:1] == ["double-shift"], grave(report)


@pytest.mark.exhaustive  # `test_matrix.py` has it of the other format
def test_weights_that_were_trained_without_the_shift(saved, tmp_path):
    where = original.save(broken.trained("no-shift"), tmp_path / "model")
    report = probe(ProbeConfig(str(where), saved(lengths=((60,),), seed=999, distinct=16)))
    assert causes(report)[:1] == ["no-shift"], grave(report)
    (leak,) = [finding for finding in report.findings if finding.code == "label-leak"]
    assert leak.evidence["offset_0"] < 0.01 < leak.evidence["chance"] < leak.evidence["offset_1"]
    assert {clause.partition(":")[0] for clause in report.diagnoses[0].ruled_out} >= {
        *("double-shift", "inputs-filtered", "over-masked", "all-masked", "delay-mismatch", "memorised")
    }
