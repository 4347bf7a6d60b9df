"""Stand-ins for models that no package here has: each takes and gives what its family does, with other insides."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

BOOKS, IDS, WIDTH = 4, 40, 16
PAD, BOS, EOS = IDS, 38, 37
CSM_HF = {"model_type": "csm", "audio_num_codebooks": BOOKS, "audio_vocab_size": IDS, "backbone_config": {}}
KYUTAI = {"n_q": BOOKS, "dep_q": BOOKS, "card": IDS, "text_card": 50, "delays": [0, 0, 1, 1, 1]}
_DECODER = {"num_codebooks": BOOKS, "vocab_size": IDS, "pad_token_id": PAD}
MUSICGEN = {"model_type": "musicgen", "decoder": _DECODER}
PARLER = {"model_type": "parler_tts", "decoder": {**_DECODER, "bos_token_id": BOS, "eos_token_id": EOS}}
DIA = {
    "model_type": "dia",
    "bos_token_id": BOS,
    "eos_token_id": EOS,
    "pad_token_id": PAD,
    "decoder_config": {"num_channels": BOOKS, "vocab_size": IDS},
}


def walk(generator: torch.Generator, *shape: int, ids: int = 30) -> Tensor:
    """[..., T] codes that begin anywhere and go on by 3, but for some."""
    start = torch.randint(1, ids, (*shape[:-1], 1), generator=generator)
    steps = (start + 3 * torch.arange(shape[-1])) % (ids - 1) + 1
    anew = torch.randint(1, ids, shape, generator=generator)
    return torch.where(torch.rand(shape, generator=generator) < 0.3, anew, steps)


def config_of(settings: dict[str, Any]) -> Any:
    return SimpleNamespace(to_dict=lambda: dict(settings))


class _Backbone(nn.Module):
    """Looks back over all columns, as a causal model may."""

    def __init__(self, ffn: str = "mlp") -> None:
        super().__init__()
        self.ffn, self.layers = ffn, nn.ModuleList([nn.ModuleDict({ffn: nn.Linear(WIDTH, WIDTH)})])

    def forward(self, inputs_embeds: Tensor, **_: Any) -> Any:
        hidden = self.layers[0][self.ffn](inputs_embeds)
        return SimpleNamespace(last_hidden_state=hidden + hidden.cumsum(1).tanh())


class CsmHf(nn.Module):
    """CSMModel of csm-hf: two losses, and logits of the last position alone."""

    config = config_of(CSM_HF)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.audio_embeddings, self.text_embeddings = nn.Embedding(BOOKS * IDS, WIDTH), nn.Embedding(50, WIDTH)
        self.backbone, self.decoder = _Backbone(), _Backbone()
        self.codebook0_head = nn.Linear(WIDTH, IDS)
        self.audio_head = nn.Parameter(torch.randn(BOOKS - 1, WIDTH, IDS))

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor | None = None) -> dict[str, Any]:
        offsets = IDS * torch.arange(BOOKS)
        audio = self.audio_embeddings(input_ids[..., :BOOKS] + offsets)
        each = torch.cat([audio, self.text_embeddings(input_ids[..., BOOKS:])], 2) * attention_mask[..., None]
        hidden = self.backbone(inputs_embeds=each.sum(2)).last_hidden_state
        first = self.codebook0_head(hidden)
        if labels is None:
            return {"logits": first[:, -1]}
        backbone = cross_entropy(first[:, :-1].flatten(0, 1), labels[:, 1:, 0].flatten())
        sample, time = (labels[..., :BOOKS] != -100).all(2).nonzero(as_tuple=True)
        inputs = torch.cat([hidden[sample, time - 1][:, None], audio[sample, time]], 1)
        depth = self.decoder(inputs_embeds=inputs).last_hidden_state[:, 1:BOOKS]
        others = torch.einsum("fcd,cdv->fcv", depth, self.audio_head)
        decoder = cross_entropy(others.flatten(0, 1), labels[sample, time, 1:BOOKS].flatten())
        return {"loss": backbone + decoder, "backbone_loss": backbone, "decoder_loss": decoder, "logits": first[:, -1]}


def csm_hf_batch(seed: int = 1) -> dict[str, Tensor]:
    """Three rows of text, 24 frames of audio; the decoder learns every second frame."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.zeros(2, 27, BOOKS + 1, dtype=torch.long)
    ids[:, :3, BOOKS] = torch.randint(1, 50, (2, 3), generator=generator)
    ids[:, 3:, :BOOKS] = walk(generator, 2, BOOKS, 24).transpose(1, 2)
    labels = torch.full_like(ids, -100)
    labels[:, 3:, 0] = ids[:, 3:, 0]
    labels[:, 4::2, :BOOKS] = ids[:, 4::2, :BOOKS]
    return {"input_ids": ids, "attention_mask": (ids > 0).long(), "labels": labels}


