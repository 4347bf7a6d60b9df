"""Tiny real models, trained for two steps with a part frozen, saved by transformers and PEFT, held to their base."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from peft import LoraConfig, get_peft_model

from audioloss_cli.checkpoints.check import run_checks
from audioloss_cli.checkpoints.comparison import compare
from audioloss_cli.checkpoints.evidence import CheckpointEvidence
from audioloss_cli.checkpoints.families import family_of
from audioloss_cli.checkpoints.health import examine
from audioloss_cli.checkpoints.layouts import open_checkpoint
from audioloss_cli.model import Finding, Severity
from tests.effort import exhaustive
from tests.probe import tiny, tiny_siblings
from tests.probe.model_io.checkpoint import original

pytestmark = [
    pytest.mark.skipif(not hasattr(transformers, "HiggsAudioV2Config"), reason="transformers is older than the model"),
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"),
]
HIGGS = {"use_text_head": True, "hidden_size": 16, "intermediate_size": 32, "head_dim": 4}
LONG = 1e-2


def higgs() -> Any:
    return tiny.model(**HIGGS)


def batch() -> dict[str, Any]:
    made = tiny.hf_batch(((12,), (9,)))
    return {**made, "labels": made["input_ids"].clone()}


def train(model: Any, inputs: dict[str, Any], frozen: str = "no such name", steps: int = 2) -> Any:
    for name, parameter in model.named_parameters():
        if frozen in name:
            parameter.requires_grad_(False)
    optimizer = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=LONG)
    for _ in range(steps):
        optimizer.zero_grad()
        model(**inputs).loss.backward()
        optimizer.step()
    return model


def audit(path: Path, base: Path | None = None, steps: int = 2) -> tuple[list[Finding], dict[str, str]]:
    opened = open_checkpoint(path)
    opened.step = steps
    evidence = CheckpointEvidence(opened, family_of({**opened.adapter_config, **opened.config}, opened.tensors))
    evidence.statistics = examine(opened.tensors).statistics
    if base is not None:
        evidence.comparison = compare(opened, open_checkpoint(base))
    return run_checks(evidence)


def grave(found: tuple[list[Finding], dict[str, str]]) -> list[tuple[str, Severity]]:
    return [(each.code, each.severity) for each in found[0] if each.severity is not Severity.INFO]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("written") / "base"
    higgs().save_pretrained(path)
    return path


def test_a_base_and_a_full_training_are_healthy(base: Path, tmp_path: Path) -> None:
    train(higgs(), batch()).save_pretrained(tmp_path)
    assert grave(audit(base)) == []
    findings, passed = audit(tmp_path, base)
    assert grave((findings, passed)) == []
    assert {"audio-unchanged", "codebook-unchanged", "config-mismatch", "missing-audio-weights"} <= passed.keys()


@pytest.mark.parametrize(
    ("frozen", "severity"),
    [
        *[("audio_lm_head", Severity.CRITICAL), ("embed_audio_tokens", Severity.WARNING)],
        pytest.param("audio", Severity.CRITICAL, marks=pytest.mark.exhaustive),
    ],
)
def test_a_frozen_part_of_the_audio_is_found(base: Path, tmp_path: Path, frozen: str, severity: Severity) -> None:
    train(higgs(), batch(), frozen).save_pretrained(tmp_path)
    assert grave(audit(tmp_path, base)) == [("audio-unchanged", severity)]


@pytest.mark.parametrize("frozen", ["text_lm_head", *exhaustive("model.embed_tokens", ".mlp.")])
def test_a_frozen_part_of_the_text_is_a_choice(base: Path, tmp_path: Path, frozen: str) -> None:
    train(higgs(), batch(), frozen).save_pretrained(tmp_path)
    assert grave(audit(tmp_path, base)) == []


def test_a_codebook_whose_labels_are_all_masked_is_named(base: Path, tmp_path: Path) -> None:
    inputs = batch()
    model = higgs()
    model.audio_lm_head.weight.register_hook(
        lambda gradient: gradient.index_fill(0, torch.arange(3 * tiny.V, 4 * tiny.V), 0)
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=LONG)
    model(**inputs).loss.backward()
    optimizer.step()
    model.save_pretrained(tmp_path)
    (finding,) = [each for each in audit(tmp_path, base)[0] if each.code == "codebook-unchanged"]
    assert finding.evidence["unchanged"] == [3]


def test_a_copy_is_said_to_be_one_and_the_original_layout_is_the_same_model(base: Path, tmp_path: Path) -> None:
    higgs().save_pretrained(tmp_path / "copy")
    assert grave(audit(tmp_path / "copy", base)) == [("nothing-changed", Severity.CRITICAL)]
    original.save(higgs(), tmp_path / "original")
    assert grave(audit(tmp_path / "original")) == []
    assert grave(audit(tmp_path / "original", base)) == [("nothing-changed", Severity.CRITICAL)]
    original.save(train(higgs(), batch(), "audio_lm_head"), tmp_path / "trained")
    assert grave(audit(tmp_path / "trained", base)) == [("audio-unchanged", Severity.CRITICAL)]


def test_a_base_in_half_precision_is_compared_by_value(base: Path, tmp_path: Path) -> None:
    higgs().to(torch.bfloat16).save_pretrained(tmp_path / "copy")
    assert grave(audit(tmp_path / "copy", base)) == [("nothing-changed", Severity.CRITICAL)]
    train(higgs(), batch(), "audio_lm_head").to(torch.bfloat16).save_pretrained(tmp_path / "trained")
    assert grave(audit(tmp_path / "trained", base)) == [("audio-unchanged", Severity.CRITICAL)]


ALL = ["q_proj", "v_proj", "up_proj"]


def adapted(targets: list[str], whole: list[str] | None = None) -> Any:
    return get_peft_model(higgs(), LoraConfig(r=2, target_modules=targets, modules_to_save=whole))


@pytest.mark.parametrize(
    ("targets", "whole", "expected"),
    [
        (ALL, ["audio_lm_head", "model.embed_audio_tokens"], []),
        (["q_proj"], None, []),
        (["text_lm_head"], None, [("lora-audio-untrained", Severity.WARNING)]),
    ],
)
def test_adapters(
    base: Path, tmp_path: Path, targets: list[str], whole: list[str] | None, expected: list[tuple[str, Severity]]
) -> None:
    model = adapted(targets, whole)
    model.save_pretrained(tmp_path / "fresh")
    untouched = [("audio-unchanged", Severity.CRITICAL)] if whole else []
    assert grave(audit(tmp_path / "fresh", base, steps=0)) == expected
    assert sorted(grave(audit(tmp_path / "fresh", base))) == sorted(
        [*untouched, *expected, ("lora-unchanged", Severity.CRITICAL)]
    )
    train(model, batch()).save_pretrained(tmp_path / "trained")
    assert grave(audit(tmp_path / "trained", base)) == expected
    merged = model.merge_and_unload()
    merged.save_pretrained(tmp_path / "merged")
    text_alone = [("audio-unchanged", Severity.CRITICAL)] if expected else []
    assert grave(audit(tmp_path / "merged", base)) == text_alone


def test_a_wrapped_model_that_is_saved_with_its_adapter(base: Path, tmp_path: Path) -> None:
    model = train(adapted(ALL, ["audio_lm_head"]), batch())
    for name, module in (("ddp", "module.{}"), ("plain", "{}")):
        torch.save({module.format(key): value for key, value in model.state_dict().items()}, tmp_path / f"{name}.pt")
        findings, passed = audit(tmp_path / f"{name}.pt", base)
        assert grave((findings, passed)) == []
        assert {"audio-unchanged", "lora-unchanged"} <= passed.keys()


@pytest.mark.parametrize("name", exhaustive("csm", "moshi"))
def test_siblings(tmp_path: Path, name: str) -> None:
    make, inputs = {
        "csm": (tiny_siblings.csm_model, tiny_siblings.csm_batch),
        "moshi": (tiny_siblings.moshi_model, tiny_siblings.moshi_batch),
    }[name]
    make().save_pretrained(tmp_path / "base")
    assert grave(audit(tmp_path / "base")) == []
    train(make(), inputs()).save_pretrained(tmp_path / "trained")
    findings, passed = audit(tmp_path / "trained", tmp_path / "base")
    assert grave((findings, passed)) == []
    assert {"audio-unchanged", "config-mismatch", "missing-audio-weights"} <= passed.keys()
    train(make(), inputs(), "head").save_pretrained(tmp_path / "frozen")
    assert grave(audit(tmp_path / "frozen", tmp_path / "base")) == [("audio-unchanged", Severity.CRITICAL)]


def musicgen() -> Any:
    codec = {"num_filters": 2, "num_residual_layers": 1, "upsampling_ratios": [2, 2], "codebook_size": 16}
    text = {"vocab_size": 40, "d_model": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2, "d_kv": 4}
    decoder = {"vocab_size": 16, "hidden_size": 8, "num_hidden_layers": 1, "ffn_dim": 16, "num_attention_heads": 2}
    settings = transformers.MusicgenConfig(
        text_encoder={"model_type": "t5", **text},
        audio_encoder={"model_type": "encodec", "codebook_dim": 4, "hidden_size": 4, **codec},
        decoder={**decoder, "num_codebooks": 4, "pad_token_id": 15, "bos_token_id": 15},
    )
    return transformers.MusicgenForConditionalGeneration(settings)


def dia() -> Any:
    same = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "head_dim": 4}
    cross = {
        "cross_hidden_size": 8,
        "cross_num_attention_heads": 2,
        "cross_head_dim": 4,
        "cross_num_key_value_heads": 2,
    }
    pattern = [0, 1, 2, 3]
    decoder = {**same, **cross, "num_key_value_heads": 2, "vocab_size": 20, "num_channels": 4, "delay_pattern": pattern}
    settings = transformers.DiaConfig(
        encoder_config={**same, "num_key_value_heads": 2, "vocab_size": 40},
        decoder_config=decoder,
        delay_pattern=pattern,
        bos_token_id=18,
        eos_token_id=17,
        pad_token_id=19,
    )
    return transformers.DiaForConditionalGeneration(settings)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("make", "tensors"), [(musicgen, 8), (dia, 3)])
def test_shapes_of_models_that_transformers_makes(tmp_path: Path, make: Any, tensors: int) -> None:
    make().save_pretrained(tmp_path)
    found = audit(tmp_path, steps=0)
    assert grave(found) == []
    assert found[1]["config-mismatch"] == f"the shapes of {tensors} tensors are those of config.json"
    assert "missing-audio-weights" in found[1]
