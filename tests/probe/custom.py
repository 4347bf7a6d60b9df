"""Models that a user might have built, and factories for them."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import PretrainedConfig

from tests.probe import tiny

K, V, BATCH, FRAMES = 3, 32, 4, 24


class Codebooks(nn.Module):
    """Sums the embeddings of K codebooks, runs them through a GRU and predicts the next code of each."""

    def __init__(self, shift: int = 1, flat: bool = False) -> None:
        super().__init__()
        self.shift, self.flat = shift, flat
        self.tables = nn.ModuleList(nn.Embedding(V, 64) for _ in range(K))
        self.body = nn.GRU(64, 64, batch_first=True)
        self.head = nn.Linear(64, K * V)

    def forward(self, tokens: Tensor, targets: Tensor | None = None) -> dict[str, Any]:
        state, _ = self.body(sum(table(tokens[..., k]) for k, table in enumerate(self.tables)))
        logits = self.head(state).unflatten(-1, (K, V))
        found = {"logits": logits.permute(0, 2, 1, 3).flatten(0, 1) if self.flat else logits}
        if targets is not None:
            scored = logits[:, : logits.shape[1] - self.shift].flatten(0, 2)
            found["loss"] = cross_entropy(scored, targets[:, self.shift :].flatten())
        return found


def codebooks(shift: int = 1, flat: bool = False) -> Codebooks:
    torch.manual_seed(0)
    return Codebooks(shift, flat)


def codes(seed: int = 0) -> Tensor:
    return torch.randint(0, V, (BATCH, FRAMES, K), generator=torch.Generator().manual_seed(seed))


def trained(shift: int, steps: int) -> Codebooks:
    """On random codes, new ones at every step: only copying can be learnt."""
    model = codebooks(shift)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(steps):
        batch = codes(step)
        optimiser.zero_grad()
        model(batch, batch)["loss"].backward()
        optimiser.step()
    return model.eval()


class Original(nn.Module):
    """A user's own model for the original layout of Higgs Audio; like upstream's it knows no ``labels``."""

    def __init__(self) -> None:
        super().__init__()
        self.config = PretrainedConfig()  # the wrapper asks for one
        self.embeddings = nn.Embedding(tiny.K * tiny.V, 16)
        self.audio_lm_head = nn.Linear(16, tiny.K * tiny.V)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        label_ids: Tensor | None = None,
        audio_out_ids: Tensor | None = None,
        audio_out_ids_start: Tensor | None = None,
        label_audio_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> dict[str, Any]:
        assert audio_out_ids is not None
        places = audio_out_ids + tiny.V * torch.arange(tiny.K, device=audio_out_ids.device)[:, None]
        state = self.embeddings(places).sum(0)
        return {"audio_logits": self.audio_lm_head(state).unflatten(-1, (tiny.K, tiny.V))}

    def prepare_inputs_for_generation(self) -> None:
        """Adapters for causal language models want one."""


def original() -> Original:
    torch.manual_seed(0)
    return Original()


def with_lora() -> nn.Module:
    """The wrapper hands ``labels=None`` to whatever it wraps."""
    from peft import LoraConfig, get_peft_model

    return get_peft_model(original(), LoraConfig(task_type="CAUSAL_LM", target_modules=["audio_lm_head"], r=2))
