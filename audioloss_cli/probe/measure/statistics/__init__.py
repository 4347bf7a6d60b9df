"""What audio logits are like: cross entropy at several label offsets, extremes, entropy, moments, what is not finite.

One pass over chunks of rows small enough to stay in cache, without a wait for the device, and one transfer of what was
found; rows that turn out not finite are read a second time.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from audioloss_cli.probe.measure.statistics.chunks import Rows, one_thread_each
from audioloss_cli.probe.measure.statistics.finish import finish
from audioloss_cli.probe.measure.statistics.kernel import PLANES, measure
from audioloss_cli.probe.measure.statistics.labels import Labels, read_labels
from audioloss_cli.probe.measure.statistics.result import LogitStatistics

__all__ = ["LogitStatistics", "logit_statistics"]


@torch.no_grad()
def logit_statistics(
    logits: Tensor,
    targets: Sequence[Tensor] = (),
    *,
    rows: Tensor | None = None,
    ignore_index: int = -100,
    chunk_bytes: int | None = None,
) -> LogitStatistics:
    """Statistics of logits, computed in float32 where they lie.

    The logits are never copied as a whole. Beside results of [N, K], no more than ``chunk_bytes`` of memory are taken
    (a single row more, if a row is larger than that).

    Args:
        logits: [M, K, V], any floating dtype, device and strides; float64 is rounded to float32 first.
        targets: [N, K] integers each, one for each label offset.
        rows: [N] int64, the rows of ``logits`` that count, in this order; None: all of them, N = M.
        ignore_index: the label of a cell that does not count; neither does an id outside of 0..V-1.
        chunk_bytes: memory to work in, shared among the threads of a CPU; None: what suits the device.

    Raises:
        ValueError: ``logits`` or a target has another shape or dtype.
    """
    logits = logits.detach()
    count = _checked_rows(logits, targets, rows)
    rows = None if rows is None else rows.to(logits.device, torch.int64)
    with one_thread_each() as threads:
        source = Rows(logits, rows, chunk_bytes, threads)
        labels = read_labels(targets, (count, logits.shape[1], logits.shape[2]), ignore_index, logits.device)
        return finish(source, _measured(source, labels).cpu())


def _measured(source: Rows, labels: Labels) -> Tensor:
    """[7 + 2 O, N, K] float32: the planes of ``measure``, z at the labels, and the states of the labels."""
    device, (offsets, *size) = source.logits.device, labels.states.shape
    found = torch.empty(PLANES + 2 * offsets, *size, dtype=torch.float32, device=device)
    planes, at_labels = found[:PLANES], found[PLANES : PLANES + offsets]
    found[PLANES + offsets :] = labels.states
    positions = torch.arange(source.logits.shape[2], dtype=torch.float32, device=device)

    def work(span: slice, values: Tensor, shifted: Tensor, spare: Tensor) -> None:
        measure(values, shifted, spare, positions, planes[:, span])
        if offsets:
            torch.gather(shifted, -1, labels.indices[span], out=at_labels[:, span].permute(1, 2, 0))

    source.each_chunk(work)
    return found


def _checked_rows(logits: Tensor, targets: Sequence[Tensor], rows: Tensor | None) -> int:
    """N."""
    if logits.ndim != len("MKV") or not logits.is_floating_point() or 0 in logits.shape[1:]:
        raise ValueError(f"logits must be [M, K, V] and floating, not {list(logits.shape)} {logits.dtype}")
    if rows is not None and (rows.ndim != 1 or rows.is_floating_point() or rows.dtype == torch.bool):
        raise ValueError(f"rows must be [N] int64, not {list(rows.shape)} {rows.dtype}")
    count = len(logits) if rows is None else len(rows)
    for target in targets:
        if target.shape != (count, logits.shape[1]) or target.is_floating_point():
            size = [count, logits.shape[1]]
            raise ValueError(f"a target must be {size} int64, not {list(target.shape)} {target.dtype}")
    return count
