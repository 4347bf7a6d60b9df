"""The checks by themselves: tensors in, findings out."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from audioloss_cli.model import Finding, Severity
from audioloss_cli.probe import validate_audio_logits, validate_model_inputs
from audioloss_cli.probe.errors import UsageError
from tests.probe import tiny

#: What the published configuration of Higgs Audio says, which holds where no configuration is given.
AUDIO_OUT = 128016


def grave(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings if finding.severity is not Severity.INFO]


def message(findings: list[Finding], code: str) -> str:
    return next(finding.message for finding in findings if finding.code == code)


def published(**more: Any) -> dict[str, Tensor]:
    """A batch of the original layout under the published ids."""
    batch = tiny.original_batch(distinct=64)
    ids = batch["input_ids"]
    return {**batch, "input_ids": torch.where(ids == tiny.AUDIO, AUDIO_OUT, ids), **more}


def config_of_the_tiny_one(**more: Any) -> dict[str, Any]:
    return {"model_type": "higgs_audio", "audio_num_codebooks": 8, "audio_out_token_idx": tiny.AUDIO, **more}


def test_a_healthy_batch_under_the_published_configuration():
    assert validate_model_inputs(published()) == []


def test_a_healthy_batch_under_its_own_configuration():
    config = config_of_the_tiny_one(use_delay_pattern=True)
    assert validate_model_inputs(tiny.original_batch(distinct=64), config=config) == []


def test_a_healthy_batch_of_transformers():
    assert validate_model_inputs(tiny.hf_batch(distinct=64), config=tiny.config().to_dict()) == []


def test_a_text_of_another_vocabulary_than_published_says_nothing_of_its_audio():
    assert validate_model_inputs(tiny.hf_batch(distinct=64)) == []
    batch = tiny.original_batch(((12,), (12,)), distinct=64)
    start = int(batch["audio_out_ids_start"][1])
    batch["label_audio_ids"][:, :start] = -100
    batch["label_ids"] = batch["input_ids"]  # text to learn; nobody knows what of it lies behind the audio
    batch["audio_out_ids_start_group_loc"] = torch.arange(2)
    assert grave(validate_model_inputs(batch)) == ["masked-samples"]


def test_another_number_of_codebooks_than_published():
    codes, labels = (published()[name] for name in ("audio_out_ids", "label_audio_ids"))
    batch = published(audio_out_ids=torch.cat([codes, codes[:4]]), label_audio_ids=torch.cat([labels, labels[:4]]))
    assert "12 codebooks" in message(validate_model_inputs(batch), "wrong-shape")


def test_another_configuration_than_published():
    findings = validate_model_inputs(
        tiny.original_batch(distinct=64), config=config_of_the_tiny_one(audio_num_codebooks=12)
    )
    assert "the model 12" in message(findings, "wrong-shape")


def test_a_delay_that_the_configuration_denies():
    config = config_of_the_tiny_one(use_delay_pattern=False)
    findings = validate_model_inputs(tiny.original_batch(distinct=64), config=config)
    assert grave(findings) == ["delay-mismatch"]


def test_keys_that_the_trainer_dropped():
    batch = published()
    kept = {name: batch[name] for name in ("input_ids", "attention_mask", "label_ids")}
    findings = validate_model_inputs(batch, kept)
    assert grave(findings) == ["dropped-by-trainer"]
    assert findings[0].evidence["dropped"] == ["audio_out_ids", "audio_out_ids_start", "label_audio_ids"]
    assert validate_model_inputs(batch, batch) == []


def test_a_key_that_arrives_as_none_was_dropped():
    findings = validate_model_inputs(published(), published(audio_out_ids=None))
    assert findings[0].evidence["dropped"] == ["audio_out_ids"]


def test_the_gravest_comes_first():
    batch = published()
    batch["label_audio_ids"][:, 68:] = -100  # a warning
    batch["audio_out_ids"][7, 12] = 1026
    severities = [finding.severity.rank for finding in validate_model_inputs(batch)]
    assert severities == sorted(severities, reverse=True)
    assert len(set(severities)) > 1


def test_a_batch_of_no_family():
    with pytest.raises(UsageError, match="no adapter serves"):
        validate_model_inputs({"pixels": torch.zeros(1)})


def test_an_adapter_that_is_named():
    assert "audio_input_ids (codes)" in message(validate_model_inputs({}, adapter="higgs_audio_v2"), "missing-input")
    with pytest.raises(UsageError, match="'higgs' is not one of"):
        validate_model_inputs({}, adapter="higgs")


def codes() -> Tensor:
    """[N, K]: one segment from BOS to EOS."""
    return tiny.with_ends(tiny.frames(40, torch.Generator().manual_seed(1), 64))


def random_logits(rows: int = 49) -> Tensor:
    return torch.randn(rows, tiny.K, tiny.V, generator=torch.Generator().manual_seed(2))


def peaked(offset: int) -> Tensor:
    return random_logits() + 30.0 * torch.nn.functional.one_hot(codes().roll(-offset, 0), tiny.V)


@pytest.mark.parametrize("turned", [False, True], ids=["[N, K]", "[K, N]"])
@pytest.mark.parametrize("with_codes", [False, True])
def test_healthy_logits(turned, with_codes):
    labels, fed = tiny.labels_of(codes()), codes()
    if turned:
        labels, fed = labels.T, fed.T
    findings = validate_audio_logits(random_logits(), labels, fed if with_codes else None)
    assert grave(findings) == []
    measured = next(finding for finding in findings if finding.code == "cross-entropy").evidence
    assert measured["by_offset"]["1"] == pytest.approx(math.log(tiny.V), abs=1)


@pytest.mark.parametrize("turned", [False, True], ids=["[N, K]", "[K, N]"])
@pytest.mark.parametrize(
    ("offset", "code"), [(0, "label-leak"), (1, "memorised"), (2, "double-shift")], ids=["copied", "known", "skipped"]
)
def test_logits_that_know_a_code(offset, code, turned):
    labels, fed = tiny.labels_of(codes()), codes()
    findings = validate_audio_logits(peaked(offset), labels.T if turned else labels, fed.T if turned else fed)
    assert grave(findings) == [code]


def test_no_rows():
    findings = validate_audio_logits(torch.zeros(0, 8, 1026), tiny.labels_of(codes()))
    assert grave(findings) == ["empty-logits"]
    assert "[0, 8, 1026]" in findings[0].message


def test_no_rows_and_no_labels():
    findings = validate_audio_logits(torch.zeros(0, 8, 1026), torch.zeros(8, 0, dtype=torch.long))
    assert grave(findings) == ["empty-logits"]


def test_nan():
    logits = random_logits()
    logits[3, 1, 2] = math.nan
    findings = validate_audio_logits(logits, tiny.labels_of(codes()))
    assert grave(findings) == ["non-finite-logits"]
    assert "1 NaN and 0 +Infinity, the first in row 3, codebook 1, id 2" in findings[0].message


@pytest.mark.parametrize(("rows", "words"), [(30, "49 columns of audio labels"), (0, "[0, 8, 1026]")])
def test_logits_of_other_rows(rows, words):
    assert words in validate_audio_logits(random_logits(rows), tiny.labels_of(codes()))[0].message


def test_logits_of_another_vocabulary():
    findings = validate_audio_logits(random_logits()[..., :1024], tiny.labels_of(codes()))
    assert "the configuration says 1026 ids" in message(findings, "wrong-logits-shape")


def test_half_precision():
    assert grave(validate_audio_logits(random_logits().bfloat16(), tiny.labels_of(codes()))) == []


def test_another_family():
    """32 ids without special ones, 2 codebooks, and a loss that does not shift."""
    labels = torch.randint(0, 32, (20, 2), generator=torch.Generator().manual_seed(3))
    family = {"num_codebooks": 2, "vocab_size": 32, "bos": None, "eos": None, "ignore_index": -1, "shift": 0}
    logits = random_logits(20)[:, :2, :32]
    findings = validate_audio_logits(logits, labels, labels, **family)
    assert grave(findings) == ["label-leak"]
    shifted = torch.cat([labels[1:], torch.full((1, 2), -1)])
    assert grave(validate_audio_logits(logits, shifted, labels, **family)) == []


def test_segments_part_what_lies_side_by_side():
    """Two segments: the last row of the first does not predict the first of the second."""
    segments = torch.arange(2).repeat_interleave(torch.tensor([20, 29]))
    findings = validate_audio_logits(random_logits(), tiny.labels_of(codes()), codes(), segments=segments)
    measured = next(finding for finding in findings if finding.code == "cross-entropy").evidence
    assert set(measured["by_segment"]) == {"0", "1"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"segments": torch.zeros(3, dtype=torch.long)}, r"segments must be \[49\]"),
        ({"audio_codes": torch.zeros(30, 8, dtype=torch.long)}, "differ in shape"),
        ({"audio_logits": torch.zeros(8, 1026)}, r"logits must be \[M, K, V\]"),
        ({"audio_logits": torch.zeros(49, 8, 1026, dtype=torch.long)}, "floating"),
    ],
)
def test_tensors_that_do_not_fit_each_other(more, words):
    given = {"audio_logits": random_logits(), "audio_labels": tiny.labels_of(codes()), **more}
    with pytest.raises(ValueError, match=words):
        validate_audio_logits(**given)
