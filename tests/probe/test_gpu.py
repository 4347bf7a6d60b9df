"""The same probe on CUDA says what it says on the CPU."""

import math
from typing import Any

import pytest
import torch

from audioloss_cli.model import Report
from audioloss_cli.probe import ProbeConfig, probe, validate_audio_logits
from tests.probe import tiny, tiny_siblings
from tests.probe.model_io.checkpoint import original
from tests.probe.test_mutations import MADE, MUTATIONS

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]


def said(report: Report) -> tuple[Any, ...]:
    """Codes, severities, causes and the exit code; numbers may differ in their last digits."""
    findings = sorted((finding.code, finding.severity) for finding in report.findings)
    return findings, [diagnosis.cause for diagnosis in report.diagnoses], report.exit_code


def both(path: str, data: str, **more: Any) -> tuple[Report, Report]:
    return probe(ProbeConfig(path, data, device="cpu", **more)), probe(ProbeConfig(path, data, device="cuda", **more))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("layout", MADE)
def test_health(layout, dtype, tmp_path):
    model = tiny.model()
    if layout == "original":
        original.save(model, tmp_path / "model")
    else:
        model.save_pretrained(tmp_path / "model")
    torch.save(MADE[layout](distinct=64), tmp_path / "batch.pt")
    cpu, cuda = both(str(tmp_path / "model"), str(tmp_path / "batch.pt"), dtype=dtype, backward=True)
    assert said(cuda) == said(cpu)
    assert cuda.exit_code == 0
    here, there = (
        next(each.evidence for each in report.findings if each.code == "cross-entropy")["by_offset"]
        for report in (cpu, cuda)
    )
    assert there == pytest.approx(here, rel=1e-2)


@pytest.mark.parametrize(("layout", "name"), MUTATIONS)
def test_a_mutation(layout, name, tmp_path):
    model = tiny.model(use_text_head=True)
    if layout == "original":
        original.save(model, tmp_path / "model")
    else:
        model.save_pretrained(tmp_path / "model")
    torch.save(MUTATIONS[layout, name][0](MADE[layout](distinct=64)), tmp_path / "batch.pt")
    cpu, cuda = both(str(tmp_path / "model"), str(tmp_path / "batch.pt"))
    assert said(cuda) == said(cpu)
    torch.cuda.synchronize()  # an index out of range would have broken the context


@pytest.mark.parametrize("name", ["csm", "moshi"])
def test_a_sibling(name, tmp_path):
    getattr(tiny_siblings, f"{name}_model")().save_pretrained(tmp_path / "model")
    torch.save(getattr(tiny_siblings, f"{name}_batch")(), tmp_path / "batch.pt")
    cpu, cuda = both(str(tmp_path / "model"), str(tmp_path / "batch.pt"), backward=True)
    assert said(cuda) == said(cpu)


def test_logits_on_the_device_and_labels_beside_it():
    codes = tiny.with_ends(tiny.frames(40, torch.Generator().manual_seed(1)))
    logits = torch.randn(len(codes), tiny.K, tiny.V, generator=torch.Generator().manual_seed(2))
    logits[3, 1, 2] = math.nan
    found = [
        [(each.code, each.severity) for each in validate_audio_logits(logits.to(device), tiny.labels_of(codes))]
        for device in ("cpu", "cuda")
    ]
    assert found[0] == found[1]


def test_labels_and_codes_on_the_device():
    codes = tiny.with_ends(tiny.frames(40, torch.Generator().manual_seed(1))).cuda()
    logits = torch.randn(len(codes), tiny.K, tiny.V, device="cuda")
    segments = torch.zeros(len(codes), dtype=torch.long, device="cuda")
    found = validate_audio_logits(logits, tiny.labels_of(codes.cpu()).cuda(), codes, segments=segments)
    assert "cross-entropy" in [finding.code for finding in found]
