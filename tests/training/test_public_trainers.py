"""Stand-ins for what public trainers do: healthy runs are silent, and each fault of the loss is named early, once."""

import json

import pytest
import torch
from transformers import TrainerCallback

from audioloss_cli.training import AudioLossCallback, AudioLossGuard, AudioLossMixin, Policy
from tests.training import wrapped_higgs as higgs

STEPS = 40


class Mixed(AudioLossMixin, higgs.Trainer):
    """With the mixin."""


class Lossy(Mixed):
    """The audio labels do not reach the model, which makes the loss."""

    lost = ("label_audio_ids",)


def said(directory):
    """Code, step and severity of each alert that fired with a warning at least."""
    path = directory / "audioloss" / "alerts.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    alerts = [row for row in rows if row["event"] == "alert" and row["severity"] != "info" and row["edge"] == "fired"]
    return [(row["code"], row["step"]) for row in alerts]


def causes(directory):
    """The first cause in each dump."""
    reports = [json.loads(path.read_text()) for path in sorted((directory / "audioloss").glob("step-*.json"))]
    return {report["diagnoses"][0]["cause"] for report in reports if report["diagnoses"]}


FAULTS = {
    "unshifted": ("label-leak", "no-shift", 6),
    "twice": ("double-shift", "double-shift", 6),
    "detached": ("no-audio-gradient", "audio-loss-not-added", 6),
    "not-added": ("no-audio-gradient", "audio-loss-not-added", 6),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", [higgs.Trainer, Mixed])
@pytest.mark.parametrize("how", FAULTS)
def test_a_fault_of_the_loss_is_named_in_the_first_steps(how, kind, tmp_path):
    code, cause, by = FAULTS[how]
    callbacks = () if kind is Mixed else (AudioLossCallback(),)
    higgs.train(tmp_path, 2 * by, *callbacks, model=higgs.Inner(how), kind=kind)
    ((found, step), *_) = said(tmp_path)
    assert (found, step <= by) == (code, True)
    assert cause in causes(tmp_path)


class OwnTotal(higgs.Trainer):
    """The model gives logits alone; the total is made outside of it, and nobody is told its parts."""

    def compute_loss(self, model, inputs, return_outputs=False, **_):
        outputs = model(**{name: inputs[name] for name in inputs.keys()})  # noqa: SIM118  # no mapping
        total = outputs.pop("loss")
        outputs.pop("llm_loss")
        return (total, outputs) if return_outputs else total


class LogitsAlone(higgs.Inner):
    """Whose outputs hide the losses from whoever looks at them before the trainer does."""

    def forward(self, *args, **kwargs):
        return Hidden(super().forward(*args, **kwargs))


class Hidden(dict):
    """``get`` and ``items`` know no loss."""

    def items(self):
        return [(name, value) for name, value in super().items() if "loss" not in name]

    def get(self, name, default=None):
        return default if "loss" in name else super().get(name, default)


@pytest.mark.parametrize(("how", "code"), [("unshifted", "label-leak"), ("", None)])
def test_a_total_made_outside_of_the_model_is_told_by_what_is_logged_of_it(how, code, tmp_path):
    higgs.train(
        tmp_path,
        50,
        AudioLossCallback(),
        model=LogitsAlone(how, 48),
        kind=OwnTotal,
        logging_steps=1,
        learning_rate=3e-2,
    )
    assert {found for found, _ in said(tmp_path)} == ({code} if code else set())


def test_a_total_that_is_a_constant_is_named(tmp_path):
    higgs.train(tmp_path, 30, AudioLossCallback(), model=higgs.Inner("constant"))
    codes = [code for code, _ in said(tmp_path)]
    assert {"constant-loss", "no-audio-gradient"} & set(codes)
    assert len(codes) <= 3


def test_labels_that_do_not_reach_a_model_that_makes_the_loss_are_not_put_back(tmp_path):
    higgs.train(tmp_path, 6, kind=Lossy)
    assert "missing-input" in [code for code, _ in said(tmp_path)]


def test_a_frozen_head_is_named_at_the_first_step(tmp_path):
    model = higgs.Inner()
    model.audio_lm_head.requires_grad_(False)
    higgs.train(tmp_path, 6, AudioLossCallback(), model=model)
    assert said(tmp_path) == [("frozen-audio", 1)]


def masked(batch):
    batch["label_audio_ids"][:] = -100


def one_codebook(batch):
    batch["label_audio_ids"][3] = -100


@pytest.mark.parametrize(("change", "code"), [(masked, "all-masked"), (one_codebook, "low-valid-fraction")])
def test_masking_is_one_fault_not_one_for_each_codebook(change, code, tmp_path):
    higgs.train(tmp_path, 12, AudioLossCallback(), data=higgs.Samples(12, change))
    codes = [found for found, _ in said(tmp_path)]
    assert codes[0] == code
    assert len(codes) <= 3


def fills_counted(batch):
    """Labels that are the codes themselves, BOS and the fills of the delay pattern among them."""
    batch["label_audio_ids"] = batch["audio_out_ids"].clone()


def test_fills_among_the_labels_are_a_note_with_their_share_and_no_fault(tmp_path, caplog):
    caplog.set_level("INFO")
    model = higgs.Inner()
    model.audio_lm_head.requires_grad_(False)  # gradients are looked at all the same
    higgs.train(tmp_path, 8, AudioLossCallback(), model=model, data=higgs.Samples(8, fills_counted))
    rows = [json.loads(line) for line in (tmp_path / "audioloss" / "alerts.jsonl").read_text().splitlines()]
    (note,) = [row for row in rows if row.get("code") == "special-labels"]
    assert (note["severity"], note["step"]) == ("info", 1)
    assert "% of the audio labels that count" in note["message"]
    assert [record.message for record in caplog.records].count(f"inputs: {note['message']}") == 1
    assert said(tmp_path) == [("frozen-audio", 1)]


def test_a_note_alone_opens_no_event_file(tmp_path):
    guard = AudioLossGuard(directory=tmp_path, tensorboard=tmp_path / "board")
    inner = guard.examiner.model = higgs.Inner()
    batch = higgs.sample(0)
    fills_counted(batch)
    alerts = guard.step(batch=batch, outputs=inner(**batch))
    guard.finish()
    assert [(each["code"], str(each["severity"])) for each in alerts] == [("special-labels", "info")]
    assert not (tmp_path / "board").exists()


HEALTHY = {
    "plain": {},
    "accumulation": {"gradient_accumulation_steps": 4},
    "bf16": {"bf16": True},
    "checkpointed": {"checkpointed": True},
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", [higgs.Trainer, Mixed])
@pytest.mark.parametrize("how", HEALTHY)
def test_healthy_runs_are_silent(how, kind, tmp_path):
    settings = dict(HEALTHY[how])
    model = higgs.Inner(checkpointed=settings.pop("checkpointed", False))
    callbacks = () if kind is Mixed else (AudioLossCallback(),)
    made = higgs.train(tmp_path, STEPS, *callbacks, model=model, kind=kind, **settings)
    losses = [line["loss"] for line in made.state.log_history if "loss" in line]
    assert losses[-1] < losses[0]
    assert said(tmp_path) == []


def test_a_resumed_run_is_silent(tmp_path):
    higgs.train(tmp_path, 20, AudioLossCallback(), save_strategy="steps", save_steps=20)
    higgs.train(tmp_path, STEPS, AudioLossCallback(), resume_from_checkpoint=str(tmp_path / "checkpoint-20"))
    assert said(tmp_path) == []


def test_adapters_beside_a_frozen_head_are_healthy(tmp_path):
    peft = pytest.importorskip("peft")
    inner = higgs.Inner()
    adapted = peft.get_peft_model(inner, peft.LoraConfig(r=4, target_modules=["mixer", "audio_codebook_embeddings"]))
    higgs.train(tmp_path, 20, AudioLossCallback(), model=adapted)
    assert said(tmp_path) == []


def test_a_compiled_model_is_silent(tmp_path):
    model = higgs.Inner()
    model.compile(backend="eager")
    higgs.train(tmp_path, 20, AudioLossCallback(), model=model)
    torch._dynamo.reset()
    assert said(tmp_path) == []


def test_labels_that_the_collator_has_shifted_are_no_fault_where_the_loss_does_not(tmp_path):
    """The loop holds each logit against the label of its own position, which is the next code."""

    def ahead(batch):
        batch["label_audio_ids"] = torch.nn.functional.pad(batch["label_audio_ids"][:, 1:], (0, 1), value=-100)

    guard, inner = AudioLossGuard(directory=tmp_path, policy=Policy(critical=("stop",))), higgs.Inner("unshifted")
    guard.examiner.model = inner
    optimizer = torch.optim.Adam(inner.parameters(), lr=1e-2)
    for index in range(30):
        batch = higgs.sample(index)
        ahead(batch)
        outputs = inner(**batch)
        optimizer.zero_grad()
        outputs["loss"].backward()
        optimizer.step()
        guard.step(
            outputs["loss"] - outputs["llm_loss"], batch=batch, outputs={"audio_logits": outputs["audio_logits"]}
        )
    assert [taken.alert for taken in guard.taken] == []


def test_a_loop_that_hands_over_the_total_as_the_audio_loss_is_silent(tmp_path):
    """It holds the text as well, and passes by the cross entropies at every offset as it falls."""
    guard, inner = AudioLossGuard(directory=tmp_path, policy=Policy(critical=("stop",))), higgs.Inner()
    guard.examiner.model = inner
    optimizer = torch.optim.Adam(inner.parameters(), lr=1e-2)
    for index in range(60):
        batch = higgs.sample(index)
        outputs = inner(**batch)
        optimizer.zero_grad()
        outputs["loss"].backward()
        optimizer.step()
        guard.step(outputs["loss"], batch=batch, outputs={"audio_logits": outputs["audio_logits"]})
    assert [taken.alert for taken in guard.taken] == []


class Break(TrainerCallback):
    """The audio head becomes NaN after a step."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, model=None, **_):
        if state.global_step == self.step:
            with torch.no_grad():
                model.model.audio_lm_head.weight[0, 0] = float("nan")


def test_a_rollback_puts_the_trainer_back_and_it_learns_on(tmp_path):
    policy = Policy(critical=("rollback", "lower-lr"), warning=(), options={"rollback": {"skip": 2}})
    callback = AudioLossCallback(policy)
    saving = {"save_strategy": "steps", "save_steps": 5}
    made = higgs.train(tmp_path, 45, callback, Break(17), logging_steps=1, **saving)
    first = callback.guard.taken[0]
    assert (first.action, first.done) == ("rollback", True), first.outcome
    assert "checkpoint-10" in first.outcome or "checkpoint-15" in first.outcome
    assert torch.isfinite(made.model.model.audio_lm_head.weight).all()
    losses = {line["step"]: line["loss"] for line in made.state.log_history if "loss" in line}
    assert losses[45] < losses[1]
    assert made.state.global_step == 45
    assert made.optimizer.param_groups[0]["lr"] == pytest.approx(5e-3)


def test_an_action_that_fails_ends_no_training(tmp_path):
    callback = AudioLossCallback(Policy(critical=("rollback", "lower-lr"), warning=()))
    made = higgs.train(tmp_path, 15, callback, Break(5))
    assert made.state.global_step == 15
    assert next(taken.done for taken in callback.guard.taken if taken.action == "rollback") is False
