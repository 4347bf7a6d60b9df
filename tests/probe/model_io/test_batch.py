"""A batch by its names, whatever class a collator put it in."""

from collections import UserDict
from collections.abc import Iterator
from dataclasses import make_dataclass
from typing import Any

import pytest
import torch
from transformers import BatchFeature

from audioloss_cli.model import Severity
from audioloss_cli.probe import validate_model_inputs
from tests.probe import tiny


class Keyed:
    """As ExtendedHiggsAudioBatchInput: attributes, ``keys()`` and ``[]``, and neither a mapping nor a dataclass."""

    def __init__(self, **fields: Any) -> None:
        vars(self).update(fields)

    def keys(self) -> list[str]:
        return list(vars(self))

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __len__(self) -> int:
        return len(self["input_ids"])

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())


def dataclass_of(batch: dict[str, Any]) -> Any:
    """As HiggsAudioBatchInput."""
    return make_dataclass("Input", list(batch))(**batch)


FORMS = {
    "a UserDict": UserDict,
    "a BatchFeature": BatchFeature,
    "a dataclass": dataclass_of,
    "an object with keys": lambda batch: Keyed(**batch),
}


@pytest.mark.parametrize("form", FORMS)
def test_its_class_changes_no_finding(form: str) -> None:
    healthy, broken = tiny.original_batch(distinct=64), tiny.original_batch(distinct=64)
    broken["label_audio_ids"] = torch.full_like(broken["label_audio_ids"], -100)
    for batch in (healthy, broken):
        expected = [each.code for each in validate_model_inputs(batch, config=CONFIG)]
        assert [each.code for each in validate_model_inputs(FORMS[form](batch), config=CONFIG)] == expected
        assert [each.code for each in validate_model_inputs(batch, FORMS[form](batch), config=CONFIG)] == expected
    assert "all-masked" in expected


CONFIG = {"model_type": "higgs_audio", "audio_out_token_idx": tiny.AUDIO, "audio_num_codebooks": tiny.K}


def test_ids_of_the_published_model_are_not_looked_for_in_another_ones_text() -> None:
    batch = tiny.original_batch(distinct=64)
    assert [each.code for each in validate_model_inputs(batch) if each.severity is not Severity.INFO] == []
    published = {**batch, "input_ids": batch["input_ids"].masked_fill(batch["input_ids"] == tiny.AUDIO, 128012)}
    assert "placeholder-mismatch" in [each.code for each in validate_model_inputs(published)]


@pytest.mark.parametrize("batch", [[1, 2], torch.zeros(2), "text", None])
def test_what_has_no_names_is_told(batch: Any) -> None:
    with pytest.raises(TypeError, match="must map names to tensors, not be a"):
        validate_model_inputs(batch)
