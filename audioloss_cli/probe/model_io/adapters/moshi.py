"""Moshi in transformers: ``MoshiForConditionalGeneration``.

Layout: transformers/models/moshi/modeling_moshi.py (5.23). ``moshi_audio_codes`` and ``audio_labels`` are [B, K, T],
one column beside each text token. The model shifts the text labels and, whatever its documentation says, not the audio
labels: it only moves those of codebooks 1.. one column to the right, and scores the logits at t against what then
stands at t. Labels equal to the codes teach it to repeat its input; whoever trains it must shift them beforehand. Nor
does it delay the codes that it is fed, as its generation does: codebooks 1.. must be fed one column late, or their
logits are held against the very code at their position.

The depth decoder is fed the labels, so -100 among them raises in all codebooks but the last: what is to be ignored
holds ``audio_vocab_size``. The model gives audio logits only where both ``text_labels`` and ``audio_labels`` are there.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.checkpoints.families import audio_groups
from audioloss_cli.probe.model_io.adapter import Batch, Config, Options, Output, field_of, rows_of, taken, tensor
from audioloss_cli.probe.model_io.layout import Field, Layout

_INPUTS = (
    *("input_ids", "attention_mask", "inputs_embeds", "text_labels", "audio_labels"),
    *("user_input_values", "user_audio_codes", "moshi_input_values", "moshi_audio_codes"),
)
_FIELDS = (
    Field("input_ids", "text", "B S", required=True),
    Field("attention_mask", "attention", "B S", kind="mask"),
    Field("text_labels", "text-labels", "B S", required=True),
    Field("moshi_audio_codes", "codes", "B K T", required=True, embedded=True),
    Field("audio_labels", "audio-labels", "B K T", required=True),
    Field("user_audio_codes", "features", "B K T", embedded=True),
)


def serves(config: Config) -> bool:
    """By model type."""
    return config.get("model_type") == "moshi"


class Adapter:
    """Rows are the cells of [B, T]."""

    def __init__(self, config: Config, options: Options) -> None:
        encoder = config.get("audio_encoder_config") or {}
        self.padding = config.get("audio_vocab_size") or encoder.get("codebook_size", 2048)
        self.layout = Layout(
            name="Moshi (transformers)",
            fields=_FIELDS,
            num_codebooks=config.get("num_codebooks", 8),
            vocab_size=self.padding,
            bos=self.padding,
            text_vocab_size=config.get("vocab_size", 32000) + 1,  # and the one that begins a text
            ignore_index=-100 if options.ignore_index is None else options.ignore_index,
            shift=0 if options.shift is None else options.shift,
            parameters=audio_groups("moshi"),
        )

    def codes(self, batch: Batch) -> Tensor | None:
        """``moshi_audio_codes``: what the model itself says."""
        return _rows(_tensor(batch, "moshi_audio_codes"))

    def labels(self, batch: Batch) -> Tensor | None:
        """``audio_labels`` as the model scores them: codebooks 1.. one column later, their last one gone."""
        labels, codes = _tensor(batch, "audio_labels"), _tensor(batch, "moshi_audio_codes")
        if labels is None or (codes is not None and codes.shape != labels.shape):
            return None
        ignore = self.layout.ignore_index
        late = torch.cat([torch.full_like(labels[:, 1:, :1], ignore), labels[:, 1:, :-1]], dim=2)
        scored = torch.cat([labels[:, :1], late], dim=1)
        return _rows(scored.masked_fill(scored == self.padding, ignore))

    def segments(self, batch: Batch) -> Tensor | None:
        """The samples."""
        return self.samples(batch)

    def samples(self, batch: Batch) -> Tensor | None:
        """The places along B."""
        names = ("moshi_audio_codes", "audio_labels")
        found = next((item for name in names if (item := _tensor(batch, name)) is not None), None)
        if found is None:
            return None
        return rows_of(torch.ones(found.shape[0], found.shape[2], dtype=torch.bool, device=found.device))

    def placeholders(self, batch: Batch) -> None:
        """There are none: text and audio run side by side."""
        return

    def with_codes(self, batch: Batch, codes: Tensor) -> dict[str, Any]:
        """What is fed to the decoder; the depth decoder is fed the labels, which stay."""
        old = batch["moshi_audio_codes"]
        new = codes.reshape(old.shape[0], old.shape[2], old.shape[1]).transpose(1, 2)
        return {**batch, "moshi_audio_codes": new.to(old.dtype).contiguous()}

    def run(self, model: Callable[..., Any], batch: Batch) -> Output:
        """Logits [B * T, K, V]; the loss is ``depth_loss``, the mean over valid cells, without that of the text."""
        output = model(**taken(batch, _INPUTS, self.layout))
        return Output(field_of(output, "audio_logits"), field_of(output, "depth_loss"))


def _tensor(batch: Batch, name: str) -> Tensor | None:
    found = tensor(batch, name)
    return found if found is not None and found.ndim == len("BKT") else None


def _rows(found: Tensor | None) -> Tensor | None:
    """[B, K, T] to [B * T, K]."""
    return None if found is None else found.transpose(1, 2).flatten(0, 1).long()
