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
_INSIDE = "_labels_inside"  # what the model makes of the labels [B, T] of its processor: [B, T, K]
_INPUTS = ("input_ids", "attention_mask", "input_values", "input_values_cutoffs", "inputs_embeds", "labels")
_FIELDS = (
    Field("input_ids", "codes", "B T K", required=True, embedded=True, other_axes="B T"),
    Field("attention_mask", "attention", "B T", kind="mask"),
    Field("labels", "audio-labels", "B T K", required=True, other_axes="B T"),
)


def serves(config: Config) -> bool:
    """By model type."""
    return config.get("model_type") == "csm" and "audio_num_codebooks" not in config  # which is that of csm-hf


class Adapter:
    """Rows are the frames that are labelled and those just before one; without labels, those that are attended to."""

    def __init__(self, config: Config, options: Options) -> None:
        eos = config.get("codebook_eos_token_id", 0)
        ids = (config.get("audio_token_id", 128002), config.get("audio_eos_token_id", 128003))
        self.placeholder_ids = tuple(each for each in ids if isinstance(each, int))
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
            parameters=audio_groups("csm"),
        )

    def codes(self, batch: Batch) -> Tensor | None:
        """``input_ids`` [B, T, K]."""
        return self._rows(batch, "input_ids")

    def labels(self, batch: Batch) -> Tensor | None:
        """``labels`` [B, T, K]."""
        labels, frames = self._labels(batch), self._frames(batch)
        if labels is None or frames is None or labels.shape[:2] != frames.shape:
            return None
        return labels[frames].long()

    def counted(self, batch: Batch) -> Tensor | None:
        """Of a batch of the processor, [N, 1] bool: which of its audio frames are labelled."""
        ids, labels = tensor(batch, "input_ids"), tensor(batch, "labels")
        if ids is None or labels is None or ids.ndim != len("BT") or ids.shape != labels.shape:
            return None
        audio = torch.isin(ids, torch.tensor(self.placeholder_ids, device=ids.device))
        return (labels[audio] != self.layout.ignore_index)[:, None] if bool(audio.any()) else None

    def prepared(self, model: Callable[..., Any], batch: Batch) -> dict[str, Any]:
        """The batch, with the labels that the model makes of a batch of the processor beside it.

        The model labels every frame, even one that is -100 in the batch; where all are, that is what is to be told.
        """
        counted = self.counted(batch)
        if counted is None or not bool(counted.any()):
            return dict(batch)
        ids, merge = tensor(batch, "input_ids"), getattr(unwrapped(model), "_merge_input_ids_with_input_values", None)
        if ids is None or ids.ndim != len("BT") or merge is None or tensor(batch, "labels") is None:
            return dict(batch)
        given = taken(batch, ("input_ids", "input_values", "input_values_cutoffs", "labels"), self.layout)
        return {**batch, _INSIDE: merge(**given)["labels"]}

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
        labels, frames = self._labels(batch), self._frames(batch)
        if first is None or others is None or labels is None or frames is None:
            return Output(None, self._loss(output))
        trained = ~(labels[..., 1:] == _IGNORED).all(-1)  # the model's own test, whatever the layout ignores
        return Output(side_by_side(first, others, trained, frames), self._loss(output))

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
        labels, codes = self._labels(batch), self._tensor(batch, "input_ids")
        return counted_frames(labels, codes, tensor(batch, "attention_mask"), self.layout.ignore_index)

    def _labels(self, batch: Batch) -> Tensor | None:
        """[B, T, K]: those of the batch, or those that the model made of a batch of the processor."""
        inside = tensor(batch, _INSIDE)
        return self._tensor(batch, "labels") if inside is None else inside
