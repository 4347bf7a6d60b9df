"""One rank of several runs in a row: ``python -m tests.training.ranks DIRECTORY`` with RANK and WORLD_SIZE set."""

import itertools
import json
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import Dataset

from audioloss_cli.training import AudioLossCallback, AudioLossError, AudioLossGuard, AudioLossMixin, Policy
from audioloss_cli.training.integrations.transformers.forward_hook import processes_of_a_sum
from tests.training import loops, wrapped_higgs
from tests.training.asked_ranks import asked, kept, saved
from tests.training.sharded_ranks import sharded

STEPS, BROKEN, FRAME = 12, 6, 15
VANISHED = 30
LONG = 60
IGNORED, SILENT = -100, Policy(critical=(), warning=())
POLICY = Policy(critical=("log", "dump", "lower-lr", "stop"))


def plain(directory: Path) -> AudioLossGuard:
    """Rank 1 has a batch without labels at one step; two micro-batches a step."""
    rank = dist.get_rank()
    model = DistributedDataParallel(loops.model())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    guard = AudioLossGuard(policy=POLICY, directory=directory, model=model, optimizer=optimizer)
    for step in range(1, STEPS + 1):
        for last in (False, True):
            batch = loops.sample(10 * step + rank, masked=rank == 1 and last and step == BROKEN)
            outputs = model(**batch)
            guard.step(outputs.loss, batch=batch, outputs=outputs, sync_gradients=last)
            (outputs.loss / 2).backward()
        optimizer.step()
        optimizer.zero_grad()
        if guard.should_stop:
            break
    guard.finish()
    guard.last_step = step
    return guard


def trainer(directory: Path) -> AudioLossGuard:
    """Sample 2 k + 1 is rank 1's batch at step k + 1."""
    callback = AudioLossCallback(POLICY)
    made = loops.InOrder(
        model=loops.model(),
        args=loops.arguments(directory, STEPS, ddp_backend="gloo", gradient_accumulation_steps=1),
        train_dataset=loops.Samples(2 * STEPS, 2 * BROKEN - 1, 2 * BROKEN, masked=True),
        callbacks=[callback],
    )
    made.train()
    callback.guard.last_step = made.state.global_step
    return callback.guard


def higgs(directory: Path) -> AudioLossGuard:
    """A wrapper's Trainer in good health, whose outputs hold the total and the text loss alone."""
    callback = AudioLossCallback(Policy(critical=("stop",), warning=("stop",)))
    data = wrapped_higgs.Samples(2 * LONG)
    made = wrapped_higgs.train(directory, LONG, callback, data=data, ddp_backend="gloo", logging_steps=5)
    losses = [line["loss"] for line in made.state.log_history if "loss" in line]
    assert losses[-1] < losses[0]
    callback.guard.last_step = made.state.global_step
    return callback.guard


def stepped(guard: AudioLossGuard, steps: int, feed: Callable[[int], object]) -> AudioLossGuard:
    """Each step is fed until the guard ends the run."""
    for step in range(1, steps + 1):
        feed(step)
        dist.all_reduce(torch.zeros(1))  # as the gradients: a rank that has left hangs the other
        if guard.should_stop:
            break
    guard.finish()
    guard.last_step = step
    return guard


def inputs(directory: Path) -> AudioLossGuard:
    """What rank 1 gives its model is not all that there was: only it can see that, and both must stop."""
    rank = dist.get_rank()
    guard = AudioLossGuard(policy=Policy(critical=("log", "stop")), directory=directory, model=loops.model())

    def feed(step: int) -> None:
        batch = loops.sample(step)
        clean = {name: batch[name] for name in ("input_ids", "attention_mask")} if rank else batch
        guard.step(5.0 + 0.1 * (step % 3), batch=clean, original=batch)

    return stepped(guard, STEPS, feed)


def later(directory: Path) -> AudioLossGuard:
    """The labels of rank 1 are masked but for one frame from a step in mid-run on."""
    rank, net = dist.get_rank(), loops.model()
    guard = AudioLossGuard(
        policy=Policy(critical=("log", "dump", "stop")), directory=directory, model=net, look_again=0
    )

    def feed(step: int) -> None:
        batch = loops.sample(step)
        if rank and step >= BROKEN:
            batch["audio_labels"][:, 1 + FRAME :] = batch["audio_labels"][:, :FRAME] = IGNORED
        guard.step(5.0 + 0.1 * (step % 3), batch=batch)

    return stepped(guard, STEPS, feed)


def vanished(directory: Path) -> AudioLossGuard:
    """The audio of rank 1 is gone three steps after that of rank 0; before, each has batches of text alone."""
    rank = dist.get_rank()
    guard = AudioLossGuard(policy=Policy(critical=("stop",)), directory=directory, first_batches=0)

    def feed(step: int) -> None:
        has_audio = step % (4 + rank) and step < VANISHED + 3 * rank
        audio = {"audio_loss": torch.tensor(5.0 + 0.01 * (step % 7))} if has_audio else {}
        guard.step(outputs={"loss": torch.tensor(7.0), **audio})

    return stepped(guard, VANISHED + 200, feed)


def raised(directory: Path) -> AudioLossGuard:
    """An error that leaves the loop, on both ranks at the same step."""
    policy = Policy(critical=("raise-error",))
    guard = AudioLossGuard(policy=policy, directory=directory)
    for step in range(1, STEPS + 1):
        try:
            guard.step(math.nan if dist.get_rank() and step == BROKEN else 5.0 + 0.1 * (step % 3))
        except AudioLossError:
            break
        dist.all_reduce(torch.zeros(1))
    guard.last_step = step
    return guard


