"""Whole probes that once said the wrong thing, and what their parts must go on doing."""

import os
import subprocess
import sys
import warnings
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from audioloss_cli.model import Report, Severity
from audioloss_cli.probe import ProbeConfig, probe
from audioloss_cli.probe.errors import EnvironmentalError, UnreadableError, UsageError
from audioloss_cli.probe.measure.alignment import OFFSETS, targets
from audioloss_cli.probe.measure.evidence import Evidence
from audioloss_cli.probe.measure.gradients import _recomputed, audio_gradients
from audioloss_cli.probe.measure.observe import read_audio
from audioloss_cli.probe.model_io.adapter import Options, Output, to_device
from audioloss_cli.probe.model_io.adapters.higgs_audio_v2 import Adapter
from audioloss_cli.probe.model_io.checkpoint.weights import weight_faults
from audioloss_cli.probe.model_io.device import memory_guard
from tests.probe import broken, tiny
from tests.probe.model_io.checkpoint import original
from tests.probe.training import checkpoint, trainer_arguments

HERE = "tests.probe.test_run_regressions"
CPU = torch.device("cpu")
Pair = namedtuple("Pair", "left right")  # a collator's, without types
on_gpu = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]
DEVICES = ["cpu", pytest.param("cuda", marks=on_gpu)]


class Leaving(broken.Wrapper):
    def reported(self, loss: Tensor, inputs: dict[str, Any]) -> Tensor:
        raise SystemExit(0)


class Twofold(broken.Wrapper):
    """As DataParallel gathers it."""

    def reported(self, loss: Tensor, inputs: dict[str, Any]) -> Tensor:
        return loss.repeat(2)


class WithText(nn.Module):
    """Its forward gives a loss only with text labels: that of the text, and that of the audio if it is added."""

    def __init__(self, *, added: bool) -> None:
        super().__init__()
        self.inner, self.added = tiny.model(use_text_head=True), added

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        audio_input_ids: Tensor | None = None,
        audio_input_ids_mask: Tensor | None = None,
        audio_labels: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> Any:
        heard = {"audio_input_ids": audio_input_ids, "audio_input_ids_mask": audio_input_ids_mask}
        scored = {"labels": labels, "audio_labels": audio_labels if self.added and labels is not None else None}
        return self.inner(input_ids=input_ids, attention_mask=attention_mask, **heard, **scored)


class Upstream(nn.Module):
    """Names the fields of the original layout, as upstream's model does; the loss of the whole may lack the audio's."""

    def __init__(self, *, added: bool = True) -> None:
        super().__init__()
        self.audio_codebook_embeddings = nn.Embedding(tiny.K * tiny.V, 16)
        self.audio_lm_head, self.text = nn.Linear(16, tiny.K * tiny.V), nn.Embedding(128, 16)
        self.added, self.config = added, {"model_type": "higgs_audio", "audio_out_token_idx": tiny.AUDIO}
        self.config |= {"audio_num_codebooks": tiny.K, "audio_codebook_size": tiny.V - 2, "use_delay_pattern": True}

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        label_ids: Tensor | None = None,
        audio_out_ids: Tensor | None = None,
        audio_out_ids_start: Tensor | None = None,
        audio_out_ids_start_group_loc: Tensor | None = None,
        label_audio_ids: Tensor | None = None,
        audio_in_ids: Tensor | None = None,
        audio_in_ids_start: Tensor | None = None,
    ) -> dict[str, Any]:
        assert audio_out_ids is not None
        assert label_audio_ids is not None
        places = audio_out_ids + tiny.V * torch.arange(tiny.K, device=audio_out_ids.device)[:, None]
        state = self.audio_codebook_embeddings(places).sum(0)
        logits = self.audio_lm_head(state).unflatten(-1, (tiny.K, tiny.V))
        audio = cross_entropy(logits[:-1].flatten(0, 1), label_audio_ids.T[1:].flatten())
        text = self.text(input_ids).square().mean()
        return {"audio_logits": logits, "audio_loss": audio, "loss": text + audio if self.added else text}


def build(kind: str, **more: Any) -> nn.Module:
    made: nn.Module = globals()[kind](**more) if more or kind == "Upstream" else globals()[kind](tiny.model())
    return made


def anonymous() -> nn.Module:
    torch.manual_seed(0)
    return broken.Anonymous(Upstream())


def probed(path: Path, batch: Any, factory: str = "", **more: Any) -> Report:
    """A factory's model gets weights of its own, which lie in ``path``."""
    torch.save(batch, path / "batch.pt")
    what = path / "model"
    if factory:
        arguments = more.get("model_arguments", {})
        what = path / "weights.pt"
        torch.save(globals()[factory](**arguments).state_dict(), what)
        more["model"] = f"{HERE}:{factory}"
    return probe(ProbeConfig(str(what), str(path / "batch.pt"), **{"device": "cpu", **more}))