class Delayed(nn.Module):
    """A decoder whose inputs are the labels one column later: MusicGen, Parler-TTS with a prompt, Dia.

    Args:
        settings: its configuration.
        prompt: columns before the audio, which the logits have too.
        by_book: whether the labels are [B K, T], as Dia's, rather than [B, T, K].
    """

    def __init__(self, settings: dict[str, Any], prompt: int = 0, *, by_book: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.config, self.prompt, self.by_book = config_of(settings), prompt, by_book
        tables, self.mix = nn.Embedding(BOOKS * (IDS + 1), WIDTH), _Backbone()
        named = (
            {"embeddings": nn.ModuleDict({"embed": tables})} if by_book else {"embed_tokens": nn.ModuleList([tables])}
        )
        self.decoder = nn.ModuleDict(named)
        self.tables = [tables]  # in a list, so that it is no second module
        self.head = "logits_dense" if by_book else "lm_heads"
        self.add_module(self.head, nn.Linear(WIDTH, BOOKS * IDS))

    def forward(
        self,
        labels: Tensor,
        decoder_input_ids: Tensor | None = None,
        prompt_input_ids: Tensor | None = None,
    ) -> dict[str, Any]:
        wanted = labels.unflatten(0, (-1, BOOKS)).transpose(1, 2) if self.by_book else labels
        fed = self._inputs(wanted, decoder_input_ids)
        hidden = self.tables[0](fed + (IDS + 1) * torch.arange(BOOKS)).sum(2)
        before = hidden.new_zeros(len(hidden), 0 if prompt_input_ids is None else prompt_input_ids.shape[1], WIDTH)
        logits = getattr(self, self.head)(self.mix(torch.cat([before, hidden], 1)).last_hidden_state)
        logits = logits.unflatten(-1, (BOOKS, IDS)).transpose(1, 2)
        scored = logits[:, :, -wanted.shape[1] :]
        targets = wanted.masked_fill(wanted == PAD, -100)
        each = [cross_entropy(scored[:, k].flatten(0, 1), targets[..., k].flatten()) for k in range(BOOKS)]
        return {"loss": torch.stack(each).mean(), "logits": logits.flatten(0, 1), "per_codebook_losses": each}

    def _inputs(self, labels: Tensor, given: Tensor | None) -> Tensor:
        if given is not None:
            return given if self.by_book else given.unflatten(0, (-1, BOOKS)).transpose(1, 2)
        start = torch.full_like(labels[:, :1], PAD)
        return torch.cat([start, labels[:, :-1]], 1).masked_fill(torch.cat([start, labels[:, :-1]], 1) == -100, PAD)


def delayed_batch(seed: int = 1, *, prompt: int = 0, by_book: bool = False, codes: bool = True) -> dict[str, Tensor]:
    """Labels in the delay pattern; -100 at the fills, and the inputs that the model would make of them."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.full((2, 24 + BOOKS - 1, BOOKS), -100)
    for k in range(BOOKS):
        labels[:, k : k + 24, k] = walk(generator, 2, 24)
    start = torch.full_like(labels[:, :1], PAD)
    inputs = torch.cat([start, labels[:, :-1]], 1).masked_fill(torch.cat([start, labels[:, :-1]], 1) == -100, PAD)
    inputs[:, 0] = PAD
    found = {"labels": labels.transpose(1, 2).flatten(0, 1) if by_book else labels}
    if codes:
        found["decoder_input_ids"] = inputs if by_book else inputs.transpose(1, 2).flatten(0, 1)
    if prompt:
        found["prompt_input_ids"] = torch.ones(2, prompt, dtype=torch.long)
    return found


class Kyutai(nn.Module):
    """LMModel of kyutai: codes with a row of text first, logits that stand where the codes stand, NaN without one."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.n_q, self.dep_q, self.card = BOOKS, BOOKS, IDS
        self.emb, self.depformer = nn.Embedding(BOOKS * IDS, WIDTH), _Backbone("gating")
        self.linears = nn.Linear(WIDTH, BOOKS * IDS)

    def forward(self, codes: Tensor) -> Any:
        rows = codes[:, 1 : 1 + BOOKS].transpose(1, 2)
        hidden = self.emb(rows + IDS * torch.arange(BOOKS)).sum(2)
        late = torch.cat([torch.zeros_like(hidden[:, :1]), hidden[:, :-1]], 1)
        logits = self.linears(self.depformer(late).last_hidden_state).unflatten(-1, (BOOKS, IDS)).transpose(1, 2)
        mask = torch.ones(logits.shape[:3], dtype=torch.bool)
        mask[:, 1:, -1] = False
        return SimpleNamespace(logits=logits.masked_fill(~mask[..., None], torch.nan), mask=mask)


def kyutai_batch(seed: int = 1) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    text = torch.randint(0, 50, (2, 1, 24), generator=generator)
    return {"codes": torch.cat([text, walk(generator, 2, BOOKS, 24)], 1)}
