"""Faults that come into the data in mid-run are named, at almost no cost, and what is odd once is not."""

import itertools
import json
import math

import pytest
import torch
from torch.utils.data import Dataset

from audioloss_cli.training import AudioLossCallback, AudioLossGuard, Policy
from audioloss_cli.training.batches import first_batches
from audioloss_cli.training.batches.recent import MicroBatch, RecentBatches
from audioloss_cli.training.transport import pinned_memory
from tests.effort import combinations
from tests.probe import tiny
from tests.probe.model_io.adapters.healthy import HEALTHY
from tests.training import frameworks, loops
from tests.training.far import Far, far_of, install

STOP = Policy(critical=("stop",), warning=("stop",))
FROM = 12  # the number of the first broken batch, counted from 0

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*num_workers.*"),
    pytest.mark.filterwarnings("ignore:.*`isinstance\\(treespec, LeafSpec\\)`.*"),
]


def one_frame(labels):
    """99 % are masked."""
    frame = torch.arange(labels.shape[1])[None, :, None] == 15
    return torch.where(frame, labels, -100)


def shifted_twice(labels):
    return torch.cat([labels[:, 1:], torch.full_like(labels[:, :1], -100)], 1)


def unshifted(labels):
    """The loss shifts them forward, they were shifted back."""
    return torch.cat([torch.full_like(labels[:, :1], -100), labels[:, :-1]], 1)


def constant_codebook(labels):
    labels = labels.clone()
    labels[..., 3] = torch.where(labels[..., 3] == -100, -100, 7)
    return labels


FAULTS = {
    one_frame: "low-valid-fraction",
    shifted_twice: "double-shift",
    unshifted: "label-leak",
    constant_codebook: "labels-of-other-audio",
}


def broken(batch, fault):
    return {**batch, "audio_labels": fault(batch["audio_labels"])}


def of_inputs(guard):
    return [(taken.alert, taken.step) for taken in guard.taken if taken.incident.startswith("inputs:")]


def with_text_labels(batch):
    ids = batch["input_ids"]
    return {**batch, "labels": torch.where(ids >= tiny.AUDIO_EOS, -100, ids)}


class Samples(Dataset):
    """In order, and broken from a number on; of any length, with text labels or text alone at times where asked."""

    def __init__(self, count, fault=None, *, lengths=False, text_labels=False, text_alone=0, distinct=16):
        self.count, self.fault, self.distinct = count, fault, distinct
        self.lengths, self.text_labels, self.text_alone = lengths, text_labels, text_alone

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if index >= self.count:
            raise IndexError(index)
        lengths = [[24], [1], [60, 7], [3], [33, 2]][index % 5] if self.lengths else [24]
        silent = self.text_alone and index % self.text_alone < self.text_alone - 1
        batch = tiny.hf_batch((() if silent else tuple(lengths),), seed=index, distinct=self.distinct)
        batch = with_text_labels(batch) if self.text_labels else batch
        if self.fault and index >= FROM:
            batch = broken(batch, self.fault)
        return {name: value[0] for name, value in batch.items() if not (silent and "audio" in name)}


EACH_FAULT = zip(itertools.cycle(frameworks.ALL), FAULTS, strict=False)


@pytest.mark.parametrize(("run", "fault"), combinations(frameworks.ALL, FAULTS, each_time=EACH_FAULT))
def test_a_fault_that_comes_in_mid_run_is_named(run, fault, tmp_path):
    samples = Samples(FROM + 4, fault, text_labels=True)
    guard = run(tmp_path, samples, policy=STOP, look_again=0.0)
    assert of_inputs(guard) == [(FAULTS[fault], FROM + 3)]  # the third of three looks in a row