def grave(report: Report) -> list[str]:
    return [each.code for each in report.findings if each.severity is not Severity.INFO]


def hf_batch(**more: Any) -> dict[str, Tensor]:
    return tiny.hf_batch(**{"distinct": 64, **more})


def text_labels(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**batch, "labels": batch["input_ids"].masked_fill(batch["input_ids"] >= tiny.AUDIO_EOS, -100)}


def test_a_model_that_leaves_is_a_finding(tmp_path):
    report = probed(tmp_path, hf_batch(), "build", model_arguments={"kind": "Leaving"})
    assert (grave(report), report.exit_code) == (["forward-failed"], 1)


def test_what_leaves_beside_the_model_ends_with_4(tmp_path):
    """Where nothing expects a stranger's code."""
    (tmp_path / "leaver.py").write_text(
        "import torch\n"
        "class Leaver(torch.nn.Linear):\n"
        "    def state_dict(self, *a, **k):\n"
        "        self.seen = getattr(self, 'seen', 0) + 1\n"
        "        if self.seen > 1: raise SystemExit(0)\n"
        "        return super().state_dict(*a, **k)\n"
        "def make(): return Leaver(2, 2)\n"
    )
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "w.pt")
    torch.save(hf_batch(), tmp_path / "b.pt")
    command = [sys.executable, "-m", "audioloss_cli", "probe", "--ckpt", "w.pt", "--data", "b.pt"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [*command, "--model", "leaver:make"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert done.stderr.startswith("audioloss: error: the model or the data ended the process with sys.exit(0)")


def test_what_a_trainer_would_drop_is_a_fact_where_nobody_says_that_it_does(tmp_path):
    report = probed(tmp_path, tiny.original_batch(distinct=64), "anonymous")
    assert (grave(report), report.diagnoses, report.exit_code) == ([], [], 0)
    (lost,) = [each for each in report.findings if each.code == "dropped-by-trainer"]
    assert "audio_out_ids" in lost.evidence["dropped"]


def test_what_a_trainer_keeps_is_not_told_as_lost(tmp_path):
    trainer_arguments(tmp_path, remove_unused_columns=False)
    report = probed(tmp_path, tiny.original_batch(distinct=64), "anonymous")
    assert [each for each in report.findings if each.code == "dropped-by-trainer"] == []


def test_an_anonymous_wrapper_around_upstreams_own_model(tmp_path):
    trainer_arguments(tmp_path)
    report = probed(tmp_path, tiny.original_batch(distinct=64), "anonymous")
    assert grave(report) == ["dropped-by-trainer"]
    assert [each.cause for each in report.diagnoses] == ["inputs-filtered"]
    assert not any(each.startswith("inputs-filtered") for each in report.diagnoses[0].ruled_out)


def test_a_model_that_stands_in_is_not_blamed_for_its_signature(tmp_path):
    original.save(tiny.model(), tmp_path / "model")
    assert grave(probed(tmp_path, tiny.original_batch(distinct=64))) == []


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", ["WithText", "Upstream"])
def test_a_loss_of_the_whole_without_that_of_the_audio(kind, device, tmp_path):
    batch = tiny.original_batch(distinct=64) if kind == "Upstream" else text_labels(hf_batch())
    found = {}
    for added in (True, False):
        arguments = {"kind": kind, "added": added}
        report = probed(tmp_path, batch, "build", model_arguments=arguments, backward=True, device=device)
        found[added] = [each.cause for each in report.diagnoses]
    assert found == {True: [], False: ["audio-loss-not-added"]}


def test_the_gradient_of_the_probes_own_loss_rules_nothing_out(tmp_path):
    """Without text labels the model reports no loss, so that nobody knows what it would add."""
    batch = hf_batch()
    batch["audio_labels"] = batch["audio_labels"].roll(-1, 1)  # so that there is a diagnosis
    report = probed(tmp_path, batch, "build", model_arguments={"kind": "WithText", "added": False}, backward=True)
    assert report.diagnoses
    assert not any(each.startswith("audio-loss-not-added") for each in report.diagnoses[0].ruled_out)


def test_text_labels_out_of_range_are_not_given_to_the_model(tmp_path):
    batch = text_labels(hf_batch())
    batch["labels"][0, 3] = 10**6
    arguments = {"kind": "WithText", "added": True}
    assert "forward-failed" not in grave(probed(tmp_path, batch, "build", model_arguments=arguments, backward=True))


def lora(path: Path, **more: Any) -> None:
    """An adapter with its initial weights, on a base beside it."""
    from peft import LoraConfig, get_peft_model

    tiny.model().save_pretrained(path / "base")
    with warnings.catch_warnings(action="ignore"):  # PEFT asks transformers for what it has renamed
        wrapped = get_peft_model(tiny.model(), LoraConfig(r=2, **more))
        wrapped.peft_config["default"].base_model_name_or_path = str(path / "base")
        wrapped.save_pretrained(path / "model", save_embedding_layers=False)


def test_an_adapter_that_names_the_embeddings_too_shortly(tmp_path):
    lora(tmp_path, target_modules=["q_proj"], modules_to_save=["embed_audio_tokens"])
    with pytest.raises(UnreadableError, match=r"does not fit its base.*such as model.embed_audio_tokens"):
        probed(tmp_path, hf_batch())


def test_an_adapter_that_names_them_as_advised(tmp_path):
    modules = ["audio_lm_head", "model.embed_audio_tokens"]
    lora(tmp_path, target_modules=["q_proj"], modules_to_save=modules)
    assert grave(probed(tmp_path, hf_batch(), backward=True)) == []


@pytest.mark.parametrize(
    ("modules", "found"),
    [
        (["q_proj", "v_proj"], []),
        (r".*\.audio_mlp\.up_proj", []),
        (r".*\.layers\.1\.mlp\.up_proj", ["frozen-audio"]),  # the last layer's path of the text
    ],
)
def test_a_lora_that_reaches_the_audio(tmp_path, modules, found):
    lora(tmp_path, target_modules=modules)
    report = probed(tmp_path, hf_batch(), backward=True)
    assert grave(report) == found
    assert "frozen-audio" in [each.code for each in report.findings]


def test_held_out_data_on_which_nothing_can_be_measured(tmp_path):
    torch.save(tiny.original_batch(distinct=64), tmp_path / "other.pt")
    tiny.model().save_pretrained(tmp_path / "model")
    with pytest.raises(UnreadableError, match=r"--held-out .*other.pt': the audio loss could not be measured"):
        probed(tmp_path, hf_batch(), held_out=str(tmp_path / "other.pt"))


def test_held_out_data_does_not_hide_what_is_wrong_with_the_batch(tmp_path):
    tiny.model().save_pretrained(tmp_path / "model")
    batch = hf_batch()
    batch["audio_input_ids"][0, 12, 7] = 1026
    torch.save(batch, tmp_path / "other.pt")
    assert "id-out-of-range" in grave(probed(tmp_path, batch, held_out=str(tmp_path / "other.pt")))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"labels_key": "nope"}, "--labels-key says"),
        ({"layout": "BKT", "num_codebooks": 4}, "--layout, --codebooks says"),
        ({"logits_layout": "BTKV", "codes_key": "x"}, "--codes-key, --logits-layout says"),
    ],
)
def test_an_option_that_a_family_does_not_read(options, named):
    config = ProbeConfig(str(checkpoint("untrained")), "tests.probe.batches:healthy", options=Options(**options))
    with pytest.raises(UsageError, match=f"{named} nothing to the adapter higgs_audio_v2"):
        probe(config)


