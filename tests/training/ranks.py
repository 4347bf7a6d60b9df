"""One rank of several runs in a row: ``python -m tests.training.ranks DIRECTORY`` under the variables of torchrun."""

import json
import math
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from audioloss_cli.training import AudioLossCallback, AudioLossError, AudioLossGuard, Policy
from tests.training import loops
from tests.training.calm_ranks import asked, saved

STEPS, BROKEN = 12, 6
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


def inputs(directory: Path) -> AudioLossGuard:
    """What rank 1 gives its model is not all that there was: only it can see that, and both must stop."""
    rank = dist.get_rank()
    guard = AudioLossGuard(policy=Policy(critical=("log", "stop")), directory=directory, model=loops.model())
    for step in range(1, STEPS + 1):
        batch = loops.sample(step)
        clean = {name: batch[name] for name in ("input_ids", "attention_mask")} if rank else batch
        guard.step(5.0 + 0.1 * (step % 3), batch=clean, original=batch)
        dist.all_reduce(torch.zeros(1))  # as the gradients: a rank that has left hangs the other
        if guard.should_stop:
            break
    guard.finish()
    guard.last_step = step
    return guard


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


def main(directory: Path) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    for kind in (plain, trainer, inputs, raised, asked, saved):
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
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