@pytest.mark.parametrize("run", frameworks.ALL)
def test_among_micro_batches_too(run, tmp_path):
    guard = run(tmp_path, Samples(FROM + 8, one_frame), 2, policy=STOP, look_again=0.0)
    assert ("low-valid-fraction", FROM // 2 + 3) in [(taken.alert, taken.step) for taken in guard.taken]


def test_as_often_as_it_is_said(tmp_path):
    """Without it the fault is never named."""
    guard = frameworks.by_guard(tmp_path, Samples(FROM + 10, one_frame), policy=STOP, look_again=None)
    assert "low-valid-fraction" not in [taken.alert for taken in guard.taken]


HEALTHY_RUNS = {
    "plain": {},
    "text": {"text_labels": True},
    "lengths": {"lengths": True},
    "all": {"lengths": True, "text_labels": True, "text_alone": 3},
}
EACH_TIME = zip(frameworks.ALL[2:], [2, 1], ["all", "text"], strict=True)


@pytest.mark.parametrize(
    ("run", "accumulation", "how"), combinations(frameworks.ALL, [1, 2], HEALTHY_RUNS, each_time=EACH_TIME)
)
def test_of_healthy_runs_nothing_is_said(run, accumulation, how, tmp_path):
    samples = Samples(30 * accumulation, **HEALTHY_RUNS[how])
    guard = run(tmp_path, samples, accumulation, policy=STOP, look_again=0.0)
    assert of_inputs(guard) == []


def healthy_batch(kind, seed):
    """Moshi wants codebooks 1.. one column late, or is fed what it is to say."""
    batch = HEALTHY[kind].batch(seed=seed)
    if kind == "moshi":
        codes = batch["moshi_audio_codes"]
        codes[:, 1:, 1:] = codes[:, 1:, :-1].clone()
    return batch


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", HEALTHY)
def test_of_healthy_batches_of_every_family_nothing_is_said(kind, tmp_path):
    healthy, looked = HEALTHY[kind], []
    settings = {"options": healthy.options, "look_again": 0.0, "first_batches": 1}
    guard = AudioLossGuard(policy=STOP, directory=tmp_path, adapter=kind, model=healthy.model(), **settings)
    look, guard.examiner.first_look = guard.examiner.look, lambda fed: (looked.append(fed), look(fed))[1]
    for step in range(40):
        guard.step(5.0 + step % 7 / 100, batch=healthy_batch(kind, step % 20))
    assert guard.taken == []
    assert len(looked) > 30


def test_of_text_alone_nothing_is_said_where_a_family_tells_it_by_no_token(tmp_path):
    guard = guard_of(tmp_path, model=HEALTHY["moshi"].model())
    for step in range(20):
        batch = healthy_batch("moshi", step)
        if step > 8:
            batch = {name: batch[name] for name in ("input_ids", "text_labels")}
        guard.step(5.0 + step % 7 / 100, batch=batch)
    assert guard.taken == []


def silence():
    """One code for all of a sample."""
    batch = tiny.hf_batch(((30,),))
    codes, labels = batch["audio_input_ids"], batch["audio_labels"]
    return {
        **batch,
        "audio_input_ids": torch.where(codes < tiny.BOS, 7, codes),
        "audio_labels": torch.where(labels == -100, -100, 7),
    }


def text_alone():
    return tiny.hf_batch(((),))


def awaits_audio():
    return {name: value for name, value in loops.sample(1).items() if "audio" not in name}


def fed(guard, *batches):
    for step, batch in enumerate(batches, 1):
        guard.step(5.0 + step % 7 / 100, batch=batch)
    return [(taken.alert, taken.step) for taken in guard.taken]


def guard_of(directory, **settings):
    made = {"policy": STOP, "look_again": 0.0, "model": loops.model(), **settings}
    return AudioLossGuard(directory=directory, **made)


GOOD = [loops.sample(number) for number in range(4)]


@pytest.mark.parametrize("odd", [silence, text_alone, awaits_audio, lambda: broken(loops.sample(1), one_frame)])
def test_what_is_odd_once_or_twice_is_not_said(odd, tmp_path):
    said = fed(guard_of(tmp_path), *GOOD, odd(), loops.sample(5), odd(), odd(), loops.sample(6), odd(), *GOOD)
    assert said == []


def test_three_odd_ones_in_a_row_are_said_unless_they_were_told(tmp_path):
    masked, twice = broken(loops.sample(1), one_frame), broken(loops.sample(2), shifted_twice)
    assert fed(guard_of(tmp_path), *GOOD, masked, twice, masked, twice, *GOOD) == []
    said = fed(guard_of(tmp_path), *GOOD, masked, masked, masked, *GOOD, masked, masked, masked, twice, twice, twice)
    assert said == [("low-valid-fraction", 7), ("double-shift", 17)]


def test_text_alone_between_two_looks_is_none(tmp_path):
    masked = broken(loops.sample(1), one_frame)
    said = fed(guard_of(tmp_path), *GOOD, masked, text_alone(), text_alone(), masked, masked)
    assert said == [("low-valid-fraction", 9)]


def test_audio_that_is_gone_though_the_text_awaits_it_is_said(tmp_path):
    assert ("missing-input", 7) in fed(guard_of(tmp_path), *GOOD, *[awaits_audio()] * 3)


def test_a_dump_of_it_has_its_batch(tmp_path):
    guard = guard_of(tmp_path, policy=Policy(critical=("dump",)))
    masked = [{**broken(loops.sample(1), one_frame), "number": torch.tensor(number)} for number in range(5, 8)]
    fed(guard, *GOOD, *masked)
    (dump,) = tmp_path.glob("step-*.json")
    assert dump.name == "step-7-low-valid-fraction.json"
    assert json.loads(dump.read_text())["batches"][0]["entries"]["model_inputs"]["entries"]["number"]["min"] == 7


class Clock:
    """Seconds, and what a look takes of them."""

    def __init__(self, monkeypatch, guard, cost):
        self.now, self.looks, self.cost = 1.0e3, [], cost
        monkeypatch.setattr(first_batches, "perf_counter", lambda: self.now)
        self.look, guard.examiner.first_look = guard.examiner.look, self
        guard.pipeline.looks.again.begin()

    def __call__(self, batch):
        self.looks.append(self.now)
        self.now += self.cost
        return self.look(batch)


@pytest.mark.parametrize(("cost", "pause"), [(0.001, 60), (0.1, 200)])
def test_it_takes_a_two_thousandth_of_the_time_at_most(monkeypatch, tmp_path, cost, pause):
    guard = guard_of(tmp_path, look_again=60.0, first_batches=0)
    clock = Clock(monkeypatch, guard, cost)
    for step in range(2000):
        clock.now += 1
        guard.step(5.0 + step % 7 / 100, batch=GOOD[step % 4])
    pauses = torch.tensor(clock.looks).diff()
    assert len(pauses) > 8
    assert pauses.min() >= pause
    assert pauses.max() <= pause + 2


def test_the_second_look_follows_soon_and_is_paid_for(monkeypatch, tmp_path):
    guard = guard_of(tmp_path, look_again=60.0, first_batches=0)
    clock = Clock(monkeypatch, guard, 0.1)
    for step in range(1000):
        clock.now += 1
        guard.step(5.0 + step % 7 / 100, batch=broken(GOOD[0], one_frame if step % 2 else shifted_twice))
    pauses = torch.tensor(clock.looks).diff()
    assert pauses[0] < 2
    assert pauses[1] >= 400
    assert len(clock.looks) == 6


def test_text_alone_is_looked_at_no_more_often(monkeypatch, tmp_path):
    guard = guard_of(tmp_path, look_again=60.0, first_batches=0)
    clock = Clock(monkeypatch, guard, 0.01)
    for step in range(1000):
        clock.now += 1
        guard.step(5.0 + step % 7 / 100, batch=text_alone())
    assert torch.tensor(clock.looks).diff().min() >= 20
    assert clock.looks[0] >= 1060
    assert clock.looks[0] >= 1060


def far_batch(batch):
    return {name: far_of(value) for name, value in batch.items()}


def arrive():
    for queue in Far.queues.values():
        queue.run()


def test_on_a_device_nothing_is_waited_for_and_nothing_read_before_it_is_there(monkeypatch, tmp_path):
    install(monkeypatch)
    guard, masked = guard_of(tmp_path, first_batches=1), broken(loops.sample(1), one_frame)
    for step in range(1, 15):
        guard.step(5.0 + step % 7 / 100, batch=far_batch(masked if step > 1 else GOOD[0]))
        if step in (5, 9, 13):
            arrive()
    assert [queue.queued for queue in Far.queues.values()] == [3 * len(masked)]  # one batch at a time
    assert [(taken.alert, taken.step) for taken in guard.taken] == [("low-valid-fraction", 14)]
    assert Far.waits == []


def test_the_dump_has_the_batch_that_came_from_a_device(monkeypatch, tmp_path):
    install(monkeypatch)
    guard = guard_of(tmp_path, first_batches=1, policy=Policy(critical=("dump",)), forward=False)
    for step in range(1, 30):
        batch = {**broken(loops.sample(1), one_frame), "number": torch.tensor(step)}
        guard.step(5.0 + step % 7 / 100, batch=far_batch(batch if step > 1 else GOOD[0]))
        if step in (8, 20, 26):
            arrive()
    (dump,) = tmp_path.glob("step-*.json")
    assert dump.name == "step-22-low-valid-fraction.json"  # copied once the one before was there
    report = json.loads(dump.read_text())
    assert report["batches"][0]["entries"]["model_inputs"]["entries"]["number"]["min"] == 22
    assert Far.waits == []


def test_a_batch_that_is_spread_over_devices_is_there_when_all_say_so(monkeypatch, tmp_path):
    install(monkeypatch)
    guard, masked = guard_of(tmp_path, first_batches=0), broken(loops.sample(1), one_frame)
    looked = []
    look, guard.examiner.first_look = guard.examiner.look, lambda fed: (looked.append(fed), look(fed))[1]
    batch = {name: far_of(value, f"cuda:{len(name) % 2}") for name, value in masked.items()}
    guard.step(5.0, batch=batch)
    assert len(Far.queues) == 2
    for count, queue in enumerate(list(Far.queues.values())):
        guard.step(5.1 + count, batch=batch)
        assert looked == []
        queue.run()
    guard.step(5.5, batch=batch)
    assert torch.equal(looked[0].clean["audio_labels"], masked["audio_labels"])


def test_a_large_batch_stays_where_it_is(monkeypatch, tmp_path):
    install(monkeypatch)
    monkeypatch.setattr(pinned_memory, "LARGEST", 1000)
    guard = guard_of(tmp_path, first_batches=0)
    for step in range(5):
        guard.step(5.0 + step / 10, batch=far_batch(GOOD[0]))
    assert not any(queue.queued for queue in Far.queues.values())


def test_a_batch_that_cannot_be_copied_or_read_is_said_once(monkeypatch, tmp_path, caplog):
    install(monkeypatch)
    guard = guard_of(tmp_path, first_batches=0)
    guard.pipeline.looks.again.late.send = lambda fed: (_ for _ in ()).throw(RuntimeError("out of pinned memory"))
    for step in range(5):
        guard.step(5.0 + step / 10, batch=far_batch(GOOD[0]))
    said = [record.message for record in caplog.records if "looked at again" in record.message]
    assert said == ["batches are not looked at again: RuntimeError: out of pinned memory"]


def test_batches_of_no_known_family_are_left_alone(tmp_path):
    guard = guard_of(tmp_path, model=None)
    assert fed(guard, *[{"x": torch.ones(1)}] * 6) == []
    assert fed(guard_of(tmp_path), *GOOD, (torch.ones(1),), None, loops.sample(5)) == []


def test_every_training_has_looks_of_its_own(tmp_path):
    """The second one is given other data; what was found last in the first one is no first of two looks."""
    callback = AudioLossCallback(STOP, look_again=0.0, first_batches=0)
    for data in (Samples(FROM + 1, one_frame), Samples(1, one_frame)):
        args = loops.arguments(tmp_path, len(data))
        loops.InOrder(model=loops.model(), args=args, train_dataset=data, callbacks=[callback]).train()
    assert callback.guard.taken == []


@pytest.mark.parametrize("interval", [-1.0, math.nan])
def test_an_interval_that_makes_no_sense(interval):
    with pytest.raises(ValueError, match="look_again must be a number of seconds from 0 on, or None, not"):
        AudioLossGuard(look_again=interval)


def test_a_door_that_raises_in_mid_run_ends_no_training(tmp_path, caplog):
    """It was overridden for the first batches; the alert of another look is not worth a run."""
    guard = guard_of(tmp_path, first_batches=1)
    look = guard.examiner.look
    guard.examiner.first_look = lambda fed: look(fed) if guard.pipeline.step_number < 5 else {}["x"]
    assert fed(guard, *GOOD, *GOOD, *GOOD) == []
    said = [record.message for record in caplog.records if "looked at again" in record.message]
    assert said == ["batches are not looked at again: KeyError: 'x'"]


@pytest.mark.parametrize(("ranks", "pause"), [(1, 200), (4, 800)])
def test_ranks_that_wait_for_each_other_look_as_seldom_together(monkeypatch, ranks, pause):
    """Each looks by a clock of its own, and while one does the others stand still."""
    guard = AudioLossGuard(policy=STOP, look_again=60.0, model=loops.model(), jsonl=False)
    clock, recent = Clock(monkeypatch, guard, 0.1), RecentBatches()
    guard.examiner.choose(MicroBatch(GOOD[0]))
    for step in range(4000):
        clock.now += 1
        recent.add(MicroBatch(GOOD[step % 4]))
        recent.close(step)
        guard.pipeline.looks.again.look(step, recent, (), ranks)
    pauses = torch.tensor(clock.looks).diff()
    assert len(pauses) > 2
    assert pauses.min() >= pause
    assert pauses.max() <= pause + 2