def test_a_key_of_the_output_that_is_not_there(tmp_path):
    tiny.model().save_pretrained(tmp_path / "model")
    report = probed(tmp_path, hf_batch(), options=Options(logits_key="nope"))
    assert "holds no audio logits; name them with --logits-key" in report.findings[0].message
    original.save(tiny.model(), tmp_path / "model")
    assert grave(probed(tmp_path, tiny.original_batch(), options=Options(logits_key="nope"))) == ["forward-failed"]


def test_an_argument_for_no_factory():
    with pytest.raises(UsageError, match="--model-arg is for a factory"):
        ProbeConfig("model", "data", model_arguments={"size": 1})


@pytest.mark.parametrize("seconds", ["-5", "nan"])
def test_a_timeout_that_is_no_time(audioloss, seconds, tmp_path):
    done = audioloss("probe", "--ckpt", tmp_path, "--data", tmp_path, f"--timeout={seconds}")
    assert done.code == 2
    assert f"--timeout {seconds} is no span of time" in done.err


def test_a_named_tuple_in_a_batch_is_moved_as_one():
    moved = to_device({"pair": Pair(torch.ones(2), [torch.ones(1)])}, torch.device("meta"))
    assert isinstance(moved["pair"], Pair)
    assert moved["pair"].left.is_meta
    assert moved["pair"].right[0].is_meta


def test_the_losses_of_several_devices(tmp_path):
    report = probed(tmp_path, hf_batch(), "build", model_arguments={"kind": "Twofold"}, backward=True)
    assert grave(report) == []


@pytest.mark.parametrize(
    "words",
    [
        "[enforce fail at alloc_cpu.cpp:75] DefaultCPUAllocator: not enough memory: you tried to get 9 bytes",
        "MPS backend out of memory (MPS allocated: 9 GB)",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ],
)
def test_out_of_memory_in_other_words(words):
    with pytest.raises(EnvironmentalError, match="use a smaller batch"), memory_guard(CPU):
        raise RuntimeError(words)


