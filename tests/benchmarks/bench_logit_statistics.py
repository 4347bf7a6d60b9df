"""Logit statistics against the plain lines of torch that find the same, and against careful ones.

``python -m tests.benchmarks.bench_logit_statistics``

Both run in turn in one process; times are medians. Peak memory is what the call takes beside the logits.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from audioloss_cli.probe.measure.statistics import logit_statistics
from audioloss_cli.probe.measure.statistics.chunks import BYTES_PER_THREAD
from tests.benchmarks.memory import peak_bytes

K, V, OFFSETS = 8, 1026, (0, 1, 2)


def plain(logits: Tensor, targets: Sequence[Tensor]) -> list[Tensor]:
    """What one would write."""
    values = logits.float()
    log_p = values.log_softmax(-1)
    found = [
        values.isnan().sum((0, 2)),
        values.isposinf().sum((0, 2)),
        values.isneginf().sum((0, 2)),
        values.amax(-1),
        values.amin(-1),
        values.mean((0, 2)),
        values.std((0, 2), correction=0),
        -(log_p.exp() * log_p).sum(-1),
        values.logsumexp(-1),
        values.argmax(-1),
    ]
    flat = values.flatten(0, 1)
    found += [F.cross_entropy(flat, target.flatten(), reduction="none") for target in targets]
    return [item.cpu() for item in found]


def careful(logits: Tensor, targets: Sequence[Tensor]) -> list[Tensor]:
    """The same by hand, without what is slow in the plain lines: one softmax serves all, and nothing is counted twice.

    NaN and infinities are counted only if there are any; there are none here.
    """
    values = logits.float()
    maximum, argmax = values.max(-1)
    log_p = values.log_softmax(-1)
    count = values.shape[0] * values.shape[2]
    mean = values.sum(-1).sum(0) / count
    spread = (values.square().sum(-1).sum(0) / count - mean.square()).sqrt()
    found = [maximum, argmax, values.amin(-1), mean, spread, -(log_p.exp() * log_p).sum(-1), maximum - log_p.amax(-1)]
    found += [-log_p.gather(-1, target.unsqueeze(-1)).squeeze(-1) for target in targets]
    return [item.cpu() for item in found]


def seconds(call: Callable[[], Any], device: torch.device) -> float:
    """Of one call; on CUDA between two events."""
    if device.type != "cuda":
        start = time.perf_counter()
        call()
        return time.perf_counter() - start
    first, last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    first.record()
    call()
    last.record()
    torch.cuda.synchronize(device)
    return first.elapsed_time(last) / 1e3


def interleaved(calls: Sequence[Callable[[], Any]], device: torch.device, repeats: int) -> list[float]:
    """Median seconds of each, taken in turn after one round that does not count."""
    rounds = [[seconds(call, device) for call in calls] for _ in range(repeats + 1)]
    return [statistics.median(column) for column in zip(*rounds[1:], strict=True)]


def peak_memory(logits: Tensor, targets: Sequence[Tensor], chunk_bytes: int | None) -> list[float]:
    """MiB, ours and plain; on a CPU one thread stands for all, with the chunks of all."""
    threads = torch.get_num_threads()
    size = chunk_bytes or (threads * BYTES_PER_THREAD if logits.device.type == "cpu" else None)
    calls = (lambda: logit_statistics(logits, targets, chunk_bytes=size), lambda: plain(logits, targets))
    torch.set_num_threads(1)
    found = [peak_bytes(call, logits.device) / 2**20 for call in calls]
    torch.set_num_threads(threads)
    return found


def compare(rows: int, dtype: torch.dtype, device: torch.device, repeats: int, chunk_bytes: int | None) -> str:
    """One line of the table."""
    generator = torch.Generator().manual_seed(0)
    logits = (3 * torch.randn(rows, K, V, generator=generator)).to(device, dtype)
    targets = [torch.randint(V, (rows, K), generator=generator).to(device) for _ in OFFSETS]
    calls: list[Callable[[], Any]] = [
        lambda: logit_statistics(logits, targets, chunk_bytes=chunk_bytes),
        lambda: plain(logits, targets),
        lambda: careful(logits, targets),
    ]
    if device.type == "cuda":
        target = torch.empty_like(logits)
        calls.append(lambda: target.copy_(logits))
    ours, theirs, by_hand, *copy = interleaved(calls, device, repeats)
    size = logits.numel() * logits.itemsize
    memory = peak_memory(logits, targets, chunk_bytes)
    name = str(dtype).removeprefix("torch.")
    line = f"{name:9s} {1e3 * ours:9.1f} ms {1e3 * theirs:9.1f} ms {theirs / ours:6.2f}x {by_hand / ours:6.2f}x"
    line += f" {size / ours / 1e9:8.2f} GB/s {size / theirs / 1e9:8.2f} GB/s {memory[0]:8.1f} MiB {memory[1]:8.1f} MiB"
    return line + (f" {100 * copy[0] / 2 / ours:6.1f} % of copy bandwidth" if copy else "")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rows", type=int, help="positions; 16384 on CUDA, 4096 elsewhere")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, help="of the CPU")
    parser.add_argument("--chunk-bytes", type=int)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device(options.device)
    rows = options.rows or (16384 if device.type == "cuda" else 4096)
    print(f"{rows} x {K} x {V} logits, {len(OFFSETS)} offsets, {device}, {torch.get_num_threads()} threads")
    columns = (
        ("", 9),
        ("ours", 12),
        ("plain", 12),
        ("ratio", 7),
        ("by hand", 7),
        ("ours", 13),
        ("plain", 13),
        ("memory: ours", 12),
    )
    print(" ".join(f"{name:>{width}s}" for name, width in (*columns, ("plain", 12))))
    for dtype in (torch.bfloat16, torch.float32):
        print(compare(rows, dtype, device, options.repeats, options.chunk_bytes), flush=True)


if __name__ == "__main__":
    main()
