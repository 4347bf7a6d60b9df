"""What is kept of a forward pass: infinities that mask, a loss of nothing, held-out data, gradients."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from audioloss_cli.model import Report, Severity
from audioloss_cli.probe import ProbeConfig, probe
from audioloss_cli.probe.check import run_checks
from audioloss_cli.probe.errors import UnreadableError
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.observe import observe, read_audio
from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.probe.model_io.adapters.generic import Adapter
from tests.probe import broken, custom, tiny
from tests.probe.training import checkpoint

OPTIONS = Options(
    codes_key="tokens",
    labels_key="targets",
    layout="BTK",
    logits_key="logits",
    logits_layout="BTKV",
    num_codebooks=custom.K,
)


class Changed(nn.Module):
    """A model whose output is changed before it is seen."""

    def __init__(self, change: Any) -> None:
        super().__init__()
        self.inner, self.change = custom.codebooks(), change

    def forward(self, tokens: torch.Tensor, targets: torch.Tensor | None = None) -> dict[str, Any]:
        return self.change(self.inner(tokens, targets))


def observed(change: Any = dict, *, backward: bool = False, **batch: Any) -> Evidence:
    adapter = Adapter({}, OPTIONS)
    given = {"tokens": custom.codes(), "targets": custom.codes(), **batch}
    given = {name: value for name, value in given.items() if value is not None}
    evidence = Evidence(adapter.layout, given, read_audio(adapter, given))
    observe(evidence, adapter, Changed(change), torch.device("cpu"), backward=backward)
    return evidence


def grave(evidence: Evidence) -> list[str]:
    return [each.code for each in run_checks(evidence).findings if each.severity is not Severity.INFO]


def masking_an_id(output: dict[str, Any]) -> dict[str, Any]:
    logits = output["logits"].clone()
    logits[..., 31] = -math.inf
    return {"logits": logits}


def with_a_nan(output: dict[str, Any]) -> dict[str, Any]:
    logits = output["logits"].clone()
    logits[0, 2, 1, 5] = math.nan
    return {"logits": logits}


def test_an_id_that_is_masked_by_an_infinity_is_no_leak():
    evidence = observed(masking_an_id)
    assert evidence.perturbation is not None
    assert evidence.perturbation.before == 0 < evidence.perturbation.after < math.inf
    assert "not-causal" not in grave(evidence)


def test_a_nan_that_stays_a_nan_is_no_leak():
    assert grave(observed(with_a_nan)) == ["non-finite-logits"]


def test_a_loss_of_nan_over_healthy_logits_is_found():
    evidence = observed(lambda output: {**output, "loss": output["loss"] * math.nan})
    assert grave(evidence) == ["constant-loss"]
    assert evidence.recomputed == pytest.approx(math.log(custom.V), rel=0.1)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_loss_of_no_label_is_not_zero(reduction):
    evidence = observed(targets=torch.full_like(custom.codes(), -100))
    evidence = replace(evidence, layout=replace(evidence.layout, reduction=reduction))
    assert evidence.recomputed is not None
    assert math.isnan(evidence.recomputed)


def test_codes_that_do_not_fit_the_logits_are_no_exception():
    evidence = observed(lambda output: {"logits": output["logits"][:, :-3]}, backward=True)
    assert evidence.failure == ""
    assert evidence.by_offset is None
    assert math.isnan(evidence.mean_at(1))
    assert grave(evidence) == ["wrong-logits-shape"]


def test_the_gradient_of_a_model_that_reports_no_loss():
    evidence = observed(lambda output: {"logits": output["logits"]}, backward=True)
    assert evidence.gradients["rest"].norm > 0


def test_without_labels_there_is_no_gradient_to_judge():
    evidence = observed(backward=True, targets=None)
    assert (evidence.gradients, evidence.failure) == ({}, "")


def test_a_model_that_raises_is_a_finding_in_one_line():
    def fail(output: dict[str, Any]) -> dict[str, Any]:
        raise ValueError("first line\nsecond " + "x" * 1000)

    evidence = observed(fail)
    assert evidence.failure.startswith("the model raised ValueError: first line second x")
    assert len(evidence.failure) < 400


def test_a_machine_that_is_out_of_memory_is_no_finding():
    from audioloss_cli.probe.errors import EnvironmentalError

    def exhaust(output: dict[str, Any]) -> dict[str, Any]:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    with pytest.raises(EnvironmentalError, match="--dtype bfloat16"):
        observed(exhaust)


def held_out(tmp_path: Path, batch: dict[str, Any], data: str = "") -> Report:
    torch.save(batch, tmp_path / "other.pt")
    torch.save(tiny.hf_batch(distinct=64), tmp_path / "batch.pt")
    arguments = {"word": "hush"} if data else {}
    what = data or str(tmp_path / "batch.pt")
    path, other = str(checkpoint("untrained")), str(tmp_path / "other.pt")
    return probe(ProbeConfig(path, what, held_out=other, data_arguments=arguments))


def test_held_out_data_on_which_the_model_raises(tmp_path):
    batch = tiny.hf_batch(distinct=64)
    del batch["audio_input_ids_mask"]
    with pytest.raises(UnreadableError, match="--held-out: the model raised RuntimeError"):
        held_out(tmp_path, batch)


def test_held_out_data_that_does_not_fit_the_model_is_not_run(tmp_path):
    batch = tiny.hf_batch(distinct=64)
    batch["audio_input_ids"][0, 12, 7] = 1026
    with pytest.raises(UnreadableError, match=r"--held-out .*: 1 audio codes lie outside 0 \.\. 1025"):
        held_out(tmp_path, batch)


def test_held_out_data_in_a_file_beside_a_factory_with_arguments(tmp_path, capfd):
    report = held_out(tmp_path, tiny.hf_batch(seed=5, distinct=64), "tests.probe.batches:talkative")
    assert (report.exit_code, report.diagnoses) == (0, [])
    assert "hush" in capfd.readouterr().out


def test_a_head_that_the_checkpoint_lacks_is_not_broken_there(tmp_path):
    """The factory makes it zero, and the weights at rest are not to blame."""
    state = broken.zero_head().state_dict()
    del state["inner.audio_lm_head.weight"]
    torch.save(state, tmp_path / "weights.pt")
    torch.save(tiny.hf_batch(distinct=64), tmp_path / "batch.pt")
    model = "tests.probe.broken:zero_head"
    report = probe(ProbeConfig(str(tmp_path / "weights.pt"), str(tmp_path / "batch.pt"), model=model))
    codes = [finding.code for finding in report.findings if finding.severity is not Severity.INFO]
    assert codes == ["constant-logits", "missing-weights"]
    assert [diagnosis.cause for diagnosis in report.diagnoses] == ["audio-head-frozen"]
