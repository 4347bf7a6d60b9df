"""Passes through the model that are no part of what is trained, though the model is in training mode."""

import lightning
import pytest
import torch

from audioloss_cli.training import AudioLossCallback, AudioLossLightning, AudioLossMixin, Policy
from tests.effort import combinations
from tests.training import loops

STOP = Policy(critical=("stop",), warning=("stop",))
IDS = torch.tensor([[1, 5, 6, 2]])

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*num_workers.*"),
    pytest.mark.filterwarnings("ignore:.*`isinstance\\(treespec, LeafSpec\\)`.*"),
]


def unconditional(model, inputs):
    """As for guidance, or to see a sample."""
    return model(input_ids=IDS)


def reference(model, inputs):
    """With the labels, as a library would: here their loss is NaN."""
    return model(**{**inputs, "audio_labels": torch.full_like(inputs["audio_labels"], -100)})


def trainer_of(kind, side, first):
    class Sided(kind):
        def compute_loss(self, model, inputs, return_outputs=False, **_):
            if first:
                with torch.no_grad():
                    side(model, inputs)
            outputs = model(**inputs)
            if not first:
                with torch.no_grad():
                    side(model, inputs)
            return (outputs.loss, outputs) if return_outputs else outputs.loss

    return Sided


class Mixed(AudioLossMixin, loops.InOrder):
    pass


EACH_TIME = [
    *((loops.InOrder, unconditional, True, 2), (loops.InOrder, reference, False, 1)),
    *((Mixed, unconditional, False, 1), (Mixed, reference, True, 2)),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("kind", "side", "first", "accumulation"),
    combinations([loops.InOrder, Mixed], [unconditional, reference], [False, True], [1, 2], each_time=EACH_TIME),
)
def test_a_trainer_has_one_loss_a_step_whatever_is_run_beside(tmp_path, kind, side, first, accumulation):
    points = []
    for each in (trainer_of(kind, side, first), trainer_of(kind, lambda *_: None, first)):
        callback = AudioLossCallback(STOP)
        args = loops.arguments(tmp_path, 8, gradient_accumulation_steps=accumulation)
        made = each(model=loops.model(), args=args, train_dataset=loops.Samples(16), callbacks=[callback])
        made.train()
        assert (made.state.global_step, callback.guard.taken) == (8, [])
        points.append([value for _, value, _ in callback.guard.pipeline.watch.points])
    assert points[0] == points[1]
    assert len(points[0]) == 8


@pytest.mark.parametrize("side", [unconditional, reference])
def test_a_module_of_lightning(tmp_path, side):
    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.model = loops.model()

        def training_step(self, batch, batch_idx):
            loss = self.model(**batch).loss / 8
            with torch.no_grad():
                side(self.model, batch)
            return loss

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=1e-3)

    callback = AudioLossLightning(STOP)
    quiet = dict.fromkeys(("enable_progress_bar", "enable_model_summary", "logger", "enable_checkpointing"), False)
    trainer = lightning.Trainer(
        max_steps=8, accelerator="cpu", callbacks=[callback], default_root_dir=tmp_path, **quiet
    )
    trainer.fit(Module(), torch.utils.data.DataLoader(loops.Samples(8), batch_size=1))
    assert (trainer.global_step, callback.guard.taken) == (8, [])
