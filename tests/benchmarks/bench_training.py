"""What the guard costs inside a training loop: microseconds a step, beside the same loop without it.

``python -m tests.benchmarks.bench_training [--steps N] [--repeats N] [--frames N]``. The loop trains the tiny Higgs
Audio v2 of the tests on fresh samples; ``--frames`` makes a step longer. Loops with and without the guard take turns,
which shows no more than their noise allows; so each call of the guard is timed in its place as well, between two
steps, with whatever the step has left in the caches. To read the clock is part of it; the first row, which calls
nothing, shows how much. Then a thousand calls in a row, with warm caches; and the Python functions that a call runs
through, which no noise touches: between two steps each of them costs some 2 us, for its code is in no cache.

The loss of the tiny model stays at chance, where rules ask for more than of a loss that falls, and most rules are awake
in the first 1,000 steps; ``falling`` rows hand over a made-up healthy loss after 2,000 steps of it. ``parts`` are what
Higgs Audio's own training gives: the audio loss, that of each codebook and that of the text beside the total.
"""

import argparse
import logging
import math
import sys
import time
from collections.abc import Callable
from random import Random
from statistics import mean, median, median_low
from typing import Any

import torch

from audioloss_cli.training import AudioLossGuard
from tests.probe import tiny
from tests.training import loops

WARM_UP = 20  # the first batches are looked at, and torch allocates
BEFORE = 2000  # steps of a falling loss
Arguments = tuple[Any, Any, Any]
Prepare = Callable[[Any, Any, int], Arguments]  # outputs, batch and step to loss, batch and outputs for the guard


def by_codebook(loss: torch.Tensor) -> torch.Tensor:
    """Eight losses that differ a little."""
    return loss.detach() / 8 + torch.linspace(0, 0.1, 8)


def falling(step: int) -> float:
    """From 6.9 nats to 2, with noise of 0.05."""
    return 2 + 4.9 * math.exp(-step / 2000) + Random(step).gauss(0, 0.05)


def falling_sum(outputs: Any, batch: Any, step: int) -> Arguments:
    """Of a model whose loss is the sum over 8 codebooks."""
    loss = torch.tensor(8 * falling(BEFORE + step))
    return loss, batch, type(outputs)(loss=loss, logits=outputs.logits)


def falling_parts(outputs: Any, batch: Any, step: int) -> Arguments:
    """Of a model that gives every part of its loss."""
    audio = falling(BEFORE + step)
    parts = {
        "loss": torch.tensor(audio + 2.5 + 0.01 * (step % 7)),
        "llm_loss": torch.tensor(2.5 + 0.01 * (step % 7)),
        "audio_loss": torch.tensor(audio),
        "codebook_losses": audio + torch.linspace(-0.1, 0.1, 8),
    }
    return parts["loss"], batch, parts


KINDS: dict[str, Prepare | None] = {
    "nothing": None,
    "loss": lambda outputs, batch, step: (outputs.loss, None, None),
    "loss, batch, outputs": lambda outputs, batch, step: (outputs.loss, batch, outputs),
    "8 codebook losses": lambda outputs, batch, step: (
        None,
        batch,
        {"codebook_losses": by_codebook(outputs.loss), "loss": outputs.loss},
    ),
    "loss, falling": lambda outputs, batch, step: (torch.tensor(falling(BEFORE + step)), None, None),
    "loss, batch, outputs, falling": falling_sum,
    "parts, falling": falling_parts,
}


def made(name: str) -> AudioLossGuard:
    """A guard that has seen what comes before, and the model whose batches it looks at."""
    guard = AudioLossGuard(jsonl=False)
    guard.examiner.model = loops.model()
    if name.endswith("falling"):
        for step in range(1, BEFORE + 1):
            guard.step(falling(step), batch=loops.sample(1) if step < WARM_UP else None)
    return guard


def run(steps: int, frames: int, name: str) -> tuple[list[float], list[float]]:
    """Seconds of each step without what the guard takes, and seconds of each call of the guard."""
    model, guard, prepare = loops.model(), made(name), KINDS[name]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    batches = [tiny.hf_batch(((frames,),), seed=seed, distinct=64) for seed in range(64)]
    worked, called = [], []
    for step in range(steps + WARM_UP):
        start = time.perf_counter()
        batch = batches[step % len(batches)]
        outputs = model(**batch)
        loss, given, made_up = prepare(outputs, batch, step) if prepare else (None, None, None)
        optimizer.zero_grad()
        outputs.loss.backward()
        optimizer.step()
        middle = time.perf_counter()
        if given is not None:
            guard.step(loss, batch=given, outputs=made_up)
        elif prepare:
            guard.step(loss)
        end = time.perf_counter()
        worked.append(middle - start)
        called.append(end - middle)
    return worked[WARM_UP:], called[WARM_UP:]


def in_a_row(name: str) -> float:
    """Seconds of a call, among a thousand that follow the first ones."""
    model, guard, batch, prepare = loops.model(), made(name), loops.sample(1), KINDS[name]
    if prepare is None:
        return 0.0
    outputs = model(**batch)
    several = [
        type(outputs)(loss=outputs.loss + 0.01 * (step % 7), logits=outputs.logits) for step in range(1000 + WARM_UP)
    ]
    given = [prepare(each, batch, step) for step, each in enumerate(several)]
    start = 0.0
    for number, (loss, shown, made_up) in enumerate(given):
        start = time.perf_counter() if number == WARM_UP else start
        guard.step(loss, batch=shown, outputs=made_up)
    return (time.perf_counter() - start) / (len(given) - WARM_UP)


def functions_called(call: Callable[[], object]) -> int:
    """How many Python functions it runs through."""
    count = -1  # the one that is given

    def noted(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(noted)
    try:
        call()
    finally:
        sys.setprofile(None)
    return count


def functions_a_step(name: str, steps: int = 100) -> int:
    """Python functions that a call of the guard runs through in half of the steps at most."""
    model, guard, prepare = loops.model(), made(name), KINDS[name]
    if prepare is None:
        return 0
    counts = []
    for step in range(WARM_UP + steps):
        batch = loops.sample(step)
        loss, given, made_up = prepare(model(**batch), batch, step)
        counts.append(functions_called(lambda: guard.step(loss, batch=given, outputs=made_up)))  # noqa: B023
    return median_low(counts[WARM_UP:])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2048)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--frames", type=int, default=24)
    given = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("audioloss").setLevel(logging.CRITICAL)
    columns = ("given to the guard", "step without, ms", "with, ms", "a call in its place, us: median, mean")
    print("|", " | ".join((*columns, "in a row, us", "Python functions")), "|")
    print("|---|---|---|---|---|---|")
    for name in KINDS:
        without, beside, calls, row = [], [], [], []
        for _ in range(given.repeats):
            without += run(given.steps, given.frames, "nothing")[0]
            worked, called = run(given.steps, given.frames, name)
            beside += [sum(pair) for pair in zip(worked, called, strict=True)]
            calls += called
            row.append(in_a_row(name))
        print(
            f"| {name} | {1e3 * median(without):.3f} | {1e3 * median(beside):.3f} "
            f"| {1e6 * median(calls):.1f}, {1e6 * mean(calls):.1f} "
            f"| {1e6 * median(row):.2f} | {functions_a_step(name)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
