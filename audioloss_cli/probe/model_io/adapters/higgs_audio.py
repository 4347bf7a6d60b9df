"""Higgs Audio in its original layout: codes of all samples side by side, [K, sum T], one text token a segment.

Layout: boson-ai/higgs-audio, boson_multimodal/data_collator/higgs_audio_collator.py and
boson_multimodal/model/higgs_audio/modeling_higgs_audio.py. Its weights run in transformers'
``HiggsAudioV2ForConditionalGeneration``, whose text holds one placeholder a column: the batch is expanded for it.
"""

from collections.abc import Callable, Mapping
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
    losses_of,
    tensor,
)
from audioloss_cli.probe.model_io.adapters._expansion import expanded
from audioloss_cli.probe.model_io.layout import Field, Layout, Reference
from audioloss_cli.probe.model_io.signature import accepted, kept_by_trainer, unwrapped

_FIELDS = (
    Field("input_ids", "text", "B S", required=True),
    Field("attention_mask", "attention", "B S", kind="mask"),
    Field("label_ids", "text-labels", "B S", required=True),
    Field("audio_out_ids", "codes", "K T", required=True, embedded=True),
    Field("label_audio_ids", "audio-labels", "K T", required=True),
    Field("audio_out_ids_start", "positions", "N", required=True),
    Field("audio_out_ids_start_group_loc", "positions", "N"),
    Field("audio_in_ids", "features", "K T", embedded=True),
    Field("audio_in_ids_start", "positions", "N"),
    Field("audio_features", "features", "N M F", kind="floating"),
    Field("audio_feature_attention_mask", "features", "N F", kind="mask"),
    Field("reward", "features", "N", kind="floating"),
)
_FORWARD = frozenset(
    {
        *(item.name for item in _FIELDS),
        *("inputs_embeds", "past_key_values", "past_key_values_buckets", "use_cache", "return_dict"),
        *("output_attentions", "output_hidden_states", "output_audio_hidden_states"),
        "cache_audio_discrete_codes_mask",
    }
)
_PUBLISHED_OUT = 128016
OPTIONS = ("logits_key", "loss_key")  # that this family reads beside those that all do


def serves(config: Config) -> bool:
    """By model type."""
    return config.get("model_type") == "higgs_audio"


