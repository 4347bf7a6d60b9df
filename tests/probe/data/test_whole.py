"""Every kind of data gives all its batches, once each, by the loader's own workers."""

import contextlib
import json
import os
from collections import deque

import numpy as np
import pytest
import torch

from audioloss_cli.probe.data import open_whole
from audioloss_cli.probe.data._order import recorded
from tests.effort import exhaustive
from tests.probe.data import factories
from tests.probe.data.factories import one_batch

HERE = "tests.probe.data.factories"
NUMBERS = {
    "cached": [[0, 1], [2, 3]],
    "stream_of_samples": [[0, 1], [2]],
    "stream_of_batches": [[0], [1]],
    "same_stream": [[0], [1], [2], [3]],
    "generator": [[0], [1], [2]],
    "batches": [[0], [1], [2]],
    "own_loader": [[0, 1], [2, 3]],
    "short_stream_loader": [[0, 1]],
    "feature": [[0]],
}


def numbers(source) -> list[list[int]]:
    whole = source.batches if source.whole is None else source.whole()
    return [batch["input_ids"][:, 0].tolist() for batch in whole]


@pytest.mark.parametrize("count", [1, 2, *exhaustive(9)])
@pytest.mark.parametrize("what", NUMBERS)
def test_it_is_all_of_it_and_once(what, count):
    source = open_whole(f"{HERE}:{what}", {}, count)
    assert numbers(source) == NUMBERS[what]
    assert source.total in (None, len(NUMBERS[what]))


def test_files_and_directories(tmp_path):
    for number in range(3):
        torch.save([one_batch(number)] * 2, tmp_path / f"{number}.pt")
    assert numbers(open_whole(str(tmp_path), {}, 1)) == [[0], [0], [1], [1], [2], [2]]
    assert numbers(open_whole(str(tmp_path / "1.pt"), {}, 1)) == [[1], [1]]


def test_the_order_of_a_shuffled_loader_is_that_of_its_batches():
    source = open_whole(f"{HERE}:shuffled_loader", {}, 2)
    seen = []
    for batch in source.whole():
        seen.append(batch["input_ids"][:, 0].tolist())
        assert source.order.popleft() == seen[-1]
    assert sorted(place for places in seen for place in places) == list(range(64))


@pytest.mark.parametrize(
    ("chunks", "places"),
    [
        (torch.arange(4).split(2), [[0, 1], [2, 3]]),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        ([range(2), range(2, 4)], [[0, 1], [2, 3]]),
        ([["first", "second"]], [[]]),
        (["ab"], [[]]),
        (torch.arange(2), [[0], [1]]),
    ],
)
def test_places_are_numbers_whatever_the_sampler_gives(chunks, places):
    loader = torch.utils.data.DataLoader([0] * 4, batch_sampler=chunks)
    seen = deque()
    with contextlib.suppress(TypeError):  # of the loader, where there is no such sample
        for _ in recorded(loader, seen):
            pass
    assert json.dumps(list(seen)) == json.dumps(places[: len(seen)])
    assert seen


def process_of(samples: list[factories.Sample]) -> factories.Sample:
    return {"input_ids": torch.tensor([[os.getpid()]])}


def by_workers() -> torch.utils.data.DataLoader[factories.Sample]:
    return torch.utils.data.DataLoader(factories.Cached(), 2, collate_fn=process_of, num_workers=1)


def test_the_workers_of_the_loader_are_used():
    source = open_whole(f"{__name__}:by_workers", {}, 1)
    assert source.batches[0]["input_ids"].item() == os.getpid()
    assert all(number != os.getpid() for (number,) in numbers(source))
    assert source.notes == []
