"""Higgs Audio v2 in transformers: ``HiggsAudioV2ForConditionalGeneration``.

Layout: transformers/models/higgs_audio_v2/modeling_higgs_audio_v2.py (5.23). The text holds one placeholder for each
audio column; the output has audio logits at every text position, of which only the placeholders count.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from audioloss_cli.checkpoints.families import audio_groups
from audioloss_cli.probe.model_io.adapter import (
    Batch,
    Config,
    Options,
    Output,
    field_of,
    rows_of,
    runs_of,
    taken,
    tensor,
)
from audioloss_cli.probe.model_io.layout import Field, Layout

_FIELDS = (
    Field("input_ids", "text", "B S", required=True),
    Field("attention_mask", "attention", "B S", kind="mask"),
    Field("audio_input_ids", "codes", "B T K", required=True, embedded=True),
    Field("audio_input_ids_mask", "codes-mask", "B T", required=True, kind="mask"),
    Field("audio_labels", "audio-labels", "B T K", required=True),
    Field("labels", "text-labels", "B S"),
)
OPTIONS = ("logits_key", "loss_key")  # that this family reads beside those that all do


def serves(config: Config) -> bool:
    """By model type."""
    return config.get("model_type") == "higgs_audio_v2"


class Adapter:
    """Rows are the true cells of ``audio_input_ids_mask``."""

    def __init__(self, config: Config, options: Options) -> None:
        self.options = options
        self.layout = Layout(
            name="Higgs Audio v2 (transformers)",
            fields=_FIELDS,
            num_codebooks=config.get("num_codebooks", 8),
            vocab_size=config.get("codebook_size", 1026),
            bos=config.get("audio_stream_bos_id", 1024),
            eos=config.get("audio_stream_eos_id", 1025),
            text_vocab_size=config.get("vocab_size"),
            ignore_index=-100 if options.ignore_index is None else options.ignore_index,
            shift=1 if options.shift is None else options.shift,
            reduction="sum",
            delayed=config.get("use_delay_pattern", True),
            parameters=audio_groups("higgs_audio_v2"),
            placeholder_ids=(config.get("audio_token_id", 128016), config.get("audio_delay_token_id", 128014)),
            published_ids=not config,
        )

    def codes(self, batch: Batch) -> Tensor | None:
        """``audio_input_ids`` where the mask is true."""
        return self._rows(batch, "audio_input_ids")

    def labels(self, batch: Batch) -> Tensor | None:
        """``audio_labels`` where the mask is true."""
        return self._rows(batch, "audio_labels")

    def segments(self, batch: Batch) -> Tensor | None:
        """Stretches of placeholders; a sample is one stretch where they do not match the audio."""
        mask, text = self._mask(batch), self._placeholders(batch)
        if mask is None:
            return None
        if text is None or int(text.sum()) != int(mask.sum()):
            return rows_of(mask)
        return runs_of(text)

    def samples(self, batch: Batch) -> Tensor | None:
        """Rows of the mask."""
        mask = self._mask(batch)
        return None if mask is None else rows_of(mask)

    def placeholders(self, batch: Batch) -> tuple[list[int], list[int]] | None:
        """Placeholders in ``input_ids`` and true cells of the mask."""
        mask, text = self._mask(batch), self._placeholders(batch)
        if mask is None or text is None or len(mask) != len(text):
            return None
        return text.sum(1).tolist(), mask.sum(1).tolist()

    def with_codes(self, batch: Batch, codes: Tensor) -> dict[str, Any]:
        """Scatter the rows back."""
        mask, old = self._mask(batch), batch["audio_input_ids"]
        new = old.clone()
        new[mask] = codes.to(old.dtype)
        return {**batch, "audio_input_ids": new}

    def with_labels(self, batch: Batch, labels: Tensor) -> dict[str, Any]:
        """Written where the mask is true."""
        old, mask = batch["audio_labels"], self._mask(batch)
        new = old.clone()
        new[mask] = labels.to(old.dtype)
        return {**batch, "audio_labels": new}

    def run(self, model: Callable[..., Any], batch: Batch) -> Output:
        """Without the text labels: their loss would be added to that of the audio."""
        names = ("input_ids", "attention_mask", "audio_input_ids", "audio_input_ids_mask", "audio_labels")
        output = model(**taken(batch, names, self.layout))
        logits, text = field_of(output, self.options.logits_key or "logits"), self._placeholders(batch)
        loss = field_of(output, self.options.loss_key or "loss")
        loss = loss if isinstance(loss, Tensor) else None
        if not isinstance(logits, Tensor) or text is None:
            return Output(None, loss)
        count = self.layout.num_codebooks
        rows = text.flatten().nonzero().squeeze(1)
        return Output(logits.reshape(-1, count, logits.shape[-1] // count), loss, rows)

    def _rows(self, batch: Batch, name: str) -> Tensor | None:
        mask, found = self._mask(batch), tensor(batch, name)
        if mask is None or found is None or found.ndim != len("BTK") or found.shape[:2] != mask.shape:
            return None
        return found[mask].long()

    def _mask(self, batch: Batch) -> Tensor | None:
        """The mask; without one every column that is there counts."""
        mask = tensor(batch, "audio_input_ids_mask")
        if mask is not None:
            return mask.bool() if mask.ndim == len("BT") else None
        present = next(
            (t for name in ("audio_input_ids", "audio_labels") if (t := tensor(batch, name)) is not None), None
        )
        if present is None or present.ndim != len("BTK"):
            return None
        return torch.ones(present.shape[:2], dtype=torch.bool, device=present.device)

    def _placeholders(self, batch: Batch) -> Tensor | None:
        ids = tensor(batch, "input_ids")
        return None if ids is None or ids.ndim != len("BS") else self.layout.placeholders_in(ids)
