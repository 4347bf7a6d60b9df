"""CSM in transformers: ``CsmForConditionalGeneration``, for batches that hold codes.

Layout: transformers/models/csm/modeling_csm.py (5.23). ``input_ids`` and ``labels`` are [B, T, K]. The backbone at t
predicts codebook 0 of the frame t + 1; the depth decoder, fed the backbone's state at t and the labels of the frame
t + 1, predicts its other codebooks. Only frames with a label outside codebook 0 reach the depth decoder (from the
label -101 come the others). A batch of the processor itself holds waveforms and [B, T] ids: its codes exist inside
the model alone, and of such a batch only the loss is known.

A frame 0 with labels is a trap of the model: the depth decoder predicts it from the backbone's last state (t - 1 is
-1), the backbone not at all. It is in the reported loss and in no row.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

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

_IGNORED = -100
_INPUTS = ("input_ids", "attention_mask", "input_values", "input_values_cutoffs", "inputs_embeds", "labels")
_FIELDS = (
    Field("input_ids", "codes", "B T K", required=True, embedded=True),
    Field("attention_mask", "attention", "B T", kind="mask"),
    Field("labels", "audio-labels", "B T K", required=True),
)


def serves(config: Config) -> bool:
    """By model type."""
    return config.get("model_type") == "csm"


class Adapter:
    """Rows are the frames that are labelled and those just before one; without labels, those that are attended to."""

    def __init__(self, config: Config, options: Options) -> None:
        eos = config.get("codebook_eos_token_id", 0)
        self.layout = Layout(
            name="CSM (transformers)",
            fields=_FIELDS,
            num_codebooks=config.get("num_codebooks", 32),
            vocab_size=config.get("vocab_size", 2051),
            eos=eos if isinstance(eos, int) else None,
            text_vocab_size=config.get("text_vocab_size", 128256),
            ignore_index=_IGNORED if options.ignore_index is None else options.ignore_index,
            shift=1 if options.shift is None else options.shift,
            delayed=False,
            sampled=True,  # on one frame in 16, as CSM itself was trained
            parameters={
                "head": r"\b(?:lm_head|codebooks_head)\b",
                "embeddings": r"\bembed_audio_tokens\b|\bdepth_decoder\.model\.embed_tokens\b",
                "ffn": r"\bdepth_decoder\.model\.layers\.\d+\.mlp\b",
            },
        )

    def codes(self, batch: Batch) -> Tensor | None:
        """``input_ids`` [B, T, K]."""
        return self._rows(batch, "input_ids")

    def labels(self, batch: Batch) -> Tensor | None:
        """``labels`` [B, T, K]."""
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
        """What is fed to the backbone; the depth decoder is fed the labels, which stay.

        In the labels themselves, a code of codebook k moves the logits of the later codebooks of its own frame: only
        the last one could be changed there without that.
        """
        old, frames = batch["input_ids"], self._frames(batch)
        new = old.clone()
        new[frames] = codes.to(old.dtype)
        return {**batch, "input_ids": new}

    def run(self, model: Callable[..., Any], batch: Batch) -> Output:
        """Logits [N, K, V], a copy: what the two heads gave, side by side.

        Cells for which the depth decoder gave nothing hold 0, which favours no code: none of them is scored by the
        model's own loss. The loss is the mean over codebooks, from the two means that the model reports: that of the
        backbone counts once, that of the depth decoder K - 1 times.
        """
        output = model(**taken(batch, _INPUTS, self.layout))
        first, others = field_of(output, "logits"), field_of(output, "depth_decoder_logits")
        labels, frames = self._tensor(batch, "labels"), self._frames(batch)
        if first is None or others is None or labels is None or frames is None:
            return Output(None, self._loss(output))
        return Output(_side_by_side(first, others, labels, frames), self._loss(output))

    def _loss(self, output: Any) -> Tensor | None:
        total: Tensor | None = field_of(output, "loss")
        backbone: Tensor | None = field_of(output, "backbone_loss")
        depth: Tensor | None = field_of(output, "depth_decoder_loss")
        if backbone is None or depth is None:
            return total
        return (backbone + (self.layout.num_codebooks - 1) * depth) / self.layout.num_codebooks

    def _rows(self, batch: Batch, name: str) -> Tensor | None:
        found, frames = self._tensor(batch, name), self._frames(batch)
        if found is None or frames is None or found.shape[:2] != frames.shape:
            return None
        return found[frames].long()

    def _tensor(self, batch: Batch, name: str) -> Tensor | None:
        found = tensor(batch, name)
        return found if found is not None and found.ndim == len("BTK") else None

    def _frames(self, batch: Batch) -> Tensor | None:
        """[B, T] bool."""
        labels, codes = self._tensor(batch, "labels"), self._tensor(batch, "input_ids")
        if labels is not None and (codes is None or codes.shape[:2] == labels.shape[:2]):
            labelled = (labels != self.layout.ignore_index).any(-1)
            if bool(labelled.any()):
                labelled[:, :-1] |= labelled[:, 1:].clone()
                return labelled
        present = labels if codes is None else codes
        if present is None:
            return None
        attended = tensor(batch, "attention_mask")
        everything = torch.ones(present.shape[:2], dtype=torch.bool, device=present.device)
        return everything if attended is None or attended.shape != everything.shape else attended.bool()


def _side_by_side(first: Tensor, others: Tensor, labels: Tensor, frames: Tensor) -> Tensor:
    """[N, K, V] from the backbone's [B, T, V] and the depth decoder's [frames it was trained on, K - 1, V]."""
    into = first.new_zeros(int(frames.sum()), others.shape[1] + 1, first.shape[-1])
    into[:, 0] = first[frames]
    trained = ~(labels[..., 1:] == _IGNORED).all(-1)  # the model's own test, whatever the layout ignores
    sample, time = trained.nonzero(as_tuple=True)
    has_row = time > 0
    rows = frames.flatten().cumsum(0) - 1
    into[rows[(sample * frames.shape[1] + time - 1)[has_row]], 1:] = others[has_row].to(into.dtype)
    return into
