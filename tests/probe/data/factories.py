"""What users hand to --data, in all its forms."""

import sys
from collections import UserDict, namedtuple
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset
from transformers import BatchFeature

Sample = dict[str, Any]
Named = namedtuple("Named", ["input_ids", "audio_out_ids"])


def sample(number: int, length: int = 5) -> Sample:
    return {"input_ids": torch.full((length,), number), "audio_labels": torch.arange(length * 2).view(length, 2)}


def one_batch(number: int = 0) -> Sample:
    return {"input_ids": torch.full((1, 3), number), "text": "spoken"}


class Cached(Dataset[Sample]):
    """Keeps its samples, as many do."""

    def __init__(self, count: int = 4, lengths: tuple[int, ...] = (5,)) -> None:
        self.samples = [sample(number, lengths[number % len(lengths)]) for number in range(count)]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]


class WithCollator(Cached):
    def collate_fn(self, samples: list[Sample]) -> Sample:
        return {"count": len(samples), "input_ids": torch.stack([item["input_ids"] for item in samples])}


class Plain:
    """A map-style dataset that inherits from nothing and has lists where tensors will be."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Sample:
        return {"input_ids": [index, index], "gain": 0.5, "text": "ab", "none": None, "wave": np.zeros(2, np.float32)}


class Stream(IterableDataset[Sample]):
    def __init__(self, items: list[Sample]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.items)


class SameStream(Stream):
    """``__iter__`` goes on where the last one ended."""

    def __init__(self, items: list[Sample]) -> None:
        self.items = iter(items)


def masks_in_place(samples: list[Sample]) -> Sample:
    """One more row of labels is masked at each call, and what it returns is a view of the cached sample."""
    labels = samples[0]["audio_labels"]
    labels[int((labels[:, 0] == -100).sum())] = -100
    return {"input_ids": samples[0]["input_ids"][None], "audio_labels": labels[None]}


def masking_loader(*, workers: int = 0, stream: bool = False, size: int | None = 1) -> DataLoader[Sample]:
    cached = Cached()
    collate = masks_in_place if size else lambda item: masks_in_place([item])
    return DataLoader(Stream(cached.samples) if stream else cached, size, collate_fn=collate, num_workers=workers)


def shuffled_loader() -> DataLoader[Sample]:
    def crops(samples: list[Sample]) -> Sample:
        start = int(torch.randint(0, 1000, (1,))) + int(np.random.randint(1000))
        return {"input_ids": torch.stack([item["input_ids"] for item in samples]), "start": torch.tensor([start])}

    return DataLoader(Cached(64), 2, shuffle=True, collate_fn=crops)


class OwnLoader(DataLoader[Sample]):
    def __iter__(self) -> Iterator[Sample]:  # type: ignore[override]
        return ({**batch, "extra": 1} for batch in super().__iter__())


def own_loader() -> OwnLoader:
    return OwnLoader(Cached(), 2)


def short_stream_loader() -> DataLoader[Sample]:
    return DataLoader(Stream([sample(0), sample(1), sample(2)]), 2, drop_last=True)


def cached(count: int = 4) -> Cached:
    return Cached(count)


def ragged() -> Cached:
    return Cached(lengths=(5, 7))


def uneven() -> list[Sample]:
    return Plainly([{"a": 1}, {"b": 1}])


class Plainly(Cached):
    def __init__(self, samples: list[Sample]) -> None:
        self.samples = samples


def samples_with_collator() -> WithCollator:
    return WithCollator()


def plain() -> Plain:
    return Plain()


def stream_of_batches() -> Stream:
    return Stream([one_batch(0), one_batch(1)])


def stream_of_samples() -> Stream:
    return Stream([sample(0), sample(1), sample(2)])


def stream_with_collator() -> Stream:
    stream = stream_of_samples()
    stream.collator = lambda samples: {"count": len(samples)}  # type: ignore[attr-defined]
    return stream


def same_stream() -> SameStream:
    return SameStream([one_batch(number) for number in range(4)])


def generator(buffer: bool = False) -> Iterator[Sample]:
    """With ``buffer`` every batch is the same tensor, written anew."""
    shared = torch.zeros(1, 3, dtype=torch.long)
    for number in range(3):
        yield {"input_ids": shared.fill_(number)} if buffer else one_batch(number)


def batches(count: int = 3) -> list[Sample]:
    return [one_batch(number) for number in range(count)]


def feature() -> BatchFeature:
    return BatchFeature(one_batch())


@dataclass
class Input:
    """As ``HiggsAudioBatchInput``."""

    input_ids: Tensor
    audio_out_ids: Tensor | None = None
    never: Any = field(init=False)


SHARED = torch.arange(6).view(1, 6)


def dataclass_batches() -> list[Input]:
    return [Input(SHARED)]


def named_tuple() -> Named:
    return Named(SHARED, None)


class HasData:
    def __init__(self) -> None:
        self.data = UserDict({"input_ids": SHARED})


class HasToDict:
    def to_dict(self) -> Sample:
        return {"input_ids": SHARED}


def has_data() -> HasData:
    return HasData()


def has_to_dict() -> HasToDict:
    return HasToDict()


def number() -> int:
    return 7


def tensors() -> list[Tensor]:
    return [SHARED]


def numbered_keys() -> dict[int, Tensor]:
    return {1: SHARED}


def chatty() -> Iterator[Sample]:
    print("loading")
    yield one_batch()


class Broken(Cached):
    def __getitem__(self, index: int) -> Sample:
        raise TypeError("no\n  audio")


def broken() -> Broken:
    return Broken()


def broken_collator() -> DataLoader[Sample]:
    return DataLoader(Cached(), collate_fn=lambda samples: torch.stack([item["text"] for item in samples]))


def breaks_later() -> Cached:
    """Its first pass is sound, the second is not."""
    calls = []

    def collate(samples: list[Sample]) -> Sample:
        calls.append(1)
        if len(calls) > 1:
            raise AssertionError
        return {"count": len(samples)}

    found = Cached()
    found.collate_fn = collate  # type: ignore[attr-defined]
    return found


def leaves() -> Iterator[Sample]:
    sys.exit(0)
    yield {}


def fails() -> None:
    raise ValueError("two\nlines")


def keyed() -> Any:
    """One batch in an object with ``keys()`` and ``[]``, which iterates over its names."""
    from tests.probe.model_io.test_batch import Keyed

    return Keyed(input_ids=torch.arange(3), labels=torch.arange(3))


def loader_of_keyed() -> Any:
    return torch.utils.data.DataLoader([{"x": 1}] * 4, batch_size=2, collate_fn=lambda rows: keyed())
