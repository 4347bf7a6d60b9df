"""From one text token a segment to one placeholder a column; a private module is no plugin.

The original Higgs Audio does this inside its forward (boson-ai/higgs-audio,
boson_multimodal/model/higgs_audio/utils.py, ``merge_input_ids_with_audio_features``), transformers in its processor.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from audioloss_cli.probe.model_io.adapter import Batch, tensor

_OUT, _IN = 1, 2


class Expanded(NamedTuple):
    """A batch in the layout of transformers.

    Attributes:
        inputs: ``input_ids`` and ``attention_mask`` [B, S] int64, ``audio_input_ids`` [B, F, K] int64 and
            ``audio_input_ids_mask`` [B, F] bool, all padded on the right.
        rows: [sum T] int64, the place of each AUDIO_OUT column in the flattened [B, S] text.
    """

    inputs: dict[str, Tensor]
    rows: Tensor


class _Segments(NamedTuple):
    """Columns [T, K] and the length of each segment [N]."""

    columns: Tensor
    lengths: Tensor


def expanded(batch: Batch, out_id: int, in_id: int, placeholder: int) -> Expanded:
    """One placeholder a column.

    Args:
        batch: in the original layout, with ``audio_out_ids``.
        out_id: the token that stands for a segment of audio to learn.
        in_id: the token that stands for a segment of audio that is given.
        placeholder: the id that shall stand for a column.

    Raises:
        RuntimeError: a field is missing, or text and audio do not fit together.
    """
    text, pieces = _required(batch, "input_ids"), {_OUT: _segments(batch, "audio_out_ids")}
    kinds = _OUT * (text == out_id).long()
    given = tensor(batch, "audio_in_ids")
    if given is not None and given.numel():
        pieces[_IN] = _segments(batch, "audio_in_ids")
        kinds += _IN * (text == in_id).long()
    sizes = _sizes(kinds, pieces)
    return _laid_out(batch, placeholder, kinds, sizes, {kind: piece.columns for kind, piece in pieces.items()})


def _laid_out(batch: Batch, placeholder: int, kinds: Tensor, sizes: Tensor, columns: dict[int, Tensor]) -> Expanded:
    repeats, lengths = sizes.flatten(), sizes.sum(1).tolist()
    kind = kinds.flatten().repeat_interleave(repeats)
    ids = batch["input_ids"].flatten().repeat_interleave(repeats).masked_fill(kind > 0, placeholder)
    attention = tensor(batch, "attention_mask")
    seen = torch.ones_like(ids) if attention is None else attention.flatten().repeat_interleave(repeats)
    of_audio = kind[kind > 0]
    audio = columns[_OUT].new_zeros(len(of_audio), columns[_OUT].shape[1])
    for each, values in columns.items():
        audio[of_audio == each] = values.to(audio.dtype)
    padded = _padded(kind, lengths)
    counts = (padded > 0).sum(1).tolist()
    inputs = {
        "input_ids": _padded(ids, lengths),
        "attention_mask": _padded(seen, lengths),
        "audio_input_ids": _padded(audio, counts),
        "audio_input_ids_mask": _padded(torch.ones_like(of_audio, dtype=torch.bool), counts),
    }
    return Expanded(inputs, (padded == _OUT).flatten().nonzero().squeeze(1))


def _sizes(kinds: Tensor, pieces: dict[int, _Segments]) -> Tensor:
    """[B, S]: what each token becomes."""
    sizes = torch.ones_like(kinds)
    for kind, piece in pieces.items():
        where = kinds == kind
        found, name = int(where.sum()), {_OUT: "AUDIO_OUT", _IN: "AUDIO_IN"}[kind]
        if found != len(piece.lengths):
            raise RuntimeError(f"the texts hold {found} {name} tokens and the audio {len(piece.lengths)} segments")
        sizes[where] = piece.lengths
    return sizes


def _segments(batch: Batch, name: str) -> _Segments:
    codes, starts = _required(batch, name), _required(batch, f"{name}_start").long()
    lengths = torch.cat([starts, starts.new_tensor([codes.shape[1]])]).diff()
    if bool((lengths < 0).any()) or int(lengths.sum()) != codes.shape[1]:
        raise RuntimeError(f"{name}_start does not rise from 0 to the {codes.shape[1]} columns of {name}")
    return _Segments(codes.T, lengths)


def _required(batch: Batch, name: str) -> Tensor:
    found = tensor(batch, name)
    if found is None:
        raise RuntimeError(f"the batch has no {name}")
    return found


def _padded(values: Tensor, lengths: list[int]) -> Tensor:
    """[sum L, ...] to [B, longest L, ...], with zeros on the right."""
    return pad_sequence(list(torch.split(values, lengths)), batch_first=True)
