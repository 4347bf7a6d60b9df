"""Factories that a user might name with --model or --data, each wrong in one way."""

from typing import Any

import torch
from torch import Tensor, nn

from tests.probe import tiny
from tests.probe.training import checkpoint


class Wrapper(nn.Module):
    """A model in a wrapper that names what it takes."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        audio_input_ids: Tensor | None = None,
        audio_input_ids_mask: Tensor | None = None,
        audio_labels: Tensor | None = None,
    ) -> Any:
        inputs = {
            "input_ids": input_ids,
            "attention_mask": attention_mask,
            "audio_input_ids": audio_input_ids,
            "audio_input_ids_mask": audio_input_ids_mask,
            "audio_labels": audio_labels,
        }
        output = self.inner(**self.fed(inputs))
        return {"logits": output.logits, "loss": self.reported(output.loss, inputs)}

    def fed(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return inputs

    def reported(self, loss: Tensor, inputs: dict[str, Any]) -> Tensor:
        return loss


class Anonymous(nn.Module):
    """A wrapper whose forward names nothing."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner(*args, **kwargs)


class Swallowing(Wrapper):
    """Returns a constant for its loss."""

    def reported(self, loss: Tensor, inputs: dict[str, Any]) -> Tensor:
        return torch.tensor(0.001)


class Accumulating(Wrapper):
    """Divides its loss by an accumulation of 16 batches."""

    def reported(self, loss: Tensor, inputs: dict[str, Any]) -> Tensor:
        return loss / 16


class TextOnly(Wrapper):
    """Computes the audio loss and returns that of the text alone."""

    def reported(self, loss: Tensor, inputs: dict[str, Any]) -> Tensor:
        return self.inner.model.embed_tokens(inputs["input_ids"]).square().mean()


class Deaf(Wrapper):
    """Feeds the same audio whatever it is given."""

    def fed(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {**inputs, "audio_input_ids": torch.zeros_like(inputs["audio_input_ids"])}


class Peeking(Wrapper):
    """Feeds each frame one position early: the answer lies beside the question."""

    def fed(self, inputs: dict[str, Any]) -> dict[str, Any]:
        return {**inputs, "audio_input_ids": inputs["audio_input_ids"].roll(-1, 1)}


class HalfDeaf(Wrapper):
    """Feeds only the last codebook."""

    def fed(self, inputs: dict[str, Any]) -> dict[str, Any]:
        codes = inputs["audio_input_ids"]
        return {**inputs, "audio_input_ids": torch.cat([torch.zeros_like(codes[..., :-1]), codes[..., -1:]], -1)}


class HalfPeeking(Wrapper):
    """Feeds all codebooks but the last one position early."""

    def fed(self, inputs: dict[str, Any]) -> dict[str, Any]:
        codes = inputs["audio_input_ids"]
        return {**inputs, "audio_input_ids": torch.cat([codes[..., :-1].roll(-1, 1), codes[..., -1:]], -1)}


class Unshifted(Wrapper):
    """Holds its logits against the labels of their own positions."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        audio_input_ids: Tensor | None = None,
        audio_input_ids_mask: Tensor | None = None,
        audio_labels: Tensor | None = None,
    ) -> Any:
        logits = self.inner(input_ids, attention_mask, audio_input_ids, audio_input_ids_mask).logits
        places = (input_ids == tiny.AUDIO) | (input_ids == tiny.DELAY)
        rows = logits[places].reshape(-1, tiny.K, tiny.V)
        labels = audio_labels[audio_input_ids_mask]
        each = [nn.functional.cross_entropy(rows[:, k], labels[:, k]) for k in range(tiny.K)]
        return {"logits": logits, "loss": torch.stack(each).sum()}


def wrapped(kind: str) -> nn.Module:
    """An untrained tiny model in one of the wrappers."""
    wrapper: nn.Module = globals()[kind](tiny.model())
    return wrapper


def frozen_head() -> nn.Module:
    model = Wrapper(tiny.model())
    model.inner.audio_lm_head.requires_grad_(False)
    return model


def zero_head() -> nn.Module:
    model = Wrapper(tiny.model())
    nn.init.zeros_(model.inner.audio_lm_head.weight)
    return model


class Cached(torch.utils.data.Dataset):
    """Samples that are made once and kept."""

    def __init__(self) -> None:
        batch = tiny.hf_batch(((30,), (30,)), distinct=64)
        self.samples = [{name: value[index] for name, value in batch.items()} for index in range(2)]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return self.samples[index]


def masks_in_place(samples: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    batch = {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}
    for sample in samples:
        sample["audio_labels"][:] = -100
    return batch


def in_place_loader() -> torch.utils.data.DataLoader:
    return torch.utils.data.DataLoader(Cached(), batch_size=2, collate_fn=masks_in_place)


def healthy_loader() -> torch.utils.data.DataLoader:
    return torch.utils.data.DataLoader(Cached(), batch_size=2)


def trained(name: str) -> nn.Module:
    """One of the trained models."""
    from transformers import HiggsAudioV2ForConditionalGeneration

    return HiggsAudioV2ForConditionalGeneration.from_pretrained(checkpoint(name))
