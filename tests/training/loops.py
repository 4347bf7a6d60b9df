"""Tiny fine-tunes of the real model, in order and broken from a step on."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from torch.utils.data import Dataset, SequentialSampler
from transformers import Trainer, TrainingArguments

from tests.probe import tiny
from tests.probe.training import logits_of

OLDER = not hasattr(transformers, "HiggsAudioV2Config")
not_in_older = partial(pytest.mark.skipif, OLDER)  # with a reason: what a Trainer of transformers 4.46 does not do
SMALL = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "head_dim": 8}
LARGER = {"hidden_size": 64, "intermediate_size": 64, "head_dim": 32}  # learns to copy in a hundred steps
FRAMES = 24


def model(seed: int = 0, **settings: Any) -> Any:
    return tiny.model(seed, **{**SMALL, **settings}).train()


def sample(index: int, *, masked: bool = False, only_eos: bool = False) -> dict[str, Tensor]:
    """One sample, [1, ...]; few different codes, so that a few dozen steps teach something."""
    batch = tiny.hf_batch(((FRAMES,),), seed=index, distinct=16, keep_eos=only_eos)
    labels = batch["audio_labels"]
    if masked:
        batch["audio_labels"] = torch.full_like(labels, -100)
    if only_eos:
        batch["audio_labels"] = labels.masked_fill(labels < tiny.BOS, -100)
    return batch


class Samples(Dataset[dict[str, Tensor]]):
    """From sample ``broken_from`` on, something is wrong with it."""

    def __init__(self, count: int, broken_from: int | None = None, broken_to: int | None = None, **fault: bool) -> None:
        self.count, self.fault = count, fault
        self.broken = range(count if broken_from is None else broken_from, broken_to or count)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        fault = self.fault if index in self.broken else {}
        return {name: value[0] for name, value in sample(index, **fault).items()}


class InOrder(Trainer):
    """Batch k is sample k - 1."""

    def _get_train_sampler(self, *args: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)


class NoShift(InOrder):
    """Holds each logit against the code that is fed in at its own position."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        loss = unshifted(logits_of(model, inputs), inputs)
        return (loss, {"loss": loss}) if return_outputs else loss


def unshifted(logits: Tensor, batch: dict[str, Tensor]) -> Tensor:
    labels = batch["audio_labels"][batch["audio_input_ids_mask"]]
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())


class Wrapped(torch.nn.Module):
    """A wrapper whose forward names nothing of the audio: the Trainer filters it out, and nothing raises."""

    def __init__(self, inner: Any) -> None:
        super().__init__()
        self.inner, self.config = inner, inner.config

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **kwargs: Any) -> dict[str, Tensor]:
        output = self.inner(input_ids=input_ids, attention_mask=attention_mask, **kwargs)
        audio = output.loss if output.loss is not None else 0.0 * output.logits.sum()
        return {"loss": audio, "audio_loss": audio, "logits": output.logits}


def arguments(directory: Path, steps: int, **settings: Any) -> TrainingArguments:
    return TrainingArguments(
        str(directory),
        max_steps=steps,
        **{
            "per_device_train_batch_size": 1,
            "learning_rate": 1e-2,
            "lr_scheduler_type": "constant",
            "logging_steps": 5,
            "save_strategy": "no",
            "report_to": [],
            "use_cpu": True,
            "disable_tqdm": True,
            "dataloader_pin_memory": False,
            **settings,
        },
    )
