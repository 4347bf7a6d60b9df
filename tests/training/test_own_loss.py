"""A compute_loss that is overridden, and returns the model's own loss as it is; or not quite."""

import pytest
import torch

from audioloss_cli.training import AudioLossCallback, AudioLossMixin, Policy
from tests.effort import exhaustive, rows
from tests.training import loops
from tests.training.test_trainer import WithText

SILENT = Policy(critical=(), warning=())


def returned(loss, outputs, wanted):
    return (loss, outputs) if wanted else loss


class Own(AudioLossMixin, loops.InOrder):
    """As everyone writes it."""

    def compute_loss(self, model, inputs, return_outputs=False, **_):
        outputs = model(**inputs)
        return returned(outputs.loss, outputs, return_outputs)


class Told(AudioLossMixin, loops.InOrder):
    """As those who pass on of how many tokens the loss is a mean."""

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        outputs = model(**inputs, num_items_in_batch=num_items_in_batch)
        return returned(outputs.loss, outputs, return_outputs)


class Base(loops.InOrder):
    """The Trainer multiplies the loss by the number of processes, in place."""

    def compute_loss(self, *args, **kwargs):
        return super().compute_loss(*args, **kwargs)


class Inherited(AudioLossMixin, Base):
    pass


class Beside(Own):
    """The same model once more, without gradients and with them."""

    def compute_loss(self, model, inputs, return_outputs=False, **_):
        outputs = model(**inputs)
        with torch.no_grad():
            model(input_ids=inputs["input_ids"])
        other = model(**{**inputs, "audio_labels": torch.full_like(inputs["audio_labels"], -100)})
        outputs.other = other.logits.mean()
        return returned(outputs.loss, outputs, return_outputs)


class Plain(loops.InOrder):
    pass


class Times(AudioLossMixin, loops.InOrder):
    def compute_loss(self, model, inputs, return_outputs=False, **_):
        outputs = model(**inputs)
        return returned(outputs.loss * 1.0, outputs, return_outputs)


class InPlace(AudioLossMixin, loops.InOrder):
    """The same tensor, and another loss."""

    def compute_loss(self, model, inputs, return_outputs=False, **_):
        outputs = model(**inputs)
        outputs.loss += 0.0 * outputs.logits.square().mean()
        return returned(outputs.loss, outputs, return_outputs)


class Doubled(AudioLossMixin, loops.InOrder):
    def compute_loss(self, model, inputs, return_outputs=False, **_):
        outputs = model(**inputs)
        outputs.loss *= 2
        return returned(outputs.loss, outputs, return_outputs)


class Regularised(AudioLossMixin, loops.InOrder):
    """R-Drop: two passes, and the mean of both."""

    def compute_loss(self, model, inputs, return_outputs=False, **_):
        outputs = model(**inputs)
        return returned((outputs.loss + model(**inputs).loss) / 2, outputs, return_outputs)


class Several(loops.InOrder):
    """A training step that puts two of them together."""

    def compute_loss(self, model, inputs, return_outputs=False, **_):
        outputs = model(**inputs)
        return returned(outputs.loss, outputs, return_outputs)

    def training_step(self, model, inputs, num_items_in_batch=None):
        loss = self.compute_loss(model, inputs) + self.compute_loss(model, inputs)
        loss.backward()
        return loss.detach()


class SeveralWatched(AudioLossMixin, Several):
    pass


def run(kind, directory, steps=12, *, text=False, **settings):
    callback = AudioLossCallback(SILENT)
    initial = settings.pop("initial", {})
    made = kind(
        model=loops.model(use_text_head=text),
        args=loops.arguments(directory, steps, logging_steps=1, **settings),
        train_dataset=WithText(48) if text else loops.Samples(48),
        callbacks=[callback],
        **initial,
    )
    made.train()
    callback.guard.flush()
    watched = [value for _, value, _ in callback.guard.pipeline.watch.points]
    return watched, [line["loss"] for line in made.state.log_history if "loss" in line], made


@pytest.mark.parametrize("settings", [{"gradient_accumulation_steps": 3}, *exhaustive({}, {"text": True})])
@pytest.mark.parametrize("kind", [Own, *exhaustive(Told, Inherited)])
def test_the_model_s_own_loss_is_read_as_that_of_a_plain_trainer(tmp_path, kind, settings):
    plain, _, _ = run(Plain, tmp_path, **settings)
    watched, _, made = run(kind, tmp_path, **settings)
    assert watched == pytest.approx(plain, rel=1e-3)  # of text, a mean is trained in place of a sum
    assert watched[0] == pytest.approx(6.93, abs=0.2)  # and no sum over 8 codebooks
    assert "compute_loss" not in vars(made)
    assert not made.model._forward_hooks


