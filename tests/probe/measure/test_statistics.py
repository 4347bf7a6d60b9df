import math
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from audioloss_cli.probe.measure.statistics import LogitStatistics, logit_statistics
from tests.benchmarks.memory import peak_bytes

INF, NAN = math.inf, math.nan
DTYPES = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
ORDERS = ((0, 1, 2), (1, 0, 2), (2, 1, 0), (0, 2, 1))  # of the axes in memory
seeds = st.integers(0, 10_000)
shapes = st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 40))
chunk_sizes = st.sampled_from((None, 1, 300, 1000))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """What looks into operators looks into those of its own thread only."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def randn(*shape: int, seed: int = 0, scale: float = 3.0) -> Tensor:
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def labels(vocab: int, *shape: int, seed: int = 0, ignored: float = 0.0, ignore_index: int = -100) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(vocab, shape, generator=generator)
    return ids.masked_fill(torch.rand(shape, generator=generator) < ignored, ignore_index)


def laid_out(logits: Tensor, order: tuple[int, int, int]) -> Tensor:
    """The same values with other strides."""
    return logits.permute(order).contiguous().permute([order.index(axis) for axis in range(3)])


def losses(logits: Tensor, target: Tensor, ignore_index: int = -100) -> Tensor:
    """[N, K], NaN where ignored."""
    loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none", ignore_index=ignore_index).view_as(
        target
    )
    return loss.masked_fill(target == ignore_index, NAN)


def close(found: Tensor, expected: Tensor, relative: float = 1e-5, absolute: float = 1e-5) -> None:
    torch.testing.assert_close(found, expected.to(found.dtype), rtol=relative, atol=absolute, equal_nan=True)


def agrees(found: LogitStatistics, logits: Tensor) -> None:
    """With plain lines of torch in float64, for finite logits [N, K, V]."""
    values = logits.double()
    assert found.shape == tuple(values.shape)
    assert torch.equal(found.maximum, values.amax(-1).float())
    assert torch.equal(found.minimum, values.amin(-1).float())
    assert torch.equal(found.argmax, values.argmax(-1))
    close(found.entropy, torch.special.entr(values.softmax(-1)).sum(-1))
    close(found.log_normalizer, values.logsumexp(-1))
    close(found.mean, values.mean((0, 2)), absolute=1e-6 * float(values.abs().max()))
    close(found.std, values.std((0, 2), correction=0))
    assert found.finite.all()
    assert found.first_non_finite is None
    assert not (found.nan_count + found.positive_infinity_count + found.negative_infinity_count).any()


@given(shapes, seeds, st.sampled_from(DTYPES), st.sampled_from(ORDERS), st.sampled_from((0.0, 0.4, 1.0)), chunk_sizes)
def test_agrees_with_plain_torch(
    shape: tuple[int, int, int],
    seed: int,
    dtype: torch.dtype,
    order: tuple[int, int, int],
    ignored: float,
    chunk_bytes: int | None,
) -> None:
    logits = laid_out(randn(*shape, seed=seed).to(dtype).float().to(dtype), order)
    targets = [labels(shape[2], *shape[:2], seed=seed + n, ignored=ignored) for n in range(3)]
    found = logit_statistics(logits, targets, chunk_bytes=chunk_bytes)
    rounded = logits.float()
    agrees(found, rounded)
    assert found.dtype == str(dtype)[len("torch.") :]
    close(found.cross_entropy, torch.stack([losses(rounded.double(), target) for target in targets]))
    assert torch.equal(found.valid, torch.stack(targets) != -100)


@given(shapes, seeds, st.sampled_from(DTYPES), st.sampled_from(ORDERS), chunk_sizes, st.data())
def test_rows_pick_and_order(
    shape: tuple[int, int, int],
    seed: int,
    dtype: torch.dtype,
    order: tuple[int, int, int],
    chunk_bytes: int | None,
    data: st.DataObject,
) -> None:
    rows = torch.tensor(data.draw(st.lists(st.integers(0, shape[0] - 1), min_size=1, max_size=12)))
    logits = laid_out(randn(*shape, seed=seed).to(dtype), order)
    target = labels(shape[2], len(rows), shape[1], seed=seed, ignored=0.3)
    found = logit_statistics(logits, [target], rows=rows, chunk_bytes=chunk_bytes)
    agrees(found, logits[rows].float())
    close(found.cross_entropy[0], losses(logits[rows].float(), target))


def test_axes_of_codebooks_before_time() -> None:
    batch = randn(1, 4, 7, 33)  # B K T V
    found = logit_statistics(batch[0].transpose(0, 1), rows=torch.tensor([6, 0]))
    agrees(found, batch[0].transpose(0, 1)[[6, 0]])


@pytest.mark.parametrize("vocab", [1, 2, 31, 32, 1026, 1031, 5000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_sizes_of_vocabulary(vocab: int, dtype: torch.dtype) -> None:
    logits = randn(40, 2, vocab).to(dtype)
    agrees(logit_statistics(logits), logits.float())


@given(seeds, st.integers(1, 3))
def test_the_first_of_equal_maxima(seed: int, levels: int) -> None:
    logits = torch.randint(levels, (5, 3, 70), generator=torch.Generator().manual_seed(seed)).float()
    expected = (logits == logits.amax(-1, keepdim=True)).float().argmax(-1)
    assert torch.equal(logit_statistics(logits).argmax, expected)


@given(st.sampled_from((-100, -1, 0, 12, 13)), seeds)
def test_ignore_index(ignore_index: int, seed: int) -> None:
    logits, target = randn(6, 2, 12), labels(12, 6, 2, seed=seed, ignored=0.5, ignore_index=ignore_index)
    found = logit_statistics(logits, [target], ignore_index=ignore_index)
    close(found.cross_entropy[0], losses(logits, target, ignore_index))
    assert found.out_of_range == 0


def test_ids_out_of_range_are_counted_and_left_out() -> None:
    target = torch.tensor([[0, -1], [5, 4], [1 << 40, -100]])
    found = logit_statistics(randn(3, 2, 5), [target, target])
    assert found.valid.tolist() == [[[True, False], [False, True], [False, False]]] * 2
    assert torch.equal(found.cross_entropy.isnan(), ~found.valid)
    assert found.out_of_range == 6


@given(seeds, st.sampled_from(DTYPES), st.booleans(), chunk_sizes, st.data())
def test_what_is_not_finite_is_counted_and_found(
    seed: int, dtype: torch.dtype, picked: bool, chunk_bytes: int | None, data: st.DataObject
) -> None:
    logits = randn(6, 3, 20, seed=seed).to(dtype)
    places = st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 19), st.sampled_from((NAN, INF, -INF)))
    for n, k, v, value in data.draw(st.lists(places, max_size=30)):
        logits[n, k, v] = value
    rows = torch.tensor([5, 0, 3]) if picked else None
    values = (logits if rows is None else logits[rows]).float()
    target = labels(20, *values.shape[:2], seed=seed)
    found = logit_statistics(logits, [target], rows=rows, chunk_bytes=chunk_bytes)
    assert torch.equal(found.nan_count, values.isnan().sum((0, 2)))
    assert torch.equal(found.positive_infinity_count, values.isposinf().sum((0, 2)))
    assert torch.equal(found.negative_infinity_count, values.isneginf().sum((0, 2)))
    assert torch.equal(found.finite, values.isfinite().all(-1))
    broken = (values.isnan() | values.isposinf()).nonzero()
    assert found.first_non_finite == (tuple(broken[0].tolist()) if len(broken) else None)
    close(found.cross_entropy[0], losses(values, target))
    close(found.entropy, torch.special.entr(values.softmax(-1)).sum(-1))
    close(found.log_normalizer, values.logsumexp(-1))
    close(found.maximum, values.amax(-1))
    close(found.minimum, values.amin(-1))
    assert torch.equal(found.argmax, values.argmax(-1))
    for k in range(3):
        finite = values[:, k][values[:, k].isfinite()]
        close(found.mean[k], finite.mean())
        close(found.std[k], finite.std(correction=0))


def test_a_masked_id_is_legal() -> None:
    logits = randn(4, 2, 10)
    logits[:, :, 7] = -INF
    target = torch.full((4, 2), 3)
    found = logit_statistics(logits, [target])
    others = logits[..., [*range(7), 8, 9]]
    close(found.entropy, logit_statistics(others).entropy)
    close(found.cross_entropy[0], losses(others, target))
    assert found.first_non_finite is None
    assert found.negative_infinity_count.tolist() == [4, 4]


def test_a_masked_label_costs_infinity() -> None:
    logits = torch.tensor([[[0.0, -INF]]])
    assert logit_statistics(logits, [torch.tensor([[1]])]).cross_entropy.item() == INF


def test_a_codebook_without_a_finite_logit() -> None:
    found = logit_statistics(torch.stack([torch.full((3, 5), -INF), torch.ones(3, 5)], 1))
    close(found.mean, torch.tensor([NAN, 1.0]))
    close(found.std, torch.tensor([NAN, 0.0]))
    assert found.log_normalizer[:, 0].tolist() == [-INF] * 3


def test_float16_close_to_its_end() -> None:
    logits = torch.full((3, 2, 1026), -65504.0, dtype=torch.float16)
    logits[:, :, 9], logits[:, :, 10] = 65504.0, 65472.0
    found = logit_statistics(logits, [torch.full((3, 2), 10)])
    agrees(found, logits)
    assert found.cross_entropy.unique().tolist() == [32.0]


@pytest.mark.parametrize("shift", [-1e4, 1e4])
def test_a_large_common_shift_costs_no_precision(shift: float) -> None:
    logits = (randn(20, 3, 1026) * 256).round() / 256  # exact beside 1e4
    target = labels(1026, 20, 3)
    found, near = logit_statistics(logits + shift, [target]), logit_statistics(logits, [target])
    close(found.cross_entropy, near.cross_entropy, absolute=1e-6)
    close(found.entropy, near.entropy, absolute=1e-6)
    close(found.std, near.std, relative=1e-6, absolute=0)


def test_large_logits() -> None:
    logits, target = randn(20, 3, 1026, scale=1e4), labels(1026, 20, 3)
    found = logit_statistics(logits, [target])
    agrees(found, logits)
    close(found.cross_entropy[0], losses(logits.double(), target), relative=1e-6)


def test_one_logit_far_from_the_others() -> None:
    logits = randn(20, 3, 1026, scale=1e-2)
    logits[:, :, 5] = 1e4
    agrees(logit_statistics(logits), logits)


def test_a_loss_close_to_zero_is_exact() -> None:
    logits = torch.zeros(1, 1, 1026, dtype=torch.float64)
    logits[..., 0] = 12.5
    found = logit_statistics(logits, [torch.tensor([[0]])])
    close(found.cross_entropy[0], losses(logits, torch.tensor([[0]])), relative=1e-3, absolute=0)


def test_constant_cells() -> None:
    logits = randn(3, 2, 1026)
    logits[1, 0] = 0.1
    found = logit_statistics(logits)
    assert found.constant.nonzero().tolist() == [[1, 0]]
    close(found.entropy[1, 0], torch.tensor(math.log(1026)))
    assert logit_statistics(logits[1:2, :1]).std.tolist() == [0.0]


@pytest.mark.parametrize("rows", [None, torch.empty(0, dtype=torch.long)])
def test_no_rows(rows: Tensor | None) -> None:
    logits = torch.empty(0 if rows is None else 5, 8, 1026)
    found = logit_statistics(logits, [torch.empty(0, 8, dtype=torch.long)] * 2, rows=rows)
    assert found.shape == (0, 8, 1026)
    assert found.cross_entropy.shape == (2, 0, 8)
    assert found.argmax.shape == (0, 8)
    assert found.mean.isnan().all()
    assert found.mean_cross_entropy(1).isnan().all()
    assert found.distinct_argmax.tolist() == [0] * 8
    assert found.first_non_finite is None


def test_distinct_argmax() -> None:
    logits = torch.zeros(4, 2, 6)
    logits[[0, 1, 2, 3], 0, [5, 1, 5, 2]] = 1.0
    assert logit_statistics(logits).distinct_argmax.tolist() == [3, 1]


@given(seeds, st.sampled_from((0.0, 0.5, 0.95)))
@example(seed=0, ignored=1.0)
def test_mean_cross_entropy(seed: int, ignored: float) -> None:
    logits, target = randn(12, 3, 9, seed=seed), labels(9, 12, 3, seed=seed, ignored=ignored)
    found = logit_statistics(logits, [labels(9, 12, 3), target])
    expected = torch.stack([F.cross_entropy(logits[:, k], target[:, k]) for k in range(3)])
    close(found.mean_cross_entropy(1), expected)
    by_segment = found.mean_cross_entropy(1, torch.tensor([0] * 5 + [1] * 7))
    loss = losses(logits, target)
    close(by_segment, torch.stack([loss[:5].nanmean(0), loss[5:].nanmean(0)]))


def test_a_broken_logit_is_not_averaged_away() -> None:
    logits = randn(4, 2, 9)
    logits[2, 1, 0] = NAN
    target = torch.ones(4, 2, dtype=torch.long)
    target[3] = -100
    means = logit_statistics(logits, [target]).mean_cross_entropy(0)
    assert means.isnan().tolist() == [False, True]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_number_of_threads_changes_nothing(threads: int, one_thread: None) -> None:
    logits, target = randn(50, 2, 70), labels(70, 50, 2)
    alone = logit_statistics(logits, [target], chunk_bytes=1)
    torch.set_num_threads(threads)
    together = logit_statistics(logits, [target], chunk_bytes=5000)
    assert torch.get_num_threads() == threads
    agrees(together, logits)
    close(together.cross_entropy, alone.cross_entropy)


def test_needs_no_gradient_and_changes_nothing() -> None:
    logits = randn(5, 2, 9).requires_grad_()
    before, target = logits.detach().clone(), torch.tensor([[-100, 99]] * 5)
    found = logit_statistics(logits, [target], chunk_bytes=1)
    assert not found.entropy.requires_grad
    assert torch.equal(logits, before)
    assert target.tolist() == [[-100, 99]] * 5


@pytest.mark.parametrize(
    ("logits", "targets", "rows", "message"),
    [
        (torch.zeros(4, 5), [], None, "logits must be"),
        (torch.zeros(4, 5, 0), [], None, "logits must be"),
        (torch.zeros(4, 5, 6).long(), [], None, "logits must be"),
        (torch.zeros(4, 5, 6), [torch.zeros(4, 6).long()], None, r"a target must be \[4, 5\]"),
        (torch.zeros(4, 5, 6), [torch.zeros(4, 5)], None, "a target must be"),
        (torch.zeros(4, 5, 6), [torch.zeros(4, 5).long()], torch.tensor([1]), r"a target must be \[1, 5\]"),
        (torch.zeros(4, 5, 6), [], torch.ones(4, dtype=torch.bool), "rows must be"),
    ],
)
def test_what_does_not_fit(logits: Tensor, targets: list[Tensor], rows: Tensor | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        logit_statistics(logits, targets, rows=rows)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
@pytest.mark.parametrize("picked", [False, True])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_memory_is_one_chunk(dtype: torch.dtype, order: tuple[int, int, int], picked: bool, device: str) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    size = (512, 2, 1026)
    logits = laid_out(randn(*size), order).to(device, dtype)
    rows = torch.arange(size[0]).to(device) if picked else None
    targets = [torch.zeros(size[:2], dtype=torch.long, device=device)] * 3
    chunk, results = 1 << 19, (7 + 2 * 3 + 2 * 3) * 4 * size[0] * size[1] + 4 * size[2]  # and the places 0..V-1
    took = peak_bytes(lambda: logit_statistics(logits, targets, rows=rows, chunk_bytes=chunk), torch.device(device))
    assert chunk / 2 < took < chunk + results < 4 * math.prod(size) / 2


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("dtype", DTYPES)
def test_memory_of_a_second_look_is_one_chunk_too(dtype: torch.dtype) -> None:
    logits = randn(1024, 2, 1026).to(dtype)
    logits[:, 0, 0] = NAN
    chunk, results = 1 << 19, 20 * 8 * 1024 * 2
    took = peak_bytes(lambda: logit_statistics(logits, chunk_bytes=chunk), torch.device("cpu"))
    assert took < chunk + results < 4 * logits.numel()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", DTYPES)
def test_cuda_agrees_with_the_cpu(dtype: torch.dtype) -> None:
    logits = randn(300, 8, 1026).to(dtype)
    logits[7, 3, 9] = -INF
    target = labels(1026, 300, 8, ignored=0.3)
    here, there = logit_statistics(logits, [target]), logit_statistics(logits.cuda(), [target], chunk_bytes=1 << 20)
    for name in ("maximum", "minimum", "argmax", "negative_infinity_count"):
        assert torch.equal(getattr(there, name), getattr(here, name))
    for name in ("entropy", "log_normalizer", "cross_entropy", "mean", "std"):
        close(getattr(there, name), getattr(here, name))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_no_chunk_waits_for_the_device() -> None:
    def waits(chunk_bytes: int) -> int:
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                logit_statistics(logits, [target], chunk_bytes=chunk_bytes)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        return len(seen)

    logits, target = randn(64, 2, 1026).cuda(), labels(1026, 64, 2).cuda()
    assert waits(1) == waits(1 << 20)


class Reads(TorchDispatchMode):
    """Counts the operators that hand data to the host, or whose result has a size that depends on data."""

    count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func)
        self.count += any(word in name for word in ("_local_scalar_dense", "nonzero", "masked_select", "unique"))
        return func(*args, **(kwargs or {}))


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("picked", [False, True])
def test_no_chunk_reads_data_back(picked: bool) -> None:
    def reads(count: int) -> int:
        with Reads() as seen:
            logit_statistics(
                logits[:count], [target[:count]], rows=torch.arange(count) if picked else None, chunk_bytes=1
            )
        return seen.count

    logits, target = randn(40, 2, 9), labels(9, 40, 2)
    assert reads(40) == reads(4)
