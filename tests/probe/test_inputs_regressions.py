"""Inputs that once passed for healthy, and healthy ones that once did not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from audioloss_cli import registry
from audioloss_cli.causes import FOLDER as CAUSES
from audioloss_cli.causes import diagnose
from audioloss_cli.model import Finding, Severity
from audioloss_cli.probe import validate_audio_logits, validate_model_inputs
from audioloss_cli.probe.check import FOLDER
from audioloss_cli.probe.model_io.adapter import Options
from audioloss_cli.probe.model_io.adapters import higgs_audio_v2
from audioloss_cli.probe.model_io.choose import choose_adapter
from tests.probe import tiny, tiny_siblings
from tests.probe.model_io.adapters.healthy import ORIGINAL

Batch = dict[str, Any]
AUDIO_IN = 116


def hf() -> Batch:
    return tiny.hf_batch(distinct=64)


def with_references() -> Batch:
    """The original layout, each sample with a voice to take after."""
    batch = tiny.original_batch(((30,), (40,)), distinct=64)
    generator = torch.Generator().manual_seed(5)
    given = [tiny.with_ends(tiny.frames(count, generator, 64)) for count in (25, 50)]
    before = torch.tensor([[1, 5, AUDIO_IN, 9]] * 2)
    added = {"input_ids": before, "attention_mask": torch.ones_like(before), "label_ids": torch.full_like(before, -100)}
    batch |= {name: torch.cat([each, batch[name]], 1) for name, each in added.items()}
    batch["audio_in_ids"] = torch.cat(given).T.contiguous()
    batch["audio_in_ids_start"] = torch.tensor([0, len(given[0])])
    return batch


def judged(batch: Batch, config: dict[str, Any], **more: Any) -> list[Finding]:
    return validate_model_inputs(batch, config=config, **more)


def grave(findings: list[Finding]) -> list[str]:
    return [each.code for each in findings if each.severity is not Severity.INFO]


def of_hf(batch: Batch) -> list[str]:
    return grave(judged(batch, tiny.config().to_dict()))


def of_original(batch: Batch) -> list[str]:
    return grave(judged(batch, ORIGINAL))


def generic(batch: Batch, **more: Any) -> list[str]:
    options = Options(
        codes_key="codes",
        labels_key="labels",
        layout="BTK",
        logits_key="logits",
        logits_layout="BTKV",
        num_codebooks=8,
        **more,
    )
    return grave(judged(batch, {}, adapter="generic", options=options))


def put(batch: Batch, name: str, where: Any, value: int) -> Batch:
    batch[name] = batch[name].clone()
    batch[name][where] = value
    return batch


PADDING = ~hf()["audio_input_ids_mask"]


@pytest.mark.parametrize(("value", "code"), [(-100, "ignored-index-in-inputs"), (5000, "id-out-of-range")])
def test_padding_is_looked_up_too(value, code):
    assert bool(PADDING.any())
    assert of_hf(put(hf(), "audio_input_ids", PADDING, value)) == [code]


@pytest.mark.parametrize(("value", "code"), [(-100, "ignored-index-in-inputs"), (1026, "id-out-of-range")])
@pytest.mark.parametrize("book", [0, 7])
def test_reference_audio_is_looked_up_too(value, code, book):
    assert of_original(with_references()) == []
    assert of_original(put(with_references(), "audio_in_ids", (book, 5), value)) == [code]


@pytest.mark.parametrize(("value", "code"), [(-100, "ignored-index-in-inputs"), (999, "id-out-of-range")])
def test_what_the_user_says_is_looked_up_too(value, code):
    config = tiny_siblings.moshi_config().to_dict()
    batch = tiny_siblings.moshi_batch()
    assert code not in grave(judged(batch, config))
    assert code in grave(judged(put(batch, "user_audio_codes", (0, 1, 2), value), config))


def test_codes_below_zero_need_no_vocabulary():
    batch = padded((40, 40))
    assert generic(batch) == []
    batch["codes"][0, 5, 0] = -1
    assert generic(batch) == ["id-out-of-range"]


def test_a_mask_that_hides_placeholders():
    batch = hf()
    batch["attention_mask"][:, 30:] = 0
    assert of_hf(batch) == ["bad-attention-mask"]
    batch = tiny.original_batch(distinct=64)
    batch["attention_mask"][:, 6:] = 0
    assert of_original(batch) == ["bad-attention-mask"]


def test_a_mask_that_hides_labelled_frames():
    batch, config = tiny_siblings.csm_batch(), tiny_siblings.csm_config().to_dict()
    assert grave(judged(batch, config)) == []
    batch["attention_mask"][1, 15:] = 0
    assert grave(judged(batch, config)) == ["bad-attention-mask"]


NO_CODES = torch.zeros(0, 0, dtype=torch.long)
REFERENCES: dict[str, tuple[str, Callable[[Batch], Batch]]] = {
    "absent": ("placeholder-mismatch", lambda batch: {k: v for k, v in batch.items() if k != "audio_in_ids"}),
    "empty": ("placeholder-mismatch", lambda batch: {**batch, "audio_in_ids": NO_CODES}),
    "cut off": ("bad-positions", lambda batch: {**batch, "audio_in_ids": batch["audio_in_ids"][:, :40]}),
    "cut off early": ("bad-positions", lambda batch: {**batch, "audio_in_ids": batch["audio_in_ids"][:, :20]}),
    "started wrongly": ("bad-positions", lambda batch: {**batch, "audio_in_ids_start": torch.tensor([0, 3])}),
    "started once": ("bad-positions", lambda batch: {**batch, "audio_in_ids_start": torch.tensor([0])}),
}


@pytest.mark.parametrize("what", REFERENCES)
def test_reference_audio_that_is(what):
    code, change = REFERENCES[what]
    assert code in of_original(change(with_references()))


def test_features_may_stand_in_for_reference_codes():
    batch = {**with_references(), "audio_in_ids": NO_CODES, "audio_features": torch.zeros(2, 4, 8)}
    assert of_original(batch) == []


def test_starts_that_rise_but_miss_a_beginning():
    batch = tiny.original_batch(distinct=64)
    assert of_original({**batch, "audio_out_ids_start": torch.tensor([0, 20, 68])}) == ["bad-positions"]


@pytest.mark.parametrize("kept", [False, True], ids=["masked", "EOS alone"])
def test_one_codebook_that_is_masked(kept):
    batch = tiny.original_batch(distinct=64)
    book = batch["label_audio_ids"][3]
    batch["label_audio_ids"][3] = torch.where((book == tiny.EOS) & kept, book, -100)
    findings = judged(batch, ORIGINAL)
    assert grave(findings) == ["low-valid-fraction"]
    assert findings[0].evidence["codebooks"] == [3]
    assert [each.cause for each in diagnose(findings, {})] == ["over-masked"]


def test_one_codebook_that_holds_nothing():
    batch = tiny.original_batch(distinct=64)
    for name in ("audio_out_ids", "label_audio_ids"):
        book = batch[name][3]
        batch[name][3] = torch.where((book >= 0) & (book < tiny.BOS), 7, book)
    findings = judged(batch, ORIGINAL)
    assert sorted(grave(findings)) == ["dominant-label", "poor-codes"]
    assert all(each.evidence["codebooks"] == [3] for each in findings)


#: Their messages say all there is to say, or they speak of the checkpoint, the data or the output as a whole.
OF_NO_CAUSE = {"forward-failed", "cross-entropy", "logit-summary", "special-labels", "at-chance", "logged-loss"}
OF_NO_CAUSE |= {"data-summary", "duplicate-samples", "text-alone"}
#: A NaN has many causes: a step that was too large, a batch without labels, a precision that overflows.
OF_NO_CAUSE |= {"non-finite-logits", "non-finite-gradient"}


def test_every_check_speaks_for_a_cause():
    modules = [registry.load(CAUSES, name) for name in registry.names(CAUSES)]
    spoken = [code for module in modules for code in (*module.CODES, *getattr(module, "ALSO", ()))]
    assert len(set(spoken)) == len(spoken)
    of_files = {registry.code_of(name) for name in registry.names("checkpoints.checks")}
    assert {registry.code_of(name) for name in registry.names(FOLDER)} - OF_NO_CAUSE == set(spoken) - of_files


def test_what_speaks_beside_others_diagnoses_but_need_not_rule_out():
    finding = Finding("bad-positions", Severity.CRITICAL, "wrong")
    passed = dict.fromkeys(registry.load(CAUSES, "inputs_filtered").CODES, "fine")
    (only,) = diagnose([finding], passed)
    assert (only.cause, only.ruled_out) == ("inputs-filtered", [])
    (other,) = diagnose([Finding("memorised", Severity.WARNING, "known")], passed)
    assert other.ruled_out == ["inputs-filtered: fine"]


def spoken_question(answer: list[int]) -> Batch:
    """The first of two samples has its audio in the prompt, and text behind it."""
    batch = tiny.original_batch(((30,), (40,)), distinct=64)
    text = torch.tensor(answer)[None].expand(2, -1)
    batch["label_audio_ids"][:, :39] = -100
    labels = text.masked_fill(torch.tensor([[False], [True]]), -100)
    for name, more in {"input_ids": text, "attention_mask": torch.ones_like(text), "label_ids": labels}.items():
        batch[name] = torch.cat([batch[name], more], 1)
    return batch


def test_a_spoken_question_is_no_masked_sample():
    findings = judged(spoken_question([21, 22, 23, 24]), ORIGINAL)
    assert [(each.code, each.severity) for each in findings] == [("masked-samples", Severity.INFO)]
    assert of_original(spoken_question([2])) == ["masked-samples"]


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32])
def test_a_square_attention_mask(dtype):
    size = hf()["input_ids"].shape[1]
    mask = torch.ones(2, 1, size, size).tril().to(dtype)
    assert of_hf({**hf(), "attention_mask": mask}) == []
    assert of_hf({**hf(), "attention_mask": mask[..., 1:]}) == ["wrong-text-shape"]


def test_text_of_another_shape_says_nothing_about_codes():
    findings = judged({**hf(), "attention_mask": hf()["attention_mask"][:, 1:]}, tiny.config().to_dict())
    assert [each.cause for each in diagnose(findings, {})] == ["inputs-filtered"]


def test_dtypes_that_a_file_changed():
    """Masks of integers and labels of 32 bits give what the model's own dtypes give."""
    model, adapter = tiny.model(), higgs_audio_v2.Adapter(tiny.config().to_dict(), Options())
    small = {name: value.to(torch.int32) for name, value in hf().items()}
    with torch.no_grad():
        narrow, wide = adapter.run(model, small), adapter.run(model, hf())
    assert narrow.loss is not None
    assert wide.loss is not None
    assert torch.equal(narrow.loss, wide.loss)


