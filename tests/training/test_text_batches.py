"""A batch of text alone among the first ones: no fault, unless no batch has audio, or the text awaits it."""

import pytest
import torch
from torch.utils.data import Dataset

from audioloss_cli.training import AudioLossGuard, Policy
from tests.probe import tiny
from tests.probe.model_io.adapters.healthy import HEALTHY, ORIGINAL
from tests.training import frameworks, loops
from tests.training.far import Far, far_of, install

STOP = Policy(critical=("stop",), warning=("stop",))
TEXT = ("input_ids", "attention_mask", "labels")
AUDIO = ("audio_input_ids", "audio_input_ids_mask", "audio_labels")
REFERENCE = ORIGINAL["audio_in_token_idx"]
FORMS = ("empty", "absent", "none", "padded")

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*num_workers.*"),
    pytest.mark.filterwarnings("ignore:.*`isinstance\\(treespec, LeafSpec\\)`.*"),
]


def text_alone(form="empty", segments=()):
    """Without a segment its text has no placeholder."""
    batch = {**tiny.hf_batch((segments,)), **tiny.hf_batch(((),)), "input_ids": tiny.hf_batch((segments,))["input_ids"]}
    batch["attention_mask"] = torch.ones_like(batch["input_ids"])
    if form == "padded":
        columns = {"audio_input_ids": torch.full((1, 1, 8), tiny.EOS), "audio_labels": torch.full((1, 1, 8), -100)}
        batch |= {**columns, "audio_input_ids_mask": torch.zeros(1, 1, dtype=torch.bool)}
    gone = {"absent": {name: value for name, value in batch.items() if name in TEXT}}
    return {**gone, "none": {**batch, **dict.fromkeys(AUDIO)}}.get(form, batch)


def with_text_labels(batch):
    ids = batch["input_ids"]
    return {**batch, "labels": torch.where(ids >= tiny.AUDIO_EOS, -100, ids)}


class Mixed(Dataset):
    """Text alone at some places, audio and text at the others."""

    def __init__(self, count, silent, form):
        self.count, self.silent, self.form = count, silent, form

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if index >= self.count:
            raise IndexError(index)
        batch = text_alone(self.form) if index in self.silent else loops.sample(index)
        return {name: value[0] for name, value in with_text_labels(batch).items()}


@pytest.mark.parametrize(
    ("run", "form"),
    [
        *((run, "absent") for run in frameworks.ALL),
        # They divide by the items of the step, so that the loss is no NaN.
        *((run, "empty") for run in (frameworks.by_trainer, frameworks.by_mixin)),
    ],
)
def test_among_the_first_ones_it_is_no_fault(run, form, tmp_path):
    guard = run(tmp_path, Mixed(12, (0, 2, 3, 7), form), policy=STOP)
    assert guard.taken == []
    assert guard.pipeline.looks.left == 0  # three others were looked at


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("original", [False, True])
def test_it_uses_up_no_look(form, original, tmp_path):
    guard = AudioLossGuard(policy=STOP, directory=tmp_path, model=loops.model())
    looked = []
    for step in range(1, 8):
        batch = loops.sample(step, masked=step == 7) if step in (3, 5, 7) else text_alone(form)
        guard.step(5 + step / 10, batch=batch, original=dict(batch) if original else None)
        looked.append(guard.pipeline.looks.left)
    assert looked == [3, 3, 2, 2, 1, 1, 0]
    assert [(taken.alert, taken.step) for taken in guard.taken] == [("all-masked", 7)]


def test_a_micro_batch_of_text_alone_is_no_fault_either(tmp_path):
    guard = AudioLossGuard(policy=STOP, directory=tmp_path, model=loops.model())
    for step in range(6):
        guard.step(5.0 + step / 10, batch=text_alone(), sync_gradients=False)
        guard.step(5.0 + step / 10, batch=loops.sample(step))
    assert guard.taken == []
    assert guard.pipeline.looks.left == 0


@pytest.mark.parametrize("form", FORMS)
def test_that_no_batch_has_audio_is_said(form, tmp_path):
    guard = AudioLossGuard(policy=STOP, directory=tmp_path, model=loops.model())
    for step in range(60):
        guard.step(5.0 + step % 7 / 10, batch=text_alone(form))
    code = "empty-input" if form in ("empty", "padded") else "missing-input"
    assert [(taken.alert, taken.step) for taken in guard.taken] == [(code, 50)]


def test_that_one_has_is_enough_and_text_may_go_on(tmp_path):
    guard = AudioLossGuard(policy=STOP, directory=tmp_path, model=loops.model())
    for step in range(80):
        guard.step(5.0 + step % 7 / 10, batch=loops.sample(step) if step == 20 else text_alone())
    assert guard.taken == []
    assert guard.pipeline.looks.left == 0  # not looked for forever: each look costs


