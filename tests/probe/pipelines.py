"""Loaders of 50 batches in the layout of the original Higgs Audio, sound but for one batch."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset, IterableDataset, WeightedRandomSampler

from tests.probe import tiny, tiny_siblings
from tests.probe.model_io.adapters.healthy import HEALTHY

BATCHES, LATE = 50, 37
Sample = dict[str, Any]
Batch = dict[str, Any]


@cache
def kept(count: int = 2 * BATCHES) -> list[Sample]:
    """Of one segment of 20 frames or some more each."""
    made = [tiny.original_batch(((20 + number % 7,),), seed=number) for number in range(count)]
    return [
        {
            "index": number,
            "text": each["input_ids"][0],
            "text_labels": each["label_ids"][0],
            "codes": each["audio_out_ids"],
            "labels": each["label_audio_ids"],
        }
        for number, each in enumerate(made)
    ]


class Samples(Dataset[Sample]):
    """As a dataset that keeps its samples."""

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]


def collate(samples: list[Sample]) -> Batch:
    """As the original collator lays them out; a sample may be of text alone."""
    audio = [each for each in samples if each["codes"] is not None]
    none = torch.zeros(0, 0, dtype=torch.long)
    text = pad_sequence([each["text"] for each in samples], batch_first=True)
    sizes = [each["codes"].shape[1] for each in audio]
    return {
        "input_ids": text,
        "attention_mask": pad_sequence([torch.ones_like(each["text"]) for each in samples], batch_first=True),
        "label_ids": pad_sequence([each["text_labels"] for each in samples], batch_first=True, padding_value=-100),
        "audio_out_ids": torch.cat([each["codes"] for each in audio], 1) if audio else none,
        "audio_out_ids_start": torch.tensor([0, *sizes]).cumsum(0)[: len(sizes)],
        "label_audio_ids": torch.cat([each["labels"] for each in audio], 1) if audio else none,
    }


class Collator:
    """Breaks the batch that begins with some sample."""

    def __init__(self, fault: str, first: int = 2 * LATE) -> None:
        self.fault, self.first = fault, first

    def __call__(self, samples: list[Sample]) -> Batch:
        batch = collate(samples)
        return FAULTS[self.fault](batch) if self.fault and samples[0]["index"] == self.first else batch


def with_(batch: Batch, **more: Any) -> Batch:
    return {**batch, **more}


def cell(name: str, place: tuple[int, int], value: int) -> Callable[[Batch], Batch]:
    def change(batch: Batch) -> Batch:
        found = batch[name].clone()
        found[place] = value
        return with_(batch, **{name: found})

    return change


def labels(change: Callable[[Tensor], Tensor]) -> Callable[[Batch], Batch]:
    return lambda batch: with_(batch, label_audio_ids=change(batch["label_audio_ids"].clone()))


def codes(change: Callable[[Tensor], Tensor]) -> Callable[[Batch], Batch]:
    """Of the real ones, and of the labels that are they."""

    def both(batch: Batch) -> Batch:
        real = batch["audio_out_ids"] < tiny.BOS
        changed = torch.where(real, change(batch["audio_out_ids"]), batch["audio_out_ids"])
        counted = (batch["label_audio_ids"] >= 0) & real
        return with_(
            batch,
            audio_out_ids=changed,
            label_audio_ids=torch.where(counted, changed, batch["label_audio_ids"]),
        )

    return both


def _first_masked(found: Tensor, batch: Batch) -> Tensor:
    found[:, : batch["audio_out_ids_start"][1]] = -100
    return found


def _but_eos(found: Tensor) -> Tensor:
    return found.masked_fill(found != tiny.EOS, -100)


def _behind(found: Tensor) -> Tensor:
    found[:, 13:] = -100
    return found


def _one_book(found: Tensor) -> Tensor:
    found = found.clone()
    found[5] = 7
    return found


FAULTS: dict[str, Callable[[Batch], Batch]] = {
    "id-out-of-range": cell("audio_out_ids", (3, 12), 5000),
    "label-out-of-range": cell("label_audio_ids", (3, 12), 5000),
    "text-out-of-range": cell("input_ids", (1, 2), 500),
    "ignored-index-in-inputs": cell("audio_out_ids", (3, 12), -100),
    "all-masked": labels(lambda found: torch.full_like(found, -100)),
    "masked-samples": lambda batch: with_(
        batch, label_audio_ids=_first_masked(batch["label_audio_ids"].clone(), batch)
    ),
    "missing-input": lambda batch: {name: value for name, value in batch.items() if name != "label_audio_ids"},
    "empty-input": lambda batch: with_(batch, audio_out_ids=torch.zeros(0, 0, dtype=torch.long)),
    "wrong-shape": lambda batch: with_(batch, audio_out_ids=batch["audio_out_ids"].T.contiguous()),
    "wrong-codebooks": lambda batch: with_(
        batch, audio_out_ids=batch["audio_out_ids"][:7], label_audio_ids=batch["label_audio_ids"][:7]
    ),
    "wrong-dtype": lambda batch: with_(batch, audio_out_ids=batch["audio_out_ids"].float()),
    "wrong-text-shape": lambda batch: with_(batch, attention_mask=batch["attention_mask"][:, 1:]),
    "delay-mismatch": lambda batch: with_(batch, **_not_delayed()),
    "placeholder-mismatch": lambda batch: with_(batch, input_ids=batch["input_ids"].clone().index_fill(1, AT, 5)),
    "bad-positions": lambda batch: with_(batch, audio_out_ids_start=batch["audio_out_ids_start"] + 3),
    "bad-attention-mask": lambda batch: with_(
        batch, attention_mask=batch["attention_mask"].clone().index_fill(1, AT, 0)
    ),
    "labels-of-other-audio": labels(lambda found: found.flip(0)),
    "double-shift": labels(lambda found: found.roll(-1, 1)),
    "label-leak": labels(lambda found: found.roll(1, 1)),
    "dominant-label": codes(_one_book),
    "poor-codes": codes(lambda found: torch.full_like(found, 7)),
    "few-distinct-labels": labels(_but_eos),
    "low-valid-fraction": labels(_behind),
}
AT = torch.tensor([6])  # where the text has its placeholder


def _not_delayed() -> Batch:
    batch = tiny.original_batch(((20,), (20,)), seed=5, delay=False)
    return {name: batch[name] for name in ("audio_out_ids", "label_audio_ids", "audio_out_ids_start")}


def loader(fault: str = "", workers: int = 2, *, shuffle: bool = False, size: int = 2, count: int = 2 * BATCHES) -> Any:
    return DataLoader(Samples(kept(count)), size, collate_fn=Collator(fault), num_workers=workers, shuffle=shuffle)


class Unshared(IterableDataset[Sample]):
    """Gives every sample in every worker."""

    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)


def unshared() -> Any:
    return DataLoader(Unshared(kept()[:20]), 2, collate_fn=collate, num_workers=2)


def with_replacement() -> Any:
    sampler = WeightedRandomSampler([1.0] * 4, 40, replacement=True)
    return DataLoader(Samples(kept()[:4]), 2, collate_fn=collate, sampler=sampler)


def _silent(sample: Sample) -> Sample:
    return {**sample, "text": sample["text"][sample["text"] < tiny.AUDIO_EOS], "codes": None, "labels": None}


def mixed() -> Any:
    """Every fourth sample is of text alone, and so is one whole batch."""
    samples = kept()[:40]
    found = [_silent(each) if number % 4 == 3 or number in (20, 21) else each for number, each in enumerate(samples)]
    for each in found:
        if each["codes"] is None:
            each["text"] = each["text_labels"] = torch.cat([each["text"], torch.tensor([20 + each["index"]])])
    return DataLoader(Samples(found), 2, collate_fn=collate)


def masking_in_place(workers: int = 2) -> Any:
    """The first frame that still counts is masked in the sample that the dataset keeps."""

    def collate_and_mask(samples: list[Sample]) -> Batch:
        for each in samples:
            each["labels"][:, int((each["labels"][0] == -100).sum())] = -100
        return collate(samples)

    samples = [{**each, "labels": each["labels"].clone()} for each in kept()[:20]]
    return DataLoader(Samples(samples), 2, collate_fn=collate_and_mask, num_workers=workers)


def breaking(workers: int = 2) -> Any:
    """Raises behind the third batch, and has masked one before that."""

    def collate_or_raise(samples: list[Sample]) -> Batch:
        if samples[0]["index"] == 6:
            raise RuntimeError("no such audio")
        return Collator("all-masked", 2)(samples)

    return DataLoader(Samples(kept()[:20]), 2, collate_fn=collate_or_raise, num_workers=workers)


def short() -> Any:
    """Batches too small to tell, all of them with one id in the last codebook."""
    samples = []
    for number in range(40):
        batch = codes(_last_book)(tiny.original_batch(((6,),), seed=number))
        samples.append(batch)
    return samples


def _last_book(found: Tensor) -> Tensor:
    found = found.clone()
    found[7] = 7
    return found


def healthy(name: str) -> list[Batch]:
    """The batch of a family."""
    batch: Batch = dict(HEALTHY[name].batch())
    if name == "moshi":  # which wants its codebooks but for the first fed a column late
        fed = batch["moshi_audio_codes"]
        late = torch.cat([torch.full_like(fed[:, 1:, :1], tiny_siblings.MOSHI_IDS), fed[:, 1:, :-1]], 2)
        batch["moshi_audio_codes"] = torch.cat([fed[:, :1], late], 1)
    return [batch]


def generator(count: int = 7) -> Iterator[Batch]:
    return (collate(kept()[2 * number : 2 * number + 2]) for number in range(count))


def batches(count: int = 7) -> list[Batch]:
    return list(generator(count))