def test_arrays_are_as_good_as_tensors_and_lists_are_not():
    batch = tiny.original_batch(distinct=64)
    assert of_original({name: value.numpy() for name, value in batch.items()}) == []
    findings = judged({name: value.tolist() for name, value in batch.items()}, ORIGINAL)
    assert grave(findings) == ["wrong-dtype"]
    assert "audio_out_ids is a list" in findings[0].message


HANDED: dict[str, tuple[str, str, Callable[[Tensor], Tensor]]] = {
    "empty": ("empty-input", "audio_out_ids", lambda _: NO_CODES),
    "masked": ("all-masked", "label_audio_ids", lambda labels: torch.full_like(labels, -100)),
    "turned": ("wrong-shape", "audio_out_ids", lambda codes: codes.T),
}


@pytest.mark.parametrize("what", HANDED)
def test_what_reaches_the_model_is(what):
    code, name, change = HANDED[what]
    batch = tiny.original_batch(distinct=64)
    findings = judged(batch, ORIGINAL, model_inputs={**batch, name: change(batch[name])})
    assert code in grave(findings)
    assert all(each.message.startswith("in model_inputs: ") for each in findings)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (None, "of type NoneType"),
        (torch.zeros(49, dtype=torch.long), r"\[49\]"),
        (torch.zeros(1, 49, 8, dtype=torch.long), r"\[1, 49, 8\]"),
        (torch.zeros(49, 7, dtype=torch.long), r"\[49, 7\]"),
    ],
)
def test_labels_of_another_form_are_refused(labels, words):
    with pytest.raises(ValueError, match=rf"audio_labels must be \[N, 8\] or \[8, N\], not {words}"):
        validate_audio_logits(torch.randn(49, 8, 1026), labels)


