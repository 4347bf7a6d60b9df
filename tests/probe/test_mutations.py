"""What a batch can be like that makes Higgs Audio silent or raise: the probe must say what is wrong with it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from audioloss_cli.model import Report, Severity
from audioloss_cli.probe import ProbeConfig, probe
from tests.probe import custom, tiny
from tests.probe.model_io.checkpoint import original

Batch = dict[str, Tensor]
Change = Callable[[Tensor], Tensor]


@pytest.fixture(scope="module")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same weights as either project saves them."""
    model, where = tiny.model(use_text_head=True), tmp_path_factory.mktemp("checkpoints")
    model.save_pretrained(where / "transformers")
    return {
        "original": str(original.save(model, where / "original")),
        "transformers": str(where / "transformers"),
    }


@pytest.fixture
def probed(layouts: dict[str, str], tmp_path: Path) -> Callable[..., Report]:
    """Write the batch down and probe it."""

    def run(layout: str, batch: Batch, **more: Any) -> Report:
        torch.save(batch, tmp_path / "batch.pt")
        return probe(ProbeConfig(layouts[layout], str(tmp_path / "batch.pt"), **more))

    return run


MADE = {"original": tiny.original_batch, "transformers": tiny.hf_batch}


def without(*names: str) -> Callable[[Batch], Batch]:
    return lambda batch: {name: value for name, value in batch.items() if name not in names}


def changed(change: Change, *names: str) -> Callable[[Batch], Batch]:
    return lambda batch: {name: change(value.clone()) if name in names else value for name, value in batch.items()}


def put(value: int, *place: Any) -> Change:
    def change(cells: Tensor) -> Tensor:
        cells[place] = value
        return cells

    return change


def twelve(axis: int) -> Change:
    return lambda cells: torch.cat([cells, cells.narrow(axis, 0, 4)], axis)


def no_placeholders(ids: Tensor) -> Tensor:
    return torch.where((ids == tiny.AUDIO) | (ids == tiny.DELAY), 9, ids)


#: layout, mutation -> the change, the code that must be found and words that must be in its message.
MUTATIONS: dict[tuple[str, str], tuple[Callable[[Batch], Batch], str, str]] = {
    ("original", "no codes"): (without("audio_out_ids"), "missing-input", "no audio_out_ids"),
    ("original", "no codes, no rows"): (without("audio_out_ids"), "empty-logits", "[0, 8, 1026]"),
    ("original", "codes of shape (0, 0)"): (
        changed(lambda codes: codes.new_zeros(0, 0), "audio_out_ids"),
        "empty-input",
        "audio_out_ids has shape [0, 0]",
    ),
    ("original", "no audio labels"): (without("label_audio_ids"), "missing-input", "no label_audio_ids"),
    ("original", "no text labels"): (without("label_ids"), "missing-input", "no label_ids"),
    ("original", "no starts"): (without("audio_out_ids_start"), "missing-input", "no audio_out_ids_start"),
    ("original", "no AUDIO_OUT"): (
        changed(no_placeholders, "input_ids"),
        "placeholder-mismatch",
        "0 audio placeholder",
    ),
    ("original", "12 codebooks"): (
        changed(twelve(0), "audio_out_ids", "label_audio_ids"),
        "wrong-shape",
        "audio_out_ids has 12 codebooks (shape [12, 117]), the model 8",
    ),
    ("original", "time first"): (
        changed(torch.t, "audio_out_ids", "label_audio_ids"),
        "wrong-shape",
        "audio_out_ids has 117 codebooks",
    ),
    ("original", "-100 fed in"): (
        changed(put(-100, 2, 12), "audio_out_ids"),
        "ignored-index-in-inputs",
        "codebook 2, column 12",
    ),
    ("original", "an id aliases"): (
        changed(put(1026, 0, 12), "audio_out_ids"),
        "id-out-of-range",
        "1026 in codebook 0, column 12, which the shared embedding takes for id 0 of codebook 1",
    ),
    ("original", "an id raises"): (
        changed(put(1026, 7, 12), "audio_out_ids"),
        "id-out-of-range",
        "1026 in codebook 7, column 12",
    ),
    ("original", "all masked"): (
        changed(put(-100, ...), "label_audio_ids"),
        "all-masked",
        "all 936 audio labels are -100",
    ),
    ("original", "a sample masked"): (
        changed(put(-100, slice(None), slice(68, None)), "label_audio_ids"),
        "masked-samples",
        "1 of 2 samples have no audio label",
    ),
    ("original", "segments overlap"): (
        changed(put(90, 1), "audio_out_ids_start"),
        "bad-positions",
        "the segments start at 0, 90, 68",
    ),
    ("transformers", "no codes"): (without("audio_input_ids"), "missing-input", "no audio_input_ids"),
    ("transformers", "no mask"): (without("audio_input_ids_mask"), "missing-input", "no audio_input_ids_mask"),
    ("transformers", "no labels"): (without("audio_labels"), "missing-input", "no audio_labels"),
    ("transformers", "no audio at all"): (
        without("audio_input_ids", "audio_input_ids_mask", "audio_labels"),
        "missing-input",
        "no audio_input_ids (codes), audio_input_ids_mask (codes mask), audio_labels (audio labels)",
    ),
    ("transformers", "no codebook"): (
        changed(lambda codes: codes[..., :0], "audio_input_ids"),
        "empty-input",
        "audio_input_ids has shape [2, 68, 0]",
    ),
    ("transformers", "no placeholders"): (
        changed(no_placeholders, "input_ids"),
        "placeholder-mismatch",
        "0 audio placeholders in its text and needs 68",
    ),
    ("transformers", "12 codebooks"): (
        changed(twelve(2), "audio_input_ids"),
        "wrong-shape",
        "audio_input_ids has 12 codebooks",
    ),
    ("transformers", "an id aliases"): (
        changed(put(1026, 0, 12, 0), "audio_input_ids"),
        "id-out-of-range",
        "takes for id 0 of codebook 1",
    ),
    ("transformers", "an id raises"): (
        changed(put(1026, 0, 12, 7), "audio_input_ids"),
        "id-out-of-range",
        "1026 in codebook 7, column 12",
    ),
    ("transformers", "a label raises"): (
        changed(put(1026, 0, 12, 7), "audio_labels"),
        "id-out-of-range",
        "1 audio labels lie outside 0 .. 1025",
    ),
    ("transformers", "all masked"): (
        changed(put(-100, ...), "audio_labels"),
        "all-masked",
        "all 936 audio labels are -100",
    ),
    ("transformers", "half masked"): (
        changed(put(-100, 0), "audio_labels"),
        "masked-samples",
        "1 of 2 samples have no audio label",
    ),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("layout", "name"), MUTATIONS)
