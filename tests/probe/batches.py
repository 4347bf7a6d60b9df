"""Factories for --data."""

import os
import time

import torch
from torch import Tensor

from tests.probe import tiny


def healthy() -> dict[str, Tensor]:
    return tiny.hf_batch(distinct=64)


def repeating() -> dict[str, Tensor]:
    return tiny.hf_batch(((60,), (60,)), distinct=16, sticky=0.7)


def few_codes() -> dict[str, Tensor]:
    """As many repeats, of next to nothing."""
    return tiny.hf_batch(((60,), (60,)), distinct=5, sticky=0.7)


def without_codes() -> dict[str, Tensor]:
    return {name: value for name, value in healthy().items() if name != "audio_input_ids"}


def masked() -> dict[str, Tensor]:
    batch = healthy()
    return {**batch, "audio_labels": torch.full_like(batch["audio_labels"], -100)}


def half_masked() -> dict[str, Tensor]:
    batch = healthy()
    batch["audio_labels"][0] = -100
    return batch


def second_masked() -> list[dict[str, Tensor]]:
    return [healthy(), masked()]


def too_long() -> dict[str, Tensor]:
    time.sleep(600)
    return healthy()


def talkative(word: str = "loading") -> dict[str, Tensor]:
    """In Python, and below it."""
    print(word)
    os.write(1, f"{word} below\n".encode())
    return healthy()


def failing() -> dict[str, Tensor]:
    raise RuntimeError("the disk\nis gone")