def test_logits_of_another_form_are_refused():
    with pytest.raises(ValueError, match=r"not \[1, 49, 8, 1026\]"):
        validate_audio_logits(torch.randn(1, 49, 8, 1026), torch.zeros(49, 8, dtype=torch.long))


def padded(lengths: tuple[int, ...], pad: int = tiny.EOS, *, delay: bool = False) -> Batch:
    generator = torch.Generator().manual_seed(1)
    columns = [tiny.with_ends(tiny.frames(count, generator), delay=delay) for count in lengths]
    labels = [tiny.labels_of(piece) for piece in columns]
    return {
        "codes": torch.nn.utils.rnn.pad_sequence(columns, batch_first=True, padding_value=pad),
        "labels": torch.nn.utils.rnn.pad_sequence(labels, batch_first=True, padding_value=-100),
    }


@pytest.mark.parametrize("ends", [{}, {"bos": tiny.BOS, "eos": tiny.EOS}], ids=["unknown ends", "known ends"])
@pytest.mark.parametrize(
    "batch",
    [padded((3, 3, 3), delay=True), padded((100, 10, 10, 10)), padded((100, 10, 10, 10), -100), padded((60, 9), 5)],
    ids=["short and delayed", "padded with EOS", "padded with the ignored index", "padded with a code"],
)
def test_a_healthy_batch_of_a_family_that_nobody_knows(batch, ends):
    assert generic(batch, **ends) == []


