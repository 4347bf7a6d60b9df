"""A batch of text alone, of a model that names its audio loss: its total is no audio loss, and raises no alarm."""

import lightning
import pytest
import torch

from audioloss_cli.training import AudioLossCallback, AudioLossGuard, AudioLossLightning, AudioLossMixin, Policy
from tests.effort import combinations
from tests.training import loops

SILENT = (20, 21, 30)
STEPS = 40
POLICY = Policy(critical=("stop",), warning=("stop",))

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*num_workers.*"),
    pytest.mark.filterwarnings("ignore:.*`isinstance\\(treespec, LeafSpec\\)`.*"),
]


class Model(torch.nn.Module):
    """The audio loss falls slowly; that of text is next to nothing, as it is when it is learnt."""

    def __init__(self, absent):
        super().__init__()
        self.weight, self.absent = torch.nn.Parameter(torch.zeros(1)), absent

    def forward(self, step):
        number = int(step.reshape(-1)[0])
        text, audio = 0.004 + 0 * self.weight.sum(), 5 - 0.01 * number + 0.001 * (number % 3)
        if number not in SILENT:
            return {"loss": text + audio, "audio_loss": text - text.detach() + audio}
        return {"loss": text, **({} if self.absent else {"audio_loss": None})}


class Numbers(torch.utils.data.Dataset):
    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        return {"step": torch.tensor(index + 1)}


class OwnLoss(AudioLossMixin, loops.InOrder):
    def compute_loss(self, model, inputs, return_outputs=False, **_):
        outputs = model(**inputs)
        loss = 1.0 * outputs["loss"]
        return (loss, outputs) if return_outputs else loss


class Module(lightning.LightningModule):
    def __init__(self, absent):
        super().__init__()
        self.inner = Model(absent)

    def training_step(self, batch, batch_idx):
        return self.inner(**batch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def by_guard(directory, absent, accumulation):
    guard, model = AudioLossGuard(policy=POLICY, directory=directory), Model(absent)
    for number in range(1, STEPS + 1):
        outputs = model(torch.tensor(number))
        guard.step(outputs["loss"] * 1.0, outputs=outputs, sync_gradients=number % accumulation == 0)
    guard.finish()
    return guard


def by_trainer(directory, absent, accumulation, kind=loops.InOrder):
    callback = AudioLossCallback(POLICY)
    settings = {"gradient_accumulation_steps": accumulation, "remove_unused_columns": False}
    args = loops.arguments(directory, STEPS // accumulation, **settings)
    made = kind(model=Model(absent), args=args, train_dataset=Numbers(), callbacks=[callback])
    made.model_accepts_loss_kwargs = False
    made.train()
    return callback.guard


def by_mixin(directory, absent, accumulation):
    return by_trainer(directory, absent, accumulation, OwnLoss)


def by_lightning(directory, absent, accumulation):
    callback = AudioLossLightning(POLICY)
    quiet = dict.fromkeys(("enable_progress_bar", "enable_model_summary", "logger", "enable_checkpointing"), False)
    settings = {"max_epochs": 1, "accumulate_grad_batches": accumulation, "accelerator": "cpu"}
    trainer = lightning.Trainer(callbacks=[callback], default_root_dir=directory, **settings, **quiet)
    trainer.fit(Module(absent), torch.utils.data.DataLoader(Numbers(), batch_size=1))
    return callback.guard


@pytest.mark.parametrize(
    ("accumulation", "absent"), combinations([1, 2], [False, True], each_time=[(1, True), (2, False)])
)
@pytest.mark.parametrize("run", [by_guard, by_trainer, by_mixin, by_lightning])
def test_it_has_no_part_in_the_audio_loss(run, accumulation, absent, tmp_path):
    guard = run(tmp_path, absent, accumulation)
    points = [value for _, value, _ in guard.pipeline.watch.points]
    assert len(points) == (STEPS - len(SILENT) if accumulation == 1 else STEPS // 2)
    assert min(points) > 4.5
    assert guard.taken == []
    assert set(guard.monitors) <= {"audio_loss", "logged"}


def test_an_audio_loss_that_is_gone_for_good_is_told_of(tmp_path, caplog):
    guard = AudioLossGuard(policy=Policy(critical=(), warning=()), directory=tmp_path)
    for number in range(1, 300):
        audio = {"audio_loss": torch.tensor(5.0 + number % 7 / 100)} if number < 150 else {}
        guard.step(outputs={"loss": torch.tensor(2.0 + number % 5 / 100), **audio})
    (record,) = [each for each in caplog.records if "no audio loss" in each.message]
    assert record.message == "no audio loss in 100 batches"
    (incident,) = guard.monitor.incidents
    assert (incident.code, incident.first_step, incident.last_step) == ("missing-loss", 250, 250)
    assert guard.monitor.diagnostics()["points"] == 149 + 1
    guard.step(outputs={"loss": torch.tensor(2.0), "audio_loss": torch.tensor(5.0)})
    guard.step(outputs={"loss": torch.tensor(0.001)})
    assert guard.monitor.diagnostics()["current"] == 5.0


def test_an_audio_loss_that_is_gone_while_gradients_accumulate(tmp_path):
    guard = AudioLossGuard(policy=POLICY, directory=tmp_path)
    for number in range(1, 130):
        audio = {"audio_loss": torch.tensor(5.0 + number % 7 / 100)} if number < 10 else {}
        outputs = {"loss": torch.tensor(2.0 + number % 5 / 100), **audio}
        guard.step(outputs=outputs, sync_gradients=number % 4 == 0)
    assert [(taken.alert, taken.step) for taken in guard.taken] == [("missing-loss", 28)]


def test_a_total_that_is_not_finite_speaks_though_it_is_of_text(tmp_path):
    guard = AudioLossGuard(policy=POLICY, directory=tmp_path)
    guard.step(outputs={"loss": torch.tensor(5.0), "audio_loss": torch.tensor(4.0)})
    guard.step(outputs={"loss": torch.tensor(float("nan")), "audio_loss": None})
    assert [(taken.alert, taken.step) for taken in guard.taken] == [("non-finite-loss", 2)]


def test_another_training_may_name_none(tmp_path):
    guard = AudioLossGuard(directory=tmp_path)
    guard.step(outputs={"loss": torch.tensor(5.0), "audio_loss": torch.tensor(4.0)})
    guard.pipeline.begin()
    guard.step(outputs={"loss": torch.tensor(5.0)})
    assert guard.monitor.diagnostics()["current"] == 5.0
