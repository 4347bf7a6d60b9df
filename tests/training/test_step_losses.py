"""The losses of a step: micro-batches as one, however a loop treats them, and when that of the audio is gone."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audioloss_cli.training import AudioLossCallback, AudioLossGuard, AudioLossMixin, Policy
from audioloss_cli.training.losses.monitors import Monitors
from audioloss_cli.training.losses.read import Losses
from audioloss_cli.training.losses.step_losses import AudioPresence, MicroBatches
from tests.effort import combinations
from tests.probe import tiny
from tests.training import loops

SILENT = Policy(critical=(), warning=())
STOP = Policy(critical=("stop",), warning=("stop",))
AUDIO_KEYS = ("audio_input_ids", "audio_input_ids_mask", "audio_labels")


def test_a_loss_that_is_divided_in_place_is_read_as_it_was_given():
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0)
    for step in range(3):
        for micro in range(4):
            loss = torch.tensor(8.0 + step, requires_grad=True) * 1.0
            guard.step(loss, sync_gradients=micro == 3)
            loss /= 4
            loss.backward()
    guard.flush()
    assert [value for _, value, _ in guard.pipeline.watch.points] == [8.0, 9.0, 10.0]


def test_no_graph_is_kept_alive_while_gradients_accumulate():
    micro, loss = MicroBatches(), torch.ones(3, requires_grad=True, device="meta").sum()
    micro.add({"audio": loss}, copy=True)
    micro.add({"audio": loss, "total": loss}, copy=True)
    assert not any(value.requires_grad for value in micro.close().values())


def test_what_lies_on_the_cpu_is_added_up_as_numbers():
    micro = MicroBatches()
    for loss in (0.1, 0.2, 0.4):
        micro.add({"audio": torch.tensor(loss, dtype=torch.float64, requires_grad=True)}, copy=True)
    assert micro.close() == {"audio": (0.1 + 0.2 + 0.4) / 3}


@pytest.mark.parametrize("counts", [(8, 4), (4, 8), (8, 8, 4), (4, 8, 8, 2)])
def test_codebooks_whose_number_changes_are_means_of_those_that_were_there(counts):
    micro = MicroBatches()
    for number, count in enumerate(counts):
        micro.add({"codebooks": torch.arange(float(count)) + number, "audio": torch.tensor(1.0)})
    found = micro.close()
    assert found.pop("audio") == 1.0
    for book in range(max(counts)):
        each = [book + number for number, count in enumerate(counts) if book < count]
        assert float(found[f"codebook/{book}"]) == pytest.approx(sum(each) / len(each))


def test_codebooks_that_lie_together_beside_those_of_a_list():
    micro = MicroBatches()
    micro.add({"codebooks": torch.tensor([1.0, 2.0])})
    micro.add({"codebook/0": 3.0, "codebook/1": 4.0, "codebook/2": 5.0})
    assert {name: float(value) for name, value in micro.close().items()} == {
        "codebook/0": 2.0,
        "codebook/1": 3.0,
        "codebook/2": 5.0,
    }


def test_codebooks_on_a_device_may_change_their_number():
    guard = AudioLossGuard(policy=SILENT, jsonl=False, first_batches=0)
    for count in (8, 4):
        guard.step(outputs={"codebook_losses": torch.ones(count, device="meta")}, sync_gradients=False)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_losses_of_low_precision_are_not_rounded_again_as_they_add_up(dtype):
    micro = MicroBatches()
    each = (5 + torch.rand(16, generator=torch.Generator().manual_seed(0))).to(dtype)
    for loss in each.unbind():
        micro.add({"audio": loss}, copy=True)
    assert float(micro.close()["audio"]) == pytest.approx(float(each.double().mean()), rel=1e-6)


def mixed_sample(index):
    batch = loops.sample(index)
    ids = batch["input_ids"]
    return {**batch, "labels": ids.masked_fill(ids >= tiny.AUDIO_EOS, -100)}


def text_alone(batch, *, absent=False):
    """Without its audio: empty tensors, or no key at all."""
    ids = batch["input_ids"]
    kept = (ids != tiny.AUDIO) & (ids != tiny.DELAY)
    text = {name: batch[name][kept][None] for name in ("input_ids", "attention_mask", "labels")}
    return text if absent else {**text, **{name: batch[name][:, :0] for name in AUDIO_KEYS}}


def looked_at(kinds):
    """Indices of the micro-batches whose audio loss is recomputed; a kind is whether there is audio in one."""
    presence, found = AudioPresence(), []
    for index, audio in enumerate(kinds):
        losses = Losses()
        losses.mixed, losses.silent, losses.anew = True, not audio, audio and index >= presence.again_from
        presence.told_apart(losses, index)
        if losses.anew:
            found.append(index)
    return found


@given(st.integers(1, 12), st.integers(0, 11), st.integers(0, 12))
def test_no_period_hides_a_batch(period, at, silent):
    """Neither of what is wrong nor of what has no audio; and not many are recomputed."""
    kinds = [silent < 2 or index % silent != 0 for index in range(1500)]
    wanted = [index for index in range(1500) if kinds[index] and index % period == at % period]
    found = looked_at(kinds)
    assert not wanted or set(found) & set(wanted)
    gaps = [after - before for before, after in pairwise(found)]
    assert min(gaps) >= 7
    assert max(gaps) <= 13 + (silent > 1)
    assert found[0] == kinds.index(True)


class Watched(AudioLossMixin, loops.InOrder):
    pass


class Samples(torch.utils.data.Dataset):
    def __init__(self, count, alone, absent):
        self.count, self.alone, self.absent = count, alone, absent

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        batch = mixed_sample(index)
        batch = text_alone(batch, absent=self.absent) if self.alone(index) else batch
        return {name: value[0] for name, value in batch.items()}


def train(directory, kind, alone, steps, *, absent, **settings):
    callback = AudioLossCallback(STOP)
    made = kind(
        model=loops.model(use_text_head=True),
        args=loops.arguments(directory, steps, **settings),
        train_dataset=Samples(steps * settings.get("gradient_accumulation_steps", 1), alone, absent),
        callbacks=[callback],
    )
    made.train()
    return callback.guard, made.state.global_step


@pytest.mark.sampled(2)
@loops.not_in_older(reason="means of text alone are not numbers")
@pytest.mark.parametrize(
    ("kind", "every", "absent"),
    combinations(
        [loops.InOrder, Watched], [2, 3, 10], [False, True], each_time=[(loops.InOrder, 10, False), (Watched, 2, True)]
    ),
)
def test_batches_of_text_alone_in_between_are_no_trouble(tmp_path, kind, every, absent):
    guard, step = train(tmp_path, kind, lambda index: index > 3 and index % every == 0, 150, absent=absent)
    assert (step, guard.taken) == (150, [])
    points = [value for _, value, _ in guard.pipeline.watch.points]
    assert len(points) >= 10
    assert min(points) > 2.5  # a total would hold the text as well, that of text alone nothing else


@pytest.mark.sampled(2)
@loops.not_in_older(reason="means of text alone are not numbers")
@pytest.mark.parametrize(
    ("kind", "accumulation", "absent"),
    combinations(
        [loops.InOrder, Watched], [1, 4], [False, True], each_time=[(loops.InOrder, 4, False), (Watched, 1, True)]
    ),
)
def test_audio_that_is_filtered_out_for_good_is_missing(tmp_path, kind, accumulation, absent):
    settings = {"gradient_accumulation_steps": accumulation}
    guard, step = train(tmp_path, kind, lambda index: index >= 40, 160 // accumulation, absent=absent, **settings)
    assert [(taken.alert, taken.step) for taken in guard.taken] == [("missing-loss", step)]
    assert step == -(-141 // accumulation)  # at the 101st of them


@pytest.mark.parametrize("without", [{}, {"audio_loss": None}])
def test_many_batches_without_audio_are_not_in_a_row(tmp_path, without):
    guard = AudioLossGuard(policy=STOP, directory=tmp_path)
    for number in range(1, 700):
        audio = {"audio_loss": torch.tensor(5.0 + number % 7 / 100)} if number % 3 else without
        guard.step(outputs={"loss": torch.tensor(7.0 + number % 5 / 100), **audio})
    assert guard.taken == []


def test_outputs_that_name_text_beside_no_audio(tmp_path):
    guard = AudioLossGuard(policy=STOP, directory=tmp_path)
    for number in range(1, 60):
        audio = {"audio_loss": torch.tensor(5.0 + number % 7 / 100)} if number % 9 else {}
        guard.step(outputs={"llm_loss": torch.tensor(2.0), **audio})
    assert guard.taken == []
    assert guard.monitor.diagnostics()["points"] == 53


class OneConstant(torch.utils.data.Dataset):
    """From a sample on, the labels of codebook 3 are all the same."""

    def __len__(self):
        return 160

    def __getitem__(self, index):
        batch = mixed_sample(index)
        labels = batch["audio_labels"]
        if index >= 60:
            labels[..., 3] = labels[..., 3].masked_fill(labels[..., 3] != -100, 7)
        return {name: value[0] for name, value in batch.items()}


def test_a_codebook_that_collapses_is_named_where_the_total_holds_text(tmp_path):
    """What is recomputed is known by codebook, and the mean of all of them hardly falls."""
    callback = AudioLossCallback(STOP)
    args = loops.arguments(tmp_path, 160)
    model = loops.model(use_text_head=True, **loops.LARGER)
    made = loops.InOrder(model=model, args=args, train_dataset=OneConstant(), callbacks=[callback])
    made.train()
    assert 60 < made.state.global_step < 100
    ((alert, series),) = [(taken.alert, taken.series) for taken in callback.guard.taken]
    assert (series, alert in {"low-loss", "critical-loss"}) == ("codebook/3", True)


@pytest.mark.parametrize("also", [{}, {"audio": 5.1}])
def test_of_several_ranks_one_may_say_so_while_another_has_a_total(also):
    """They need not come to it at the same step; where one of them has an audio loss, it is not gone."""
    watch = Monitors({})
    for step in range(1, 40):
        watch.take_in(step, {"audio": 5.0 + step % 7 / 100, "total": 7.0})
    told = watch.take_in(40, {"total": 7.0, "gone": 1.0, **also})
    assert [(name, alert.code) for name, alert in told] == ([] if also else [("audio_loss", "missing-loss")])


def test_a_total_that_is_not_finite_is_not_lost_with_it(tmp_path):
    guard = AudioLossGuard(policy=STOP, directory=tmp_path)
    for number in range(1, 112):
        audio = {"audio_loss": torch.tensor(5.0 + number % 7 / 100)} if number <= 10 else {}
        guard.step(outputs={"loss": torch.tensor(float("nan") if number == 111 else 7.0), **audio}, grad_norm=1.0)
    assert [(taken.alert, taken.step) for taken in guard.taken] == [("non-finite-loss", 111)]


def test_audio_that_is_back_within_the_step_is_not_gone(tmp_path):
    guard = AudioLossGuard(policy=STOP, directory=tmp_path)
    for number in range(1, 129):
        has = number <= 8 or number >= 8 + 102
        audio = {"audio_loss": torch.tensor(5.0 + number % 7 / 100)} if has else {}
        guard.step(outputs={"loss": torch.tensor(7.0), **audio}, sync_gradients=number % 8 == 0)
    assert guard.taken == []
