"""Higgs Audio v2 in the layout of transformers, for one that is older than the model: the same inputs and outputs.

Written for the tests beside transformers 4.46, with which most Higgs trainers run: a small decoder of Llama, tables and
a head for the codes, and the sum over the codebooks as the loss, shifted by one position.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaModel, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast


class HiggsAudioV2Config(LlamaConfig):
    """As of a decoder of text, with the codebooks and the tokens that stand for audio."""

    model_type = "higgs_audio_v2"

    def __init__(
        self,
        num_codebooks: int = 8,
        codebook_size: int = 1026,
        audio_token_id: int = 0,
        audio_bos_token_id: int = 0,
        audio_delay_token_id: int = 0,
        **settings: Any,
    ) -> None:
        self.num_codebooks, self.codebook_size = num_codebooks, codebook_size
        self.audio_token_id, self.audio_bos_token_id = audio_token_id, audio_bos_token_id
        self.audio_delay_token_id = audio_delay_token_id
        super().__init__(**settings)


class HiggsAudioV2ForConditionalGeneration(PreTrainedModel):
    """Text and codes in, logits of the codes at every position out."""

    config_class = HiggsAudioV2Config
    supports_gradient_checkpointing = True

    def __init__(self, config: HiggsAudioV2Config, *, use_text_head: bool = False) -> None:
        super().__init__(config)
        codes = config.num_codebooks * config.codebook_size
        self.model = LlamaModel(config)
        self.embed_audio_tokens = nn.Embedding(codes, config.hidden_size)
        self.audio_lm_head = nn.Linear(config.hidden_size, codes, bias=False)
        self.text_lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False) if use_text_head else None
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding)):
            module.weight.data.normal_(std=self.config.initializer_range)

    def get_input_embeddings(self) -> nn.Module:
        return self.model.embed_tokens

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        audio_input_ids: Tensor | None = None,
        audio_input_ids_mask: Tensor | None = None,
        labels: Tensor | None = None,
        audio_labels: Tensor | None = None,
        num_items_in_batch: Any = None,
        **_: Any,
    ) -> CausalLMOutputWithPast:
        """Logits [B, S, K * V], and the loss where there are labels; ``audio_labels`` is [B, F, K]."""
        config, embedded = self.config, self.model.embed_tokens(input_ids)
        places = (input_ids == config.audio_token_id) | (input_ids == config.audio_delay_token_id)
        if audio_input_ids is not None:
            offsets = torch.arange(config.num_codebooks, device=input_ids.device) * config.codebook_size
            codes = self.embed_audio_tokens(audio_input_ids[audio_input_ids_mask] + offsets).sum(-2)
            embedded = embedded.masked_scatter(places[..., None], codes.to(embedded.dtype))
        hidden = self.model(inputs_embeds=embedded, attention_mask=attention_mask).last_hidden_state
        logits, loss = self.audio_lm_head(hidden), None
        if audio_labels is not None:
            wanted = audio_labels.new_full((*input_ids.shape, config.num_codebooks), -100)
            wanted[places] = audio_labels[audio_input_ids_mask]
            own = logits.unflatten(-1, (config.num_codebooks, config.codebook_size))
            loss = sum(_loss(own[:, :, k], wanted[..., k], num_items_in_batch) for k in range(config.num_codebooks))
        if labels is not None and self.text_lm_head is not None:
            text = _loss(self.text_lm_head(hidden), labels, num_items_in_batch)
            loss = text if loss is None else loss + text
        return CausalLMOutputWithPast(loss=loss, logits=logits)


def _loss(logits: Tensor, labels: Tensor, items: Any) -> Tensor:
    """Of each position for the next; a mean, or a sum over so many items."""
    reduction = "mean" if items is None else "sum"
    loss = cross_entropy(logits[:, :-1].flatten(0, 1).float(), labels[:, 1:].flatten(), reduction=reduction)
    return loss if items is None else loss / items