def test_a_long_prompt_is_not_over_masked():
    batch = padded((60, 60))
    batch["labels"][:, :40] = -100
    assert generic(batch) == []
    batch["labels"][:, 42:] = -100
    assert "low-valid-fraction" in generic(batch)


def test_padding_that_is_named_may_lie_anywhere():
    batch = padded((60, 12), 2000)
    batch = {name: value.roll(20, 1) for name, value in batch.items()}
    batch["codes"][1, :20] = 2000
    options = Options("logits", codes_key="codes", labels_key="labels", layout="BTK", logits_layout="BTKV", pad=2000)
    adapter, _ = choose_adapter("generic", {"num_codebooks": 8}, options, batch)
    codes = adapter.codes(batch)
    assert codes is not None
    assert len(codes) == 62 + 14
    assert adapter.layout.pad == 2000


def test_the_ends_of_an_unknown_family_come_from_the_command_line(tmp_path: Path, monkeypatch, capsys):
    from audioloss_cli import cli
    from audioloss_cli.cli import probe as door

    seen: dict[str, Any] = {}

    class Wing:
        @staticmethod
        def run(request: Any, options: Any, *rest: Any) -> None:
            seen.update(options)
            raise KeyboardInterrupt

    load = door.registry.load
    monkeypatch.setattr(door.registry, "load", lambda room, name: Wing if name == "command" else load(room, name))
    arguments = ["probe", "--ckpt", str(tmp_path), "--data", str(tmp_path), "--bos", "7", "--eos", "8", "--pad", "0"]
    assert cli.execute(arguments) == 130
    assert (seen["bos"], seen["eos"], seen["pad"]) == (7, 8, 0)


def test_a_sample_of_ignored_codes_is_no_padding():
    batch = padded((60, 60))
    batch["codes"][1] = -100
    assert "ignored-index-in-inputs" in generic(batch)