class Adapter:
    """Rows are the columns of ``audio_out_ids``."""

    def __init__(self, config: Config, options: Options) -> None:
        text = config.get("text_config")
        self.options = options
        # A batch of this layout may meet a model whose configuration is that of transformers.
        self.out_id = config.get("audio_out_token_idx", config.get("audio_token_id", _PUBLISHED_OUT))
        self.in_id = config.get("audio_in_token_idx", 128015)
        self.layout = Layout(
            name="Higgs Audio (original)",
            fields=_FIELDS,
            num_codebooks=config.get("audio_num_codebooks", config.get("num_codebooks", 12 if config else 8)),
            vocab_size=config.get("codebook_size", config.get("audio_codebook_size", 1024) + 2),
            bos=config.get("audio_stream_bos_id", 1024),
            eos=config.get("audio_stream_eos_id", 1025),
            text_vocab_size=(text if isinstance(text, Mapping) else config).get("vocab_size"),
            ignore_index=-100 if options.ignore_index is None else options.ignore_index,
            shift=1 if options.shift is None else options.shift,
            delayed=config.get("use_delay_pattern"),
            forward_names=_FORWARD,
            parameters=audio_groups("higgs_audio"),
            placeholder_ids=(self.out_id, self.in_id),
            published_ids=self.out_id == _PUBLISHED_OUT and not config,
            reference=Reference("audio_in_ids", "audio_in_ids_start", self.in_id, instead="audio_features"),
        )

    def codes(self, batch: Batch) -> Tensor | None:
        """``audio_out_ids``, transposed."""
        return self._columns(batch, "audio_out_ids")

    def labels(self, batch: Batch) -> Tensor | None:
        """``label_audio_ids``, transposed; None where they are not of the shape of the codes."""
        labels, codes = self._columns(batch, "label_audio_ids"), self.codes(batch)
        return labels if labels is None or codes is None or labels.shape == codes.shape else None

    def segments(self, batch: Batch) -> Tensor | None:
        """From ``audio_out_ids_start``; None where it does not rise from 0 to at most N."""
        starts, rows = self._starts(batch), self._any(batch)
        if starts is None or rows is None or bool(len(starts)) != bool(len(rows)):
            return None
        if len(starts) and (int(starts[0]) != 0 or int(starts[-1]) > len(rows) or bool((starts.diff() < 0).any())):
            return None
        return torch.searchsorted(starts, torch.arange(len(rows), device=starts.device), right=True) - 1

    def samples(self, batch: Batch) -> Tensor | None:
        """From the AUDIO_OUT tokens of each text; without them from ``audio_out_ids_start_group_loc``.

        The collator documents [segments] there, the sample of each, and fills [B], ``arange(B)``: it says something
        only where there are as many entries as segments.
        """
        segments, starts = self.segments(batch), self._starts(batch)
        if segments is None or starts is None:
            return None
        counts, where = self._counts(batch), self._group_loc(batch)
        if counts is not None and int(counts.sum()) == len(starts):
            where = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
        return None if where is None else where[segments]

    def placeholders(self, batch: Batch) -> tuple[list[int], list[int]] | None:
        """AUDIO_OUT tokens of each text, and segments; segments that no sample claims go round in order."""
        counts, starts, where = self._counts(batch), self._starts(batch), self._group_loc(batch)
        if counts is None or starts is None or not len(counts):
            return None
        found: list[int] = counts.tolist()
        if where is not None and len(where) and int(where[-1]) < len(found):
            return found, where.bincount(minlength=len(found)).tolist()
        needed, left = [], len(starts)
        for count in found:
            needed.append(min(count, left))
            left -= needed[-1]
        needed[-1] += left
        return found, needed

    def with_codes(self, batch: Batch, codes: Tensor) -> dict[str, Any]:
        """Transposed back."""
        return {**batch, "audio_out_ids": codes.T.to(batch["audio_out_ids"].dtype).contiguous()}

    def with_labels(self, batch: Batch, labels: Tensor) -> dict[str, Any]:
        """Transposed back."""
        return {**batch, "label_audio_ids": labels.T.to(batch["label_audio_ids"].dtype).contiguous()}

    def run(self, model: Callable[..., Any], batch: Batch) -> Output:
        """The reported loss is None where the model is that of transformers: upstream computes none.

        A model of the user's own, whose forward names ``audio_out_ids``, is called with what it takes of the batch.
        Without codes the logits are [0, K, V], as upstream's are.

        Raises:
            RuntimeError: text and audio do not fit together.
        """
        own = unwrapped(model)
        named = kept_by_trainer(own)
        if "audio_out_ids" in named or "audio_input_ids" not in named:
            return self._run_original(model, batch)
        codes = self.codes(batch)
        if codes is None or not len(codes):
            text = tensor(batch, "input_ids")
            shape = (0, self.layout.num_codebooks, self.layout.vocab_size)
            return Output(torch.zeros(shape, device=None if text is None else text.device), None)
        placeholder = field_of(own, "config.audio_token_id")
        inputs, rows = expanded(batch, self.out_id, self.in_id, self.out_id if placeholder is None else placeholder)
        logits = field_of(model(**inputs), self.options.logits_key or "logits")
        if not isinstance(logits, Tensor):
            return Output(None, None, rows)
        count = codes.shape[1]
        return Output(logits.reshape(-1, count, logits.shape[-1] // count), None, rows)

    def _run_original(self, model: Callable[..., Any], batch: Batch) -> Output:
        takes = accepted(unwrapped(model))
        output = model(**{name: value for name, value in batch.items() if takes is None or name in takes})
        logits = field_of(output, self.options.logits_key or "audio_logits")
        loss, total = losses_of(output, self.options.loss_key)
        fits = isinstance(logits, Tensor) and logits.ndim == len("NKV")
        return Output(logits if fits else None, loss, None, total)

    def _columns(self, batch: Batch, name: str) -> Tensor | None:
        """[N, K]; upstream's [0, 0] for no audio becomes [0, K]."""
        found = tensor(batch, name)
        if found is None or found.ndim != len("KT"):
            return None
        return found.T.long() if found.numel() else found.new_zeros(0, self.layout.num_codebooks, dtype=torch.long)

    def _any(self, batch: Batch) -> Tensor | None:
        codes = self.codes(batch)
        return self.labels(batch) if codes is None else codes

    def _starts(self, batch: Batch) -> Tensor | None:
        return _vector(batch, "audio_out_ids_start")

    def _counts(self, batch: Batch) -> Tensor | None:
        """[B] int64: AUDIO_OUT tokens of each text."""
        ids = tensor(batch, "input_ids")
        if ids is None or ids.ndim != len("BS") or not self.layout.knows_placeholders_of(ids):
            return None
        found: Tensor = (ids == self.out_id).sum(1)
        return found

    def _group_loc(self, batch: Batch) -> Tensor | None:
        """[segments] int64: the sample of each; None where the entries are not one a segment, or fall."""
        found, starts = _vector(batch, "audio_out_ids_start_group_loc"), self._starts(batch)
        if found is None or starts is None or found.shape != starts.shape or bool((found.diff() < 0).any()):
            return None
        return found if not len(found) or int(found[0]) >= 0 else None


def _vector(batch: Batch, name: str) -> Tensor | None:
    found = tensor(batch, name)
    return found.long() if found is not None and found.ndim == 1 else None
