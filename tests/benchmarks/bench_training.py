"""What the guard costs inside a training loop: microseconds a step, beside the same loop without it.

``python -m tests.benchmarks.bench_training [--steps N] [--repeats N] [--frames N]``. The loop trains the tiny Higgs
Audio v2 of the tests on fresh samples; ``--frames`` makes a step longer. Loops with and without the guard take turns,
which shows no more than their noise allows; so each call of the guard is timed in its place as well, between two
steps, with whatever the step has left in the caches. The last column is a thousand calls in a row, with warm caches.
"""

import argparse
import logging
import time
from collections.abc import Callable
from statistics import mean, median
from typing import Any

import torch

from audioloss_cli.training import AudioLossGuard
from tests.probe import tiny
from tests.training import loops

WARM_UP = 20  # the first batches are looked at, and torch allocates
Call = Callable[[AudioLossGuard, Any, Any], object]


def by_codebook(loss: torch.Tensor) -> torch.Tensor:
    """Eight losses that differ a little."""
    return loss.detach() / 8 + torch.linspace(0, 0.1, 8)


KINDS: dict[str, Call] = {
    "loss": lambda guard, outputs, batch: guard.step(outputs.loss),
    "loss, batch, outputs": lambda guard, outputs, batch: guard.step(outputs.loss, batch=batch, outputs=outputs),
    "8 codebook losses": lambda guard, outputs, batch: guard.step(
        batch=batch, outputs={"codebook_losses": by_codebook(outputs.loss), "loss": outputs.loss}
    ),
}


def run(steps: int, frames: int, call: Call | None) -> tuple[list[float], list[float]]:
    """Seconds of each step without what the guard takes, and seconds of each call of the guard."""
    model, guard = loops.model(), AudioLossGuard(jsonl=False)
    guard.examiner.model = model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    batches = [tiny.hf_batch(((frames,),), seed=seed, distinct=64) for seed in range(64)]
    worked, called = [], []
    for step in range(steps + WARM_UP):
        start = time.perf_counter()
        batch = batches[step % len(batches)]
        outputs = model(**batch)
        optimizer.zero_grad()
        outputs.loss.backward()
        optimizer.step()
        middle = time.perf_counter()
        if call is not None:
            call(guard, outputs, batch)
        worked.append(middle - start)
        called.append(time.perf_counter() - middle)
    return worked[WARM_UP:], called[WARM_UP:]


def in_a_row(call: Call) -> float:
    """Seconds of a call, among a thousand."""
    model, guard, batch = loops.model(), AudioLossGuard(jsonl=False), loops.sample(1)
    guard.examiner.model = model
    outputs = model(**batch)
    several = [type(outputs)(loss=outputs.loss + 0.01 * (number % 7)) for number in range(1000)]
    call(guard, several[0], batch)
    start = time.perf_counter()
    for each in several:
        call(guard, each, batch)
    return (time.perf_counter() - start) / len(several)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--frames", type=int, default=24)
    given = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("audioloss").setLevel(logging.CRITICAL)
    print("| given to the guard | step without, ms | with, ms | a call in its place, us: median, mean | in a row, us |")
    print("|---|---|---|---|---|")
    for name, call in KINDS.items():
        without, beside, calls, row = [], [], [], []
        for _ in range(given.repeats):
            without += run(given.steps, given.frames, None)[0]
            worked, called = run(given.steps, given.frames, call)
            beside += [sum(pair) for pair in zip(worked, called, strict=True)]
            calls += called
            row.append(in_a_row(call))
        print(
            f"| {name} | {1e3 * median(without):.3f} | {1e3 * median(beside):.3f} "
            f"| {1e6 * median(calls):.1f}, {1e6 * mean(calls):.1f} | {1e6 * median(row):.2f} |"
        )


if __name__ == "__main__":
    main()
