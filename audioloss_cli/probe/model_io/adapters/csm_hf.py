"""CSM of thomasgauthier/csm-hf: ``CSMModel``, whose model type is that of transformers' CSM, and whose batch is not.

Layout: modeling_csm.py there. ``input_ids``, ``attention_mask`` and ``labels`` are [B, S, K + 1]: K codebooks, then the
text. The backbone at s predicts codebook 0 of the frame s + 1; the decoder is fed the codes of a frame and predicts its
other codebooks, in frames of which every codebook is labelled. The outputs hold the two losses and the logits of the
last position alone: those of the others are read where the heads make them.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

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
from audioloss_cli.probe.model_io.adapters._depth_decoder import counted_frames, side_by_side
from audioloss_cli.probe.model_io.layout import Field, Layout
from audioloss_cli.probe.model_io.signature import unwrapped

_IGNORED = -100
_NAMES = ("input_ids", "attention_mask", "labels")


def serves(config: Config) -> bool:
    """By model type, and by what that of transformers does not have."""
    return config.get("model_type") == "csm" and "audio_num_codebooks" in config


class Adapter:
    """Rows are the frames that are labelled and those just before one; without labels, those with audio."""

    def __init__(self, config: Config, options: Options) -> None:
        self.books = config.get("audio_num_codebooks", 32)
        ignored = _IGNORED if options.ignore_index is None else options.ignore_index
        self.layout = Layout(
            name="CSM (csm-hf)",
            fields=(
                Field("input_ids", "codes", "B S K+1", required=True),
                Field("attention_mask", "codes-mask", "B S K+1", kind="mask"),
                Field("labels", "audio-labels", "B S K+1", required=True),
            ),
            num_codebooks=self.books,
            vocab_size=config.get("audio_vocab_size", 2051),
            eos=0,  # a frame of zeros ends the audio
            ignore_index=ignored,
            shift=1 if options.shift is None else options.shift,
            delayed=False,
            sampled=True,
            parameters=audio_groups("csm_hf"),
        )

    def codes(self, batch: Batch) -> Tensor | None:
        """``input_ids`` [B, S, K + 1] without the text."""
        return self._rows(batch, "input_ids")

    def labels(self, batch: Batch) -> Tensor | None:
        """``labels`` [B, S, K + 1] without the text."""
        return self._rows(batch, "labels")

    def segments(self, batch: Batch) -> Tensor | None:
        """Stretches of neighbouring rows."""
        frames = self._frames(batch)
        return None if frames is None else runs_of(frames)

    def samples(self, batch: Batch) -> Tensor | None:
        """The places along B."""
        frames = self._frames(batch)
        return None if frames is None else rows_of(frames)

    def placeholders(self, batch: Batch) -> None:
        """Unknown."""
        return

    def with_codes(self, batch: Batch, codes: Tensor) -> dict[str, Any]:
        """Where there is audio: in a row of text its codebooks are masked, and stay."""
        new, frames = batch["input_ids"].clone(), self._frames(batch)
        cells = new[..., : self.books]
        cells[frames] = codes.to(new.dtype)
        return {**batch, "input_ids": new}

    def with_labels(self, batch: Batch, labels: Tensor) -> dict[str, Any]:
        """The text's stay."""
        new, frames = batch["labels"].clone(), self._frames(batch)
        cells = new[..., : self.books]
        cells[frames] = labels.to(new.dtype)
        return {**batch, "labels": new}

    def run(self, model: Callable[..., Any], batch: Batch) -> Output:
        """Logits [N, K, V], a copy; cells for which the decoder gave nothing hold 0, and none of them is scored.

        The loss is the mean over codebooks, from the two means that the model reports.
        """
        own, seen = unwrapped(model), dict[str, Any]()
        handles = [
            part.register_forward_hook(lambda _module, _inputs, output, name=name: seen.update({name: output}))
            for name in ("codebook0_head", "decoder")
            if isinstance(part := getattr(own, name, None), nn.Module)
        ]
        try:
            output = model(**taken(batch, _NAMES, self.layout))
        finally:
            for handle in handles:
                handle.remove()
        return Output(self._logits(own, seen, batch), self._loss(output), None, field_of(output, "loss"))

    def _logits(self, own: Any, seen: dict[str, Any], batch: Batch) -> Tensor | None:
        first, hidden = seen.get("codebook0_head"), field_of(seen.get("decoder"), "last_hidden_state")
        labels, frames, head = self._cells(batch, "labels"), self._frames(batch), getattr(own, "audio_head", None)
        if first is None or labels is None or frames is None or head is None:
            return None
        trained = (labels != _IGNORED).all(-1)  # the model's own test
        if hidden is None:
            others = first.new_zeros(int(trained.sum()), self.books - 1, first.shape[-1])
        else:
            others = torch.einsum("fcd,cdv->fcv", hidden[:, 1 : self.books], head)
        return side_by_side(first, others, trained, frames)

    def _loss(self, output: Any) -> Tensor | None:
        first: Tensor | None = field_of(output, "backbone_loss")
        others: Tensor | None = field_of(output, "decoder_loss")
        if first is None or others is None:
            return None
        mean: Tensor = (first + (self.books - 1) * others) / self.books
        return mean

    def _rows(self, batch: Batch, name: str) -> Tensor | None:
        cells, frames = self._cells(batch, name), self._frames(batch)
        if cells is None or frames is None or cells.shape[:2] != frames.shape:
            return None
        return cells[frames].long()

    def _cells(self, batch: Batch, name: str) -> Tensor | None:
        """[B, S, K]."""
        found = tensor(batch, name)
        fits = found is not None and found.ndim == len("BSK") and found.shape[2] >= self.books
        return found[..., : self.books] if found is not None and fits else None

    def _frames(self, batch: Batch) -> Tensor | None:
        """[B, S] bool."""
        mask = self._cells(batch, "attention_mask")
        attended = None if mask is None else mask.any(-1)
        return counted_frames(
            self._cells(batch, "labels"), self._cells(batch, "input_ids"), attended, self.layout.ignore_index
        )
