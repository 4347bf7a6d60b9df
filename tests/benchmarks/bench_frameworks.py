"""What the guard costs inside a framework: microseconds a step, of all that it does in one.

``python -m tests.benchmarks.bench_frameworks [--steps N] [--frames N]``. Trainers fine-tune the tiny Higgs Audio v2 of
the tests; what they are told is a made-up healthy loss that falls, after 2,000 steps of it. Each call of the guard is
timed in its place, between two parts of a step, with whatever these have left in the caches, and those of a step are
added up. To read the clock, and to go through the wrapper that does, is part of each: some 1 to 2 us. What a framework
does to come to a call, such as to look for hooks, is not in it.
"""

import argparse
import functools
import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from statistics import mean, median
from typing import Any

import lightning
import torch
import transformers
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from audioloss_cli.training import AudioLossCallback, AudioLossLightning, AudioLossMixin
from tests.benchmarks.bench_training import BEFORE, WARM_UP, falling
from tests.probe import tiny
from tests.training import loops

SAMPLES = 64


class Samples(Dataset[dict[str, Tensor]]):
    """A few, time and again."""

    def __init__(self, frames: int) -> None:
        self.made = [tiny.hf_batch(((frames,),), seed=seed, distinct=64) for seed in range(SAMPLES)]

    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {name: value[0] for name, value in self.made[index].items()}


def model() -> Any:
    """It learns what it learns, and tells of another loss, of which it is the sum over 8 codebooks."""
    net = loops.model()
    forward, count = net.forward, [BEFORE]

    @functools.wraps(forward)  # the Trainer reads its signature
    def told(*args: Any, **kwargs: Any) -> Any:
        outputs = forward(*args, **kwargs)
        count[0] += 1
        outputs.loss = outputs.loss - outputs.loss.detach() + 8 * falling(count[0])
        return outputs

    net.forward = told
    return net


class Clock:
    """Seconds that the calls of each step take."""

    def __init__(self) -> None:
        self.steps: list[float] = [0.0]
        self.calls = 0
        self._inner = 0.0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same, timed, but for what is timed by ``without``."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._inner, start = 0.0, time.perf_counter()
            came = call(*args, **kwargs)
            self.steps[-1] += time.perf_counter() - start - self._inner
            self.calls += 1
            return came

        return timed

    def without(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """What the framework itself does inside of it."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            came = call(*args, **kwargs)
            self._inner += time.perf_counter() - start
            return came

        return timed

    def methods(self, owner: Any, *names: str) -> None:
        for name in names:
            setattr(owner, name, self.around(getattr(owner, name)))

    def step(self) -> None:
        self.steps.append(0.0)


def hooked(clock: Clock, hooks: Any) -> None:
    """Time the last hook that was added to a module."""
    number, call = list(hooks.items())[-1]
    hooks[number] = clock.around(call)


def ready(guard: Any, net: Any) -> None:
    """With what comes before."""
    guard.examiner.model = net
    for step in range(BEFORE):
        guard.step(falling(step), batch=loops.sample(1) if step < WARM_UP else None, step=step - BEFORE)


class Counted(transformers.TrainerCallback):
    """Tells of the end of a step, after everything else."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.clock.step()


def in_trainer(clock: Clock, steps: int, frames: int, mixin: bool) -> None:
    """``AudioLossCallback``, alone or with the mixin that adds it."""
    net, callback = model(), AudioLossCallback(jsonl=False)
    ready(callback.guard, net)
    clock.methods(callback, "on_pre_optimizer_step", "on_step_end")
    attach = callback.hook.attach

    def attached(to: Any, loader: Any) -> None:
        attach(to, loader)
        hooked(clock, to._forward_hooks)

    callback.hook.attach = attached  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as directory:
        arguments = loops.arguments(directory, steps, learning_rate=1e-4, logging_steps=500)
        kind = mixed(clock) if mixin else transformers.Trainer
        kind(net, arguments, train_dataset=Samples(frames), callbacks=[callback, Counted(clock)]).train()


def mixed(clock: Clock) -> type:
    """A Trainer with the mixin, of which only what the mixin does is timed."""
    names = ("training_step", "_get_grad_norm")
    base = {name: clock.without(getattr(transformers.Trainer, name)) for name in names}
    mixin = type("Mixed", (AudioLossMixin, type("Base", (transformers.Trainer,), base)), {})
    return type("Timed", (mixin,), {name: clock.around(getattr(mixin, name)) for name in names})


class Module(lightning.LightningModule):
    """``kind``: what a training step returns, and whether it is logged."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.model, self.kind = model(), kind

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        loss = self.model(**batch).loss / 8
        if self.kind == "logged":
            self.log("audio_loss", loss)
        return {"loss": 1.1 * loss, "audio_loss": loss} if self.kind == "named" else loss

    def configure_optimizers(self) -> Any:
        return torch.optim.AdamW(self.parameters(), lr=1e-4)


def in_lightning(clock: Clock, steps: int, frames: int, kind: str) -> None:
    """``AudioLossLightning``."""
    module, callback = Module(kind), AudioLossLightning(jsonl=False)
    ready(callback.guard, module.model)
    clock.methods(callback, "on_before_optimizer_step", "on_train_batch_end")
    start = clock.around(callback.on_train_batch_start)
    attach = callback._inputs.attach

    def attached(to: Any, inside: Any) -> None:
        attach(to, inside)
        hooked(clock, to._forward_pre_hooks)

    def begins(*args: Any) -> None:
        clock.step()
        start(*args)

    callback._inputs.attach = attached  # type: ignore[method-assign]
    callback.on_train_batch_start = begins  # type: ignore[method-assign]
    lightning.Trainer(
        max_steps=steps,
        accelerator="cpu",
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(module, DataLoader(Samples(frames)))


KINDS: dict[str, Callable[[Clock, int, int], None]] = {
    "AudioLossCallback": functools.partial(in_trainer, mixin=False),
    "AudioLossMixin": functools.partial(in_trainer, mixin=True),
    "AudioLossLightning, a loss": functools.partial(in_lightning, kind="bare"),
    "AudioLossLightning, named losses": functools.partial(in_lightning, kind="named"),
    "AudioLossLightning, a logged loss": functools.partial(in_lightning, kind="logged"),
}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2048)
    parser.add_argument("--frames", type=int, default=60)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    for name in ("audioloss", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    print("| in a framework | a step, ms | of the guard, us: median, mean | timed calls a step |")
    print("|---|---|---|---|")
    for name, run in KINDS.items():
        clock, start = Clock(), time.perf_counter()
        run(clock, given.steps, given.frames)
        whole = (time.perf_counter() - start) / given.steps
        took = clock.steps[WARM_UP:]
        print(
            f"| {name} | {1e3 * whole:.1f} | {1e6 * median(took):.1f}, {1e6 * mean(took):.1f} "
            f"| {clock.calls / given.steps:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
