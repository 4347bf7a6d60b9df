"""Tiny real models and batches: 8 codebooks of 1026 codes, half a megabyte, the layouts of the real ones."""

from typing import Any

import torch
import transformers
from torch import Tensor

K, V, BOS, EOS = 8, 1026, 1024, 1025
AUDIO, DELAY, AUDIO_BOS, AUDIO_EOS = 120, 119, 118, 117


def config(**more: Any) -> Any:
    settings = {
        "vocab_size": 128,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "num_codebooks": K,
        "codebook_size": V,
        "audio_token_id": AUDIO,
        "audio_bos_token_id": AUDIO_BOS,
        "audio_delay_token_id": DELAY,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "max_position_embeddings": 2048,
    }
    return _class("HiggsAudioV2Config")(**{**settings, **more})


def model(seed: int = 0, *, use_text_head: bool = False, **more: Any) -> Any:
    torch.manual_seed(seed)
    made = _class("HiggsAudioV2ForConditionalGeneration")
    return made(config(**more), use_text_head=use_text_head).eval()


def _class(name: str) -> Any:
    """Of transformers, or one of the same inputs and outputs where that is too old to have it."""
    from tests.probe import higgs_for_older  # it is seldom needed

    return getattr(transformers, name, None) or getattr(higgs_for_older, name)


def frames(count: int, generator: torch.Generator, distinct: int = 1024, sticky: float = 0.0) -> Tensor:
    """[T, K] random codes below ``distinct``, of which such a share repeats the one before."""
    codes = torch.randint(0, distinct, (count, K), generator=generator)
    if sticky:
        repeats = torch.rand(count, K, generator=generator) < sticky
        for t in range(1, count):
            codes[t] = torch.where(repeats[t], codes[t - 1], codes[t])
    return codes


def with_ends(codes: Tensor, *, delay: bool = True) -> Tensor:
    """[T, K] to [T + 9, K]: BOS, EOS and the delay pattern; [T + 2, K] without it."""
    late = K - 1 if delay else 0
    columns = torch.full((len(codes) + 2 + late, K), EOS)
    for k in range(K):
        start = k if delay else 0
        columns[: start + 1, k] = BOS
        columns[start + 1 : start + 1 + len(codes), k] = codes[:, k]
    return columns


def labels_of(columns: Tensor, *, keep_eos: bool = True) -> Tensor:
    """As the original collator masks: BOS and both fills are -100, one EOS a codebook is kept if asked for."""
    labels = columns.masked_fill(columns >= BOS, -100)
    if keep_eos:
        first = (columns == EOS).long().argmax(0)
        labels[first, torch.arange(K)] = EOS
    return labels


def hf_batch(
    lengths: tuple[tuple[int, ...], ...] = ((30, 20), (40,)),
    seed: int = 1,
    *,
    delay: bool = True,
    distinct: int = 1024,
    keep_eos: bool = False,
    sticky: float = 0.0,
) -> dict[str, Tensor]:
    """One batch as the processor of transformers makes it: a tuple of segment lengths (in frames) for each sample."""
    generator = torch.Generator().manual_seed(seed)
    texts, audio, labels = [], [], []
    for sample in lengths:
        ids, columns = [1, 5, 6, 7, 8], []
        for count in sample:
            piece = with_ends(frames(count, generator, distinct, sticky), delay=delay)
            late = K - 1 if delay else 0
            ids += [AUDIO_BOS, *[AUDIO] * (len(piece) - late), *[DELAY] * late, AUDIO_EOS, 9]
            columns.append(piece)
        texts.append([*ids, 2])
        none = torch.zeros(0, K, dtype=torch.long)  # a sample may have no audio
        audio.append(torch.cat([none, *columns]))
        labels.append(torch.cat([none, *(labels_of(piece, keep_eos=keep_eos) for piece in columns)]))
    return {
        "input_ids": _pad([torch.tensor(ids) for ids in texts], 0),
        "attention_mask": _pad([torch.ones(len(ids), dtype=torch.long) for ids in texts], 0),
        "audio_input_ids": _pad(audio, EOS),
        "audio_input_ids_mask": _pad([torch.ones(len(piece), dtype=torch.bool) for piece in audio], False),
        "audio_labels": _pad(labels, -100),
    }


def original_batch(
    lengths: tuple[tuple[int, ...], ...] = ((30, 20), (40,)),
    seed: int = 1,
    *,
    delay: bool = True,
    distinct: int = 1024,
    keep_eos: bool = True,
) -> dict[str, Tensor]:
    """The same samples as the original collator lays them out: [K, sum T], one placeholder a segment."""
    generator = torch.Generator().manual_seed(seed)
    texts, columns = [], []
    for sample in lengths:
        ids = [1, 5, 6, 7, 8]
        for count in sample:
            columns.append(with_ends(frames(count, generator, distinct), delay=delay))
            ids += [AUDIO_BOS, AUDIO, AUDIO_EOS, 9]
        texts.append(torch.tensor([*ids, 2]))
    sizes = torch.tensor([0, *[len(piece) for piece in columns[:-1]]])
    input_ids = _pad(texts, 0)
    return {
        "input_ids": input_ids,
        "attention_mask": _pad([torch.ones_like(ids) for ids in texts], 0),
        "label_ids": torch.where((input_ids >= AUDIO_EOS) | (input_ids == 0), -100, input_ids),
        "audio_out_ids": torch.cat(columns).T.contiguous(),
        "audio_out_ids_start": sizes.cumsum(0),
        "audio_out_ids_start_group_loc": torch.arange(len(lengths)),
        "label_audio_ids": torch.cat([labels_of(piece, keep_eos=keep_eos) for piece in columns]).T.contiguous(),
        "audio_in_ids": torch.zeros(0, 0, dtype=torch.long),
        "audio_in_ids_start": torch.zeros(0, dtype=torch.long),
    }


def _pad(items: list[Tensor], value: float) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(items, batch_first=True, padding_value=value)
