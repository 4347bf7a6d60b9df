"""Rows of logits in float32, a chunk at a time, in memory that is used again."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

# A chunk is read and written about twenty times: it should stay in the second-level cache, and be large enough for the
# work to outweigh the calls. On CUDA it fits into that of an A100 (40 MB).
BYTES_PER_THREAD = 2 << 20
_BYTES_ON_DEVICE = 32 << 20
_FLOAT32 = 4

#: ``work(span, values, scratch, spare)``: ``span`` is the slice of rows; the others are [rows, K, V] float32, and
#: ``values`` is to be read only: a view of the logits where they can be used as they are, and otherwise ``spare``.
Work = Callable[[slice, Tensor, Tensor, Tensor], None]


@contextmanager
def one_thread_each() -> Iterator[int]:
    """Let no operator be shared among threads; gives the number of threads there may be.

    Threads that share an operator wait for each other at its end: slow for small ones, and very slow where others use
    the cores too. Threads that start in here compute alone as well: torch starts them with what was set last.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of logits, to be read in chunks.

    Attributes:
        logits: [M, K, V], without gradient.
        picked: [N] int64 on the same device, the rows that count; None: all of them.
        chunk_bytes: memory at work at a time, over all threads; None: what suits the device.
        threads: how many may work on a CPU.
    """

    logits: Tensor
    picked: Tensor | None
    chunk_bytes: int | None
    threads: int

    def __len__(self) -> int:
        return len(self.logits if self.picked is None else self.picked)

    def pick(self, indices: Tensor) -> "Rows":
        """Some of the rows, by indices [R] int64 on any device."""
        indices = indices.to(self.logits.device)
        return replace(self, picked=indices if self.picked is None else self.picked[indices])

    def each_chunk(self, work: Work, extra: int = 0) -> None:
        """Do the work for all rows, in any order, and on a CPU in several threads.

        Args:
            work: see ``Work``.
            extra: bytes a logit that the work itself takes beside ``scratch`` and ``spare``.
        """
        lanes = self.threads if self.logits.device.type == "cpu" else 1
        suitable = lanes * BYTES_PER_THREAD if self.logits.device.type == "cpu" else _BYTES_ON_DEVICE
        bytes_a_logit = max(self.logits.itemsize, _FLOAT32) + _FLOAT32 + extra  # scratch, also as given, and spare
        bytes_a_row = bytes_a_logit * self.logits.shape[1] * self.logits.shape[2]
        step = min(max((self.chunk_bytes or suitable) // (bytes_a_row * lanes), 1), max(len(self), 1))
        lanes = min(lanes, -(-len(self) // step))
        starts: deque[int | None] = deque([*range(0, len(self), step), *[None] * lanes])  # None: a lane may stop
        if lanes == 1:
            self._lane(step, starts, work)
        elif lanes:
            with ThreadPoolExecutor(lanes) as pool:
                for lane in [pool.submit(self._lane, step, starts, work) for _ in range(lanes)]:
                    lane.result()

    def _lane(self, step: int, starts: deque[int | None], work: Work) -> None:
        """Take chunks until there are none left."""
        size, device = step * self.logits.shape[1] * self.logits.shape[2], self.logits.device
        memory = torch.empty(size * max(self.logits.itemsize, _FLOAT32), dtype=torch.uint8, device=device)
        scratch, spare = memory.view(torch.float32), torch.empty(size, dtype=torch.float32, device=device)
        for start in iter(starts.popleft, None):
            span = slice(start, min(start + step, len(self)))
            values = self._load(span, memory, self._shaped(spare, span))
            work(span, values, self._shaped(scratch, span), self._shaped(spare, span))

    def _load(self, span: slice, memory: Tensor, spare: Tensor) -> Tensor:
        if self.picked is None:
            part = self.logits[span]
            return part if part.dtype == torch.float32 and part.is_contiguous() else spare.copy_(part)
        if self.logits.dtype == torch.float32:
            return torch.index_select(self.logits, 0, self.picked[span], out=spare)
        as_given = self._shaped(memory.view(self.logits.dtype), span)  # scratch is not needed yet
        return spare.copy_(torch.index_select(self.logits, 0, self.picked[span], out=as_given))

    def _shaped(self, memory: Tensor, span: slice) -> Tensor:
        rows, (_, codebooks, vocab) = span.stop - span.start, self.logits.shape
        return memory[: rows * codebooks * vocab].view(rows, codebooks, vocab)
