"""What families with a depth decoder share: which frames count, and two heads side by side; no plugin."""

import torch
from torch import Tensor


def counted_frames(labels: Tensor | None, codes: Tensor | None, attended: Tensor | None, ignore: int) -> Tensor | None:
    """[B, T] bool: frames that are labelled and those just before one; without labels, those that are attended to.

    Args:
        labels: [B, T, K] int64, or None.
        codes: the same, of the codes.
        attended: [B, T], or None.
        ignore: label that does not count.
    """
    if labels is not None and (codes is None or codes.shape[:2] == labels.shape[:2]):
        labelled = (labels != ignore).any(-1)
        if bool(labelled.any()):
            labelled[:, :-1] |= labelled[:, 1:].clone()
            return labelled
    present = labels if codes is None else codes
    if present is None:
        return None
    everything = torch.ones(present.shape[:2], dtype=torch.bool, device=present.device)
    return everything if attended is None or attended.shape != everything.shape else attended.bool()


def side_by_side(first: Tensor, others: Tensor, trained: Tensor, frames: Tensor) -> Tensor:
    """[N, K, V]: what the two heads gave for the frames that count.

    Args:
        first: [B, T, V] of the backbone.
        others: [frames it was trained on, K - 1, V] of the depth decoder.
        trained: [B, T] bool, which frames those are; each is predicted from the one before.
        frames: [B, T] bool, the N that count.
    """
    into = first.new_zeros(int(frames.sum()), others.shape[1] + 1, first.shape[-1])
    into[:, 0] = first[frames]
    sample, time = trained.nonzero(as_tuple=True)
    rows = frames.flatten().cumsum(0) - 1
    has_row = time > 0
    into[rows[(sample * frames.shape[1] + time - 1)[has_row]], 1:] = others[has_row].to(into.dtype)
    return into