@pytest.mark.parametrize("backward", [False, True])
def test_a_mutation_is_found_and_named(layout, name, backward, probed):
    change, code, words = MUTATIONS[layout, name]
    report = probed(layout, change(MADE[layout](distinct=64)), backward=backward)
    assert report.exit_code == 1
    found = [finding for finding in report.findings if finding.code == code]
    assert found, [(finding.code, finding.message) for finding in report.findings]
    assert words in found[0].message
    assert found[0].severity is not Severity.INFO


@pytest.mark.parametrize("layout", MADE)
def test_without_a_mutation_there_is_nothing(layout, probed):
    report = probed(layout, MADE[layout](distinct=64))
    assert [finding.message for finding in report.findings if finding.severity is not Severity.INFO] == []
    assert (report.exit_code, report.diagnoses) == (0, [])


@pytest.mark.parametrize(("layout", "name"), [case for case in MUTATIONS if "id raises" in case[1]])
def test_an_id_that_would_break_a_cuda_context_is_not_run(layout, name, probed):
    change, _, _ = MUTATIONS[layout, name]
    report = probed(layout, change(MADE[layout]()))
    assert "forward-failed" not in [finding.code for finding in report.findings]
    assert "cross-entropy" not in [finding.code for finding in report.findings]


def built(factory: str, tmp_path: Path) -> dict[str, str]:
    """A model of the user's own, its weights as the checkpoint."""
    torch.save(getattr(custom, factory)().state_dict(), tmp_path / "weights.pt")
    return {"checkpoint": str(tmp_path / "weights.pt"), "model": f"tests.probe.custom:{factory}"}


def original_at(tmp_path: Path, **more: Tensor) -> str:
    torch.save({**tiny.original_batch(distinct=64), **more}, tmp_path / "batch.pt")
    return str(tmp_path / "batch.pt")


def test_a_wrapper_that_passes_labels_to_a_model_that_knows_none(tmp_path):
    report = probe(ProbeConfig(data=original_at(tmp_path), **built("with_lora", tmp_path)))
    (failure,) = [finding for finding in report.findings if finding.code == "forward-failed"]
    assert "TypeError" in failure.message
    assert "'labels'" in failure.message
    assert report.exit_code == 1


def test_the_same_model_without_the_wrapper(tmp_path):
    report = probe(ProbeConfig(data=original_at(tmp_path), **built("original", tmp_path)))
    assert "forward-failed" not in [finding.code for finding in report.findings]
    (lost,) = [finding for finding in report.findings if finding.code == "dropped-by-trainer"]
    assert lost.severity is Severity.INFO
    assert "audio_out_ids_start_group_loc" in lost.message


def test_a_column_of_no_use_is_a_fact(layouts, tmp_path):
    batch = original_at(tmp_path, labels=torch.zeros(2, 3, dtype=torch.long))
    report = probe(ProbeConfig(layouts["original"], batch))
    (lost,) = [finding for finding in report.findings if finding.code == "dropped-by-trainer"]
    assert (lost.severity, lost.evidence["dropped"], report.exit_code) == (Severity.INFO, ["labels"], 0)
