"""What was measured of logits."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class LogitStatistics:
    """Statistics of N positions, K codebooks and V ids; tensors lie on the CPU, float32 unless said otherwise.

    -Infinity is a legal logit: the mask of an id that cannot be. A cell that holds NaN or +Infinity, or nothing but
    -Infinity, has entropy and cross entropy NaN.

    Attributes:
        shape: (N, K, V).
        dtype: of the logits, such as ``bfloat16``.
        maximum, minimum: [N, K]; NaN if the cell holds NaN.
        entropy: [N, K], of the softmax, nats.
        log_normalizer: [N, K], ln sum exp; infinite if the maximum is.
        argmax: [N, K] int64, the first of the largest; the first NaN if there is one.
        cross_entropy: [O, N, K] in nats, NaN where the label does not count.
        valid: [O, N, K] bool, whether the label counts.
        mean, std: [K], of the finite logits of each codebook, the latter of the population; NaN if there is none.
        nan_count, positive_infinity_count, negative_infinity_count: [K] int64.
        first_non_finite: (n, k, v) of the first NaN or +Infinity in the order of n, k, v; None if there is none.
        out_of_range: labels outside of 0..V-1 that are not ``ignore_index``.
    """

    shape: tuple[int, int, int]
    dtype: str
    maximum: Tensor
    minimum: Tensor
    entropy: Tensor
    log_normalizer: Tensor
    argmax: Tensor
    cross_entropy: Tensor
    valid: Tensor
    mean: Tensor
    std: Tensor
    nan_count: Tensor
    positive_infinity_count: Tensor
    negative_infinity_count: Tensor
    first_non_finite: tuple[int, int, int] | None
    out_of_range: int

    @property
    def finite(self) -> Tensor:
        """[N, K] bool: all logits of the cell are finite."""
        return torch.isfinite(self.maximum) & torch.isfinite(self.minimum)

    @property
    def constant(self) -> Tensor:
        """[N, K] bool: all logits of the cell are the same."""
        return self.maximum == self.minimum

    @property
    def distinct_argmax(self) -> Tensor:
        """[K] int64: how many different ids are the likeliest somewhere."""
        seen = torch.zeros(self.shape[1:], dtype=torch.bool, device="cpu")
        seen[torch.arange(self.shape[1], device="cpu"), self.argmax] = True
        return seen.sum(1)

    def mean_cross_entropy(self, offset_index: int, segments: Tensor | None = None) -> Tensor:
        """Mean over the labels that count, nats: [K], or [S, K] for ``segments`` [N] int64 of 0..S-1.

        NaN where no label counts, and where the logits of one that counts give NaN.
        """
        counts = self.valid[offset_index].double()
        values = torch.where(self.valid[offset_index], self.cross_entropy[offset_index], 0).double()
        if segments is None:
            return (values.sum(0) / counts.sum(0)).float()
        size = int(segments.max()) + 1 if len(segments) else 0
        total, many = (
            torch.zeros(size, self.shape[1], dtype=torch.float64, device="cpu").index_add_(0, segments.cpu(), part)
            for part in (values, counts)
        )
        return (total / many).float()
