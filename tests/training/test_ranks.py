"""Sums over ranks that have their losses in different places: two ranks in one process, by a group of our own."""

import math
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist

from audioloss_cli.training.transport.arrivals import AsyncScalars
from audioloss_cli.training.transport.ranks import Ranks
from tests.training.far import Far, far, install

NCCL, GLOO, BOTH = "cuda:nccl", "cpu:gloo,cuda:gloo", "cpu:gloo,cuda:nccl"


class Group:
    """Sums up as soon as both ranks are there, and holds them to what their backend can do."""

    def __init__(self, config):
        self.config, self.waiting, self.kinds = config, {0: [], 1: []}, []

    def sum(self, rank, row):
        kind = row.device.type
        assert f"{kind}:" in self.config, f"No backend type associated with device type {kind}"
        self.waiting[rank].append(row)
        if all(self.waiting.values()):
            one, other = (rows.pop(0) for rows in self.waiting.values())
            assert one.device.type == other.device.type, "the ranks wait for each other for ever"
            self.kinds.append(kind)
            total = one + other
            one.copy_(total)
            other.copy_(total)


@pytest.fixture
def start(monkeypatch):
    def started(config):
        group = Group(config)
        monkeypatch.setattr(dist, "get_backend_config", lambda: config)
        monkeypatch.setattr(dist, "get_world_size", lambda: 2)
        monkeypatch.setattr(Ranks, "bound_device", lambda self: None)
        queues = []
        for rank in range(2):
            monkeypatch.setattr(dist, "get_rank", lambda rank=rank: rank)
            ranks = Ranks()
            ranks.sum = lambda row, rank=rank: group.sum(rank, row)
            queues.append(AsyncScalars(ranks))
        return group, queues

    install(monkeypatch)
    return started


def step(queues, number, *values):
    """Both ranks end a step; what each of them reads then. Sums come late, as they do."""
    for late, each in zip(queues, values, strict=True):
        late.put(number, each)
    rows = [list(late.ready()) for late in queues]
    assert repr(rows[0]) == repr(rows[1])
    return [(row.step, row.values, row.broken) for row in rows[0]]


FIRST = [({}, {}), ({"audio": 4.0}, {"audio": 6.0}), ({"audio": 4.0}, {}), ({}, {"audio": far(6.0)})]


@pytest.mark.parametrize("config", [NCCL, GLOO, BOTH])
@pytest.mark.parametrize("first", FIRST)
def test_the_ranks_meet_whatever_each_of_them_has(start, config, first):
    """Floats, nothing, or a device on one rank alone: at the first step, and later."""
    group, queues = start(config)
    losses = [first, ({"audio": 2.0}, {}), *[({"audio": far(3.0)}, {"audio": far(5.0), "text": 1.0})] * 6]
    # Both kinds of sums are over at once here, but for the copies from the device.
    read = [row for number, each in enumerate(losses) for row in step(queues, number, *each)]
    last, _ = (list(late.ready(flush=True)) for late in queues)
    read += [(row.step, row.values, row.broken) for row in last]
    assert [number for number, *_ in read] == list(range(len(losses)))
    means = {"audio": 5.0} if len(first[0]) == len(first[1]) == 1 else None
    assert means is None or read[0][1] == means
    assert all(values == {"audio": 4.0, "text": 1.0} and broken == () for _, values, broken in read[2:])
    assert group.kinds[-1] == ("cpu" if config == GLOO else "cuda")
    assert len(group.kinds) == len(losses)


@pytest.mark.parametrize("config", [NCCL, BOTH])
def test_nothing_is_waited_for_where_the_group_sums_on_the_device(start, config):
    group, queues = start(config)
    for number in range(8):
        step(queues, number, {"audio": far(3.0)}, {"audio": far(5.0), "text": torch.tensor(1.0)})
    late = group.kinds.index("cuda")
    assert (late, len(Far.waits)) == ((0, 0) if config == NCCL else (2, 4))  # both ranks, until all of them know


def test_mps_which_knows_no_float64_is_summed_on_the_host(start):
    group, queues = start("cpu:gloo,mps:gloo")
    losses = {"audio": far(3.0, "mps:0")}, {"audio": far([4.0, 6.0], "mps:0").mean(), "text": 1.0}
    read = [row for number in range(4) for row in step(queues, number, *losses)]
    assert read[0] == (0, {"audio": 4.0, "text": 1.0}, ())
    assert group.kinds == ["cpu"] * 4


def test_a_group_of_both_kinds_stays_on_the_cpu_where_no_rank_has_a_device(start):
    group, queues = start(BOTH)
    for number in range(8):
        step(queues, number, {"audio": 3.0}, {"audio": torch.tensor(5.0)})
    assert group.kinds == ["cpu"] * 8


def test_a_rank_that_flushes_alone_goes_to_the_device_with_the_others(start):
    group, queues = start(BOTH)
    for number in range(8):
        step_of = [{"audio": far(3.0)}, {"audio": far(5.0)}]
        for late, each in zip(queues, step_of, strict=True):
            late.put(number, each)
        list(queues[0].ready(flush=True))
        list(queues[1].ready())
    assert group.kinds == ["cpu"] * 2 + ["cuda"] * 6


@pytest.mark.parametrize("config", [NCCL, GLOO, BOTH])
def test_which_rank_is_broken_is_known_wherever_its_loss_lies(start, config):
    _, queues = start(config)
    read = [row for number in range(4) for row in step(queues, number, {"audio": 3.0}, {"audio": far(math.nan)})]
    assert [broken for _, _, broken in read] == [(1,)] * 3


@pytest.mark.parametrize(
    ("config", "known"),
    [
        (NCCL, (False, "cuda")),
        (GLOO, (True, "")),
        (BOTH, (True, "cuda")),
        ("cpu:gloo", (True, "")),
        ("xpu:xccl", (False, "xpu")),
        ("cuda:gloo", (False, "cuda")),
        ("cpu:gloo,cuda:nccl,xpu:xccl", (True, "cuda")),
    ],
)
def test_what_a_group_can_do(start, config, known):
    _, queues = start(config)
    ranks = queues[0]._sums._ranks
    assert (ranks.on_cpu, ranks.kind) == known


def test_where_the_ranks_exchange_findings(start):
    for config, kind in ((NCCL, "cuda"), (GLOO, "cpu"), (BOTH, "cpu")):
        _, queues = start(config)
        step(queues, 0, {}, {"audio": far(1.0)})
        assert [late.device.type for late in queues] == [kind] * 2


@pytest.mark.parametrize("index", [0, 1])
def test_a_rank_without_a_tensor_sums_where_its_model_lies(start, index):
    """A loop that names its device everywhere leaves the current one at 0, on every rank."""
    start(NCCL)
    model = SimpleNamespace(parameters=lambda: iter([torch.zeros(1), far(1.0, f"cuda:{index}")]))
    assert AsyncScalars(Ranks(model)).device == torch.device("cuda", index)
    assert AsyncScalars(Ranks()).device == torch.device("cuda", 0)
