"""Change the codes of one column and look at what moves: a model may look back, and only back."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from audioloss_cli.probe.measure.evidence import Evidence, Perturbation
from audioloss_cli.probe.model_io.adapter import Adapter, Batch, Model

# Rows on each side of the changed one that are kept for comparison: enough to see a leak, little beside the logits.
_KEPT_ROWS = 64


def row_to_perturb(evidence: Evidence) -> int | None:
    """The middle of the real codes of the segment with the most of them; None if nothing can be compared.

    Of the segments those count in which labels do, so that the reported loss may move.
    """
    real, segments, stats = evidence.real, evidence.audio.segments, evidence.stats
    if real is None or segments is None or stats is None or stats.shape[0] != len(real):
        return None
    rows = real.all(1)
    rows = rows if bool(rows.any()) else real[:, -1]
    learnt = rows & torch.isin(segments, segments[_labelled_rows(evidence)])
    inside = (learnt if bool(learnt.any()) else rows).nonzero().flatten()
    if not len(inside):
        return None
    inside = inside[segments[inside] == segments[inside].mode().values]
    return int(inside[len(inside) // 2])


def rows_around(logits: Tensor, rows: Tensor | None, evidence: Evidence, row: int) -> Tensor:
    """A float32 copy of the few rows of the same sample that lie around ``row``."""
    window = _window(evidence, row)
    index = torch.arange(window.start, window.stop, device=logits.device)
    return logits[index if rows is None else rows[index]].float()


def perturb(
    evidence: Evidence, adapter: Adapter, model: Model, batch: Batch, row: int, before: Tensor
) -> Perturbation | None:
    """Run the batch again with other codes in one column: once in the last codebook, once in all others.

    Where a depth decoder predicts the codebooks of a frame one by one, the logits of the row before may know all but
    the last codebook: after a change of the others only the first codebook of that row must stay as it was.

    Args:
        evidence: of the first pass.
        adapter: of the model family.
        model: in eval mode.
        batch: on its device.
        row: the column that changes.
        before: ``rows_around`` it in the first pass.
    """
    at, books = row - _window(evidence, row).start, before.shape[1]
    early, late, deaf, losses = list[float](), list[float](), list[int](), list[bool]()
    for changed in _halves(books):
        output = adapter.run(model, adapter.with_codes(batch, _changed(evidence, row, changed).to(before.device)))
        if output.logits is None:
            return None
        moved = _moved(before, rows_around(output.logits, output.rows, evidence, row))
        known = slice(0, books if books - 1 in changed else 1)
        parts = (moved[: max(at - 1, 0)], moved[max(at - 1, 0) : at, known])
        early += [float(part.max()) for part in parts if part.numel()]
        late.append(float(moved[at:].max()))
        deaf += changed if late[-1] == 0 else []
        losses += [] if output.loss is None else [float(output.loss.float().mean()) != evidence.reported]
    moves = any(losses) if losses and _reaches_a_label(evidence, row) else None
    return Perturbation(row, max(early, default=None), max(late), tuple(sorted(deaf)), moves)


def _halves(books: int) -> Iterator[list[int]]:
    yield [books - 1]
    if books > 1:
        yield list(range(books - 1))


def _moved(before: Tensor, after: Tensor) -> Tensor:
    """[rows, K] on the CPU: the largest change of each cell; infinities that stay have no difference."""
    same = (after == before) | (after.isnan() & before.isnan())
    return (after - before).abs().nan_to_num(nan=math.inf).masked_fill(same, 0).amax(dim=2).cpu()


def _labelled_rows(evidence: Evidence) -> Tensor:
    """[N] bool: rows with a label that counts; all if there are no labels to tell."""
    valid, real = evidence.valid, evidence.real
    if real is None or valid is None or len(valid) != len(real):
        return torch.ones(0 if real is None else len(real), dtype=torch.bool, device="cpu")
    return valid.any(1)


def _reaches_a_label(evidence: Evidence, row: int) -> bool:
    """Whether a label counts that is predicted from the row or one behind it, in the same sample."""
    window = _window(evidence, row)
    return bool(_labelled_rows(evidence)[row + 1 : window.stop].any())


def _window(evidence: Evidence, row: int) -> slice:
    """Neighbours of a row that belong to the same sample."""
    samples = evidence.audio.samples
    if samples is None:
        samples = torch.zeros(row + _KEPT_ROWS, dtype=torch.long, device="cpu")
    same = (samples == samples[row]).nonzero().flatten()
    last = min(int(same[-1]) + 1, evidence.stats.shape[0] if evidence.stats is not None else row + 1)
    return slice(max(int(same[0]), row - _KEPT_ROWS), min(last, row + _KEPT_ROWS))


def _changed(evidence: Evidence, row: int, books: list[int]) -> Tensor:
    """The codes with other real codes in some cells of one row; there must be codes."""
    special = [each for each in (evidence.layout.bos, evidence.layout.eos) if each]
    size = evidence.stats.shape[2] if evidence.stats is not None else evidence.layout.vocab_size
    ids = max(min([size, *special]), 2)
    changed = torch.empty(0, device="cpu") if evidence.audio.codes is None else evidence.audio.codes.clone()
    changed[row, books] = (changed[row, books] + ids // 2) % ids
    return changed