class Featured(Upstream):
    """Needs features in the dtype of its weights."""

    def forward(self, audio_features: Tensor, **inputs: Any) -> Any:  # type: ignore[override]
        return {**super().forward(**inputs), "more": self.audio_lm_head(audio_features)}


def featured() -> nn.Module:
    return Featured()


def test_features_in_another_dtype_than_the_weights(tmp_path):
    batch = {**tiny.original_batch(distinct=64), "audio_features": torch.zeros(2, 16)}
    report = probed(tmp_path, batch, "featured", dtype="bfloat16", backward=True)
    assert "forward-failed" not in grave(report)


class Given:
    """An adapter whose output is given; the rest is Higgs'."""

    def __init__(self, logits: Tensor, rows: Tensor | None) -> None:
        self.output = Output(logits, None, rows)

    def run(self, model: Any, batch: Any) -> Output:
        return self.output


def evidence_of(batch: dict[str, Tensor]) -> Evidence:
    adapter = Adapter(tiny.config().to_dict(), Options())
    return Evidence(adapter.layout, batch, read_audio(adapter, batch))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("elements", [1, 3 * tiny.K * tiny.V, 2**24])
def test_the_recomputed_loss_and_its_gradient_in_pieces(monkeypatch, device, elements):
    monkeypatch.setattr("audioloss_cli.probe.measure.gradients._ELEMENTS", elements)
    evidence = evidence_of(hf_batch(lengths=((5, 3), (4,))))
    labels = targets(evidence.audio, evidence.layout)[len(OFFSETS)]
    rows = torch.arange(len(labels)) * 2 + 1
    logits = torch.randn(2 * len(labels) + 3, tiny.K, tiny.V, generator=torch.Generator().manual_seed(1))
    wanted, given = (logits.clone().to(device).requires_grad_() for _ in range(2))
    loss = _recomputed(Output(given, None, rows.to(device)), evidence)
    assert loss is not None
    cross_entropy(wanted[rows.to(device)].flatten(0, 1), labels.flatten().to(device)).backward()
    loss.backward()
    assert given.grad is not None
    assert wanted.grad is not None
    torch.testing.assert_close(given.grad, wanted.grad)


def test_no_loss_is_recomputed_without_a_label():
    batch = hf_batch()
    rows = int(batch["audio_input_ids_mask"].sum())
    output = Output(torch.zeros(rows, tiny.K, tiny.V, requires_grad=True), None)
    assert _recomputed(output, evidence_of(batch)) is not None
    for labels in (None, torch.full_like(batch["audio_labels"], -100)):
        assert _recomputed(output, evidence_of({**batch, "audio_labels": labels})) is None  # type: ignore[dict-item]


@pytest.mark.parametrize("device", DEVICES)
def test_the_norm_of_each_group(device):
    model, batch = tiny.model().to(device), hf_batch()
    adapter, there = Adapter(tiny.config().to_dict(), Options()), to_device(batch, torch.device(device))
    found, source = audio_gradients(evidence_of(batch), adapter, model, there)
    adapter.run(model, there).loss.backward()  # type: ignore[union-attr]
    for group, pattern in (("head", "audio_lm_head"), ("embeddings", "embed_audio_tokens"), ("ffn", "audio_mlp")):
        each = [tensor.grad.norm() for name, tensor in model.named_parameters() if pattern in name]  # type: ignore[union-attr]
        assert found[group].norm == pytest.approx(float(torch.stack(each).norm()), rel=1e-4)
    assert source == "reported"


@pytest.mark.parametrize("device", DEVICES)
def test_faults_of_weights_of_several_dtypes(device):
    nan, inf = float("nan"), float("inf")
    tensors = {
        "fine": torch.tensor([1.0, 2.0]),
        "half": torch.tensor([1.0, inf, inf], dtype=torch.float16),
        "ids": torch.zeros(3, dtype=torch.int64),
        "none": torch.zeros(0),
        "both": torch.tensor([nan, inf, 1.0], dtype=torch.bfloat16),
        "eight": torch.tensor([nan, 1.0]).to(torch.float8_e4m3fn),
        "zero": torch.zeros(4, dtype=torch.float64),
        "wide": torch.tensor([1e300, 2e300], dtype=torch.float64),
        "same": torch.full((2, 2), 3.0),
    }
    found = weight_faults((name, tensor.to(device)) for name, tensor in tensors.items())
    assert [(each.name, each.kind, each.count) for each in found] == [
        ("half", "infinite", 2),
        ("both", "NaN", 1),
        ("both", "infinite", 1),
        ("eight", "NaN", 1),
        ("zero", "all zero", 4),
        ("same", "constant", 4),
    ]
