"""Tiny models trained a few hundred steps, right and wrong, and their checkpoints; trained once a session."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch
from torch import Tensor

from tests.probe import tiny

#: As many different codes as a tiny model can learn the frequencies of.
DISTINCT = 64
#: What a tiny model needs to learn that a code comes again.
ABLE_TO_COPY = {"distinct": 16, "frames": 60, "hidden_size": 128, "num_hidden_layers": 1, "head_dim": 32}


def logits_of(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """[N, K, V] at the placeholders."""
    inputs = {name: value for name, value in batch.items() if name not in ("audio_labels", "labels")}
    ids = batch["input_ids"]
    return model(**inputs).logits[(ids == tiny.AUDIO) | (ids == tiny.DELAY)].reshape(-1, tiny.K, tiny.V)


def loss_at(model: Any, batch: dict[str, Tensor], offset: int) -> Tensor:
    """The cross entropy of one sample of one segment with its labels at an offset; 1 is right."""
    logits = logits_of(model, batch)
    labels = batch["audio_labels"][batch["audio_input_ids_mask"]]
    logits, labels = logits[: len(logits) - offset], labels[offset:]
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())


def train(
    offset: int,
    steps: int,
    *,
    fixed: bool = False,
    only_eos: bool = False,
    distinct: int = DISTINCT,
    frames: int = 24,
    sticky: float = 0.0,
    start: str = "",
    **settings: Any,
) -> Any:
    """A model trained on random codes (the same ones at every step if ``fixed``), with its labels at an offset.

    It starts from scratch, or from the checkpoint ``start``.
    """
    model = tiny.model(7, **settings).train()
    if start:
        model.load_state_dict(type(model).from_pretrained(checkpoint(start)).state_dict())
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    for step in range(steps):
        batch = tiny.hf_batch(
            ((frames,),), seed=3 if fixed else step, distinct=distinct, keep_eos=only_eos, sticky=sticky
        )
        if only_eos:
            batch["audio_labels"] = batch["audio_labels"].masked_fill(batch["audio_labels"] < tiny.BOS, -100)
        optimiser.zero_grad()
        loss_at(model, batch, offset).backward()
        optimiser.step()
    return model.eval()


@cache
def checkpoint(name: str) -> Path:
    """A directory with the model of that name, saved once."""
    makers = {
        "untrained": tiny.model,
        "healthy": lambda: train(1, 200),
        "repeating": lambda: train(1, 60, sticky=0.7, start="no-shift", **ABLE_TO_COPY),
        "no-shift": lambda: train(0, 340, **ABLE_TO_COPY),
        "double-shift": lambda: train(2, 300, fixed=True),
        "memorised": lambda: train(1, 300, fixed=True),
        "only-eos": lambda: train(1, 60, only_eos=True),
    }
    path = Path(mkdtemp(prefix="audioloss-")) / name
    makers[name]().save_pretrained(path)
    return path


def trainer_arguments(place: Path, **more: Any) -> None:
    """``training_args.bin`` as Trainer leaves it beside its weights; by default it removes unused columns."""
    from transformers import TrainingArguments

    made = TrainingArguments(output_dir=str(place), use_cpu=True, report_to=[], **more)
    torch.save(made, place / "training_args.bin")