class Apart(loops.InOrder):
    """Trains nothing from a step on, and logs on rank 0 alone."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        outputs = model(**inputs)
        loss = outputs.loss / 8 * float(self.state.global_step < BROKEN)
        return (loss, outputs) if return_outputs else loss

    def log(self, *args: Any) -> None:
        if self.is_world_process_zero():
            super().log(*args)


def apart(directory: Path) -> AudioLossGuard:
    """The loss of the model is healthy, that which is trained is 0."""
    callback = AudioLossCallback(Policy(critical=("stop",)), jsonl=False)
    made = Apart(
        model=loops.model(),
        args=loops.arguments(directory, STEPS, ddp_backend="gloo", logging_steps=1),
        train_dataset=loops.Samples(2 * STEPS),
        callbacks=[callback],
    )
    made.train()
    callback.guard.last_step = made.state.global_step
    return callback.guard


def uneven(directory: Path) -> AudioLossGuard:
    """A rank without a loss at first, one with a float, and tensors later."""
    rank = dist.get_rank()
    guard = AudioLossGuard(policy=SILENT, directory=directory)
    for step in range(1, STEPS + 1):
        if step == 1:
            guard.step(None if rank else 5.0)
        else:
            guard.step(torch.tensor(math.nan if rank and step == BROKEN else 5.0 + 0.1 * (step % 3)))
    guard.finish()
    guard.last_step = step
    return guard


class Sevens(torch.nn.Module):
    """Each item costs 7 nats; the Trainer tells the number of items of the whole step where there are keywords."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, x: Tensor, labels: Tensor, num_items_in_batch: Any = None, **_: Any) -> dict[str, Tensor]:
        count = (labels != IGNORED).sum()
        nothing = 0.0 * self.layer(x).sum()
        return {"loss": nothing + 7.0 * count / (count if num_items_in_batch is None else num_items_in_batch)}


class Lengths(Dataset[dict[str, Tensor]]):
    """One item more in each, so that ranks and micro-batches have different shares."""

    def __len__(self) -> int:
        return 100

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        labels = torch.full((100,), IGNORED)
        labels[: index + 1] = 1
        return {"x": torch.ones(2), "labels": labels}


class Watched(AudioLossMixin, loops.InOrder):
    """Brings the loss that is trained."""


class Own(Watched):
    """Returns the loss of its model, to which DDP gives other tensors: here parameters may be unused."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        outputs = model(**inputs)
        return (outputs.loss, outputs) if return_outputs else outputs.loss


def sums(directory: Path) -> dict[str, list[Any]]:
    """What is watched of a loss that is a sum over ranks and micro-batches, and what the Trainer logs."""
    found = {}
    for kind, accumulation, whole in itertools.product((loops.InOrder, Watched), (1, 3), (True, False)):
        callback = AudioLossCallback(SILENT, jsonl=False)
        settings = {"gradient_accumulation_steps": accumulation, "average_tokens_across_devices": whole}
        made = kind(
            model=Sevens(),
            args=loops.arguments(directory, 3, ddp_backend="gloo", logging_steps=1, **settings),
            train_dataset=Lengths(),
            callbacks=[callback],
        )
        made.train()
        points = [value for _, value, _ in (callback.guard.flush(), callback.guard.pipeline.watch.points)[1]]
        logged = [line["loss"] for line in made.state.log_history if "loss" in line]
        found[f"{kind.__name__} {accumulation} {whole}"] = [points, logged, list(callback.guard.monitors)]
    own = Own(
        model=loops.model(),
        args=loops.arguments(directory, 3, ddp_backend="gloo"),
        train_dataset=loops.Samples(6),
        callbacks=[AudioLossCallback(SILENT, jsonl=False)],
    )
    own.train()
    found["own"] = [[own.audio_loss_monitor.diagnostics()[name] for name in ("points", "max")]]
    made.model._tp_size = 2  # both ranks are given the same batch
    found["in parallel"] = [[processes_of_a_sum(made.args, made.model)]]
    return found


def main(directory: Path, *names: str) -> None:
    """All runs, or those that are named."""
    torch.set_num_threads(1)
    # The ranks meet in a file: a port that is free when the test picks it may be taken before rank 0 listens.
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    dist.init_process_group("gloo", init_method=(directory / "store").as_uri(), rank=rank, world_size=size)
    every = (plain, trainer, higgs, inputs, later, vanished, raised, asked, kept, saved, uneven, apart, sharded)
    for kind in [each for each in every if not names or each.__name__ in names]:
        where = directory / kind.__name__
        where.mkdir(exist_ok=True)
        guard = kind(where)
        found = {
            "taken": [[taken.action, taken.alert, taken.step, taken.outcome] for taken in guard.taken],
            "incidents": [[each.code, each.first_step] for each in guard.monitor.incidents],
            "points": guard.monitor.diagnostics()["points"],
            "stopped": guard.last_step,
        }
        (where / f"rank{dist.get_rank()}.json").write_text(json.dumps(found))
        dist.barrier()
    if not names:
        (directory / f"sums{dist.get_rank()}.json").write_text(json.dumps(sums(directory)))
    dist.barrier()  # the other rank may still need what this one serves
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
    # All is written, and the other rank has passed the last barrier. A worker thread of gloo may still hold tensors of
    # the last sums; if it frees them while the interpreter ends, libtorch calls abort() (pytorch/pytorch#179291).
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