@pytest.mark.parametrize("form", FORMS)
def test_a_text_that_awaits_audio_is_a_fault_at_once(form, tmp_path):
    guard = AudioLossGuard(policy=STOP, directory=tmp_path, model=loops.model())
    guard.step(5.0, batch=text_alone(form, segments=(20,)))
    assert guard.taken[0].step == 1
    assert {taken.alert for taken in guard.taken} >= {"empty-input" if form in ("empty", "padded") else "missing-input"}


@pytest.mark.parametrize("had", [loops.sample(1), text_alone()])
def test_what_was_filtered_out_is_a_fault_at_once(had, tmp_path):
    """Even if it was empty: by its name it would have been filtered out all the same."""
    clean = {name: value for name, value in text_alone().items() if name in TEXT}
    guard = AudioLossGuard(policy=STOP, directory=tmp_path, model=loops.model())
    guard.step(5.0, batch=clean, original=had)
    assert {taken.alert for taken in guard.taken} >= {"dropped-by-trainer", "missing-input"}
    assert guard.taken[0].step == 1


def test_labels_that_the_loop_keeps_are_not_filtered_out(tmp_path):
    clean = {name: value for name, value in text_alone().items() if name != "audio_labels"}
    guard = AudioLossGuard(policy=STOP, directory=tmp_path, model=loops.model())
    guard.step(5.0, batch=clean, original={**text_alone(), "number": 1})
    assert "empty-input" not in {taken.alert for taken in guard.taken}


def test_what_is_wrong_with_the_text_is_said_at_once(tmp_path):
    guard = AudioLossGuard(policy=STOP, directory=tmp_path, model=loops.model())
    batch = text_alone()
    guard.step(5.0, batch={**batch, "attention_mask": 2 * batch["attention_mask"]})
    guard.step(5.0, batch={name: value for name, value in batch.items() if name != "input_ids"})
    said = [(taken.alert, taken.step) for taken in guard.taken]
    assert said == [("bad-attention-mask", 1), ("empty-input", 2), ("missing-input", 2)]


class Original(torch.nn.Module):
    """Of the original layout, as far as its configuration goes."""

    def __init__(self):
        super().__init__()
        self.config = ORIGINAL


@pytest.mark.parametrize(
    ("token", "reference", "at_once"),
    [
        (5, False, False),
        (tiny.AUDIO, False, True),
        (tiny.AUDIO, True, True),
        (REFERENCE, False, True),
        (REFERENCE, True, False),  # asks for no audio to learn
    ],
)
def test_the_original_layout(token, reference, at_once, tmp_path):
    batch, ids = HEALTHY["higgs_audio"].batch(), torch.tensor([[1, 5, token, 7, 2]])
    none, nowhere = torch.zeros(0, 0, dtype=torch.long), torch.zeros(0, dtype=torch.long)
    batch |= {"input_ids": ids, "attention_mask": torch.ones_like(ids), "label_ids": ids.clone()}
    batch |= {"audio_out_ids": none, "label_audio_ids": none}
    batch |= {"audio_out_ids_start": nowhere, "audio_out_ids_start_group_loc": nowhere}
    if reference:
        batch |= {"audio_in_ids": torch.randint(0, 1024, (8, 30)), "audio_in_ids_start": torch.zeros(1).long()}
    guard = AudioLossGuard(policy=STOP, directory=tmp_path, model=Original())
    guard.step(5.0, batch=batch)
    assert ("empty-input" in {taken.alert for taken in guard.taken}) == at_once


@pytest.mark.parametrize(("kind", "name"), [("csm", "input_ids"), ("moshi", "moshi_audio_codes")])
def test_of_a_family_whose_text_tells_nothing_it_is_said_at_once(kind, name, tmp_path):
    guard = AudioLossGuard(policy=STOP, directory=tmp_path, adapter=kind, model=HEALTHY[kind].model())
    guard.step(5.0, batch={key: value for key, value in HEALTHY[kind].batch().items() if key != name})
    assert [taken.alert for taken in guard.taken] == ["missing-input"]


def test_on_a_device_the_text_is_read_where_audio_is_missing_alone(monkeypatch, tmp_path):
    install(monkeypatch)
    guard, waits = AudioLossGuard(policy=STOP, directory=tmp_path, model=loops.model()), []
    for step in range(1, 6):
        batch = text_alone("absent") if step == 2 else loops.sample(step)
        guard.step(5.0 + step / 10, batch={name: far_of(value) for name, value in batch.items()})
        waits.append(len(Far.waits))
    assert waits == [0, 1, 1, 1, 1]
    assert guard.taken == []
    assert guard.pipeline.looks.left == 0
