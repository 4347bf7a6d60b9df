"""A factory for --data that imports nothing but torch."""

import torch
from torch import Tensor


def batch() -> dict[str, Tensor]:
    """In the layout of Higgs Audio v2, one sample without text around its audio."""
    codes = torch.randint(0, 1024, (1, 40, 8), generator=torch.Generator().manual_seed(0))
    text = torch.full((1, 40), 7)
    return {
        "input_ids": text,
        "attention_mask": torch.ones_like(text),
        "audio_input_ids": codes,
        "audio_input_ids_mask": torch.ones(1, 40, dtype=torch.bool),
        "audio_labels": codes.clone(),
    }