@pytest.mark.exhaustive
def test_with_text_in_micro_batches(tmp_path):
    settings = {"text": True, "gradient_accumulation_steps": 4}
    plain, _, _ = run(Plain, tmp_path, **settings)
    for kind in (Told, Inherited):
        assert run(kind, tmp_path, **settings)[0] == pytest.approx(plain, rel=1e-5)


def test_a_pass_beside_it_is_not_taken_for_it(tmp_path):
    """Though it comes later, and has gradients."""
    watched, logged, _ = run(Beside, tmp_path)
    assert watched == pytest.approx([loss / 8 for loss in logged], rel=1e-5)


@pytest.mark.parametrize(
    ("kind", "accumulation"),
    rows([(Times, 1), (Times, 3), (InPlace, 1), (Doubled, 1)], each_time=[(Times, 3), (InPlace, 1)]),
)
def test_another_loss_is_watched_as_it_is_trained(tmp_path, kind, accumulation):
    watched, logged, _ = run(kind, tmp_path, gradient_accumulation_steps=accumulation)
    assert watched == pytest.approx(logged, rel=1e-5)
    assert watched[0] > 50


@pytest.mark.parametrize("kind", [Regularised, SeveralWatched])
def test_what_is_put_together_of_several_is_watched_as_it_is_trained(tmp_path, kind):
    watched, logged, _ = run(kind, tmp_path)
    assert watched == pytest.approx(logged, rel=1e-5)


@loops.not_in_older(reason="calls the function for text labels alone")
def test_a_function_that_returns_it_and_one_that_does_not(tmp_path):
    kind = type("Watched", (AudioLossMixin, loops.InOrder), {})
    for function, factor in (
        (lambda outputs, *_, **__: outputs.loss, 8),
        (lambda outputs, *_, **__: outputs.loss / 8, 1),
    ):
        watched, logged, _ = run(kind, tmp_path, initial={"compute_loss_func": function})
        assert watched == pytest.approx([loss / factor for loss in logged], rel=1e-5)


class Failing(Own):
    failed = False

    def compute_loss(self, model, inputs, *args, **kwargs):
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        if self.state.global_step == 5 and not self.failed:
            self.failed = True
            raise RuntimeError("out of memory")
        return loss


def test_an_exception_leaves_nothing_behind(tmp_path):
    made = Failing(model=loops.model(), args=loops.arguments(tmp_path, 8), train_dataset=loops.Samples(8))
    with pytest.raises(RuntimeError, match="out of memory"):
        made.train()
    assert "compute_loss" not in vars(made)
    hook = made._audio_loss_callback().hook
    assert hook.own.passes is None
    made.train()
    assert made.audio_loss_monitor.diagnostics()["max"] < 8


def test_one_that_is_set_on_the_trainer_is_used_and_stays(tmp_path):
    kind = type("Watched", (AudioLossMixin, loops.InOrder), {})
    made = kind(model=loops.model(), args=loops.arguments(tmp_path, 3), train_dataset=loops.Samples(3))

    def doubled(model, inputs, **_):
        return 2 * model(**inputs).loss

    made.compute_loss = doubled
    made.train()
    assert vars(made)["compute_loss"] is doubled
    assert made.audio_loss_monitor.diagnostics()["current"] > 80


class Wrapped(torch.nn.Module):
    """Gives other tensors than the model inside of it, as DDP does where parameters may be unused."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, **inputs):
        outputs = self.inner(**inputs)
        outputs.loss = outputs.loss.clone()
        return outputs


class AroundIt(Own):
    def _wrap_model(self, model, **_):
        return Wrapped(model)


def test_what_is_wrapped_around_the_model_may_give_other_tensors(tmp_path):
    plain, _, _ = run(Plain, tmp_path)
    watched, _, made = run(AroundIt, tmp_path)
    assert watched == pytest.approx(plain, rel=1e-5)
    assert not made.model_wrapped._forward_hooks


@pytest.mark.filterwarnings("ignore:.*")
@pytest.mark.exhaustive  # `test_compiled.py` compiles in each run
def test_a_model_that_is_compiled(tmp_path):
    torch._dynamo.reset()
    settings = {"torch_compile": True, "torch_compile_backend": "eager"}
    watched, logged, _ = run(Own, tmp_path, **settings)
    assert watched == pytest.approx([loss / 8 for loss in logged], rel=1e-5)


def test_no_graph_is_kept(tmp_path):
    made = run(Own, tmp_path)[2]
    hook = made._audio_loss_callback().hook
    assert (hook.own.passes, hook._pending) == (None, [])
