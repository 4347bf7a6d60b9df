"""What is measured of one chunk: a few vectorised passes, none of which makes the host wait for the device.

With m the largest logit of a cell and z = x - m, the normaliser is m + ln sum e^z; with p = softmax(z) the entropy is
ln sum e^z - sum p z. As the largest z is 0, sum e^z is 1 / max p. Nothing here cancels, however large the logits are.
"""

from enum import IntEnum

import torch
from torch import Tensor

# Times z, it lifts the position of every logit but the largest ones out of 0..V-1 (unless closer than 1e-35 to it).
_STEEP = -torch.finfo(torch.float32).max


class Plane(IntEnum):
    """What the planes of [F, N, K] float32 hold."""

    MAXIMUM = 0
    MINIMUM = 1
    ARGMAX = 2  # the first of the largest
    MEAN = 3  # of z
    NORM = 4  # of z - mean z
    TOP = 5  # the largest p
    TILT = 6  # sum p z


PLANES = len(Plane)


def measure(values: Tensor, z: Tensor, spare: Tensor, positions: Tensor, out: Tensor) -> None:
    """Fill the planes of a chunk; ``z`` is left as what the name says.

    A cell that holds NaN or +Infinity, or nothing but -Infinity, has NaN for its largest p, and no argmax. Reductions
    with indices would be the obvious way to the argmax; on a CPU they are not vectorised, and cost ten times as much.

    Args:
        values: [rows, K, V] float32; may be ``spare``.
        z: [rows, K, V] float32, overwritten.
        spare: [rows, K, V] float32, overwritten.
        positions: [V] float32, 0..V-1.
        out: [7, rows, K] float32.
    """
    maximum, minimum, argmax, mean, norm, top, tilt = out.unbind()  # in the order of Plane
    torch.amax(values, -1, out=maximum)
    torch.amin(values, -1, out=minimum)
    torch.sub(values, maximum.unsqueeze(-1), out=z)
    torch.mean(z, -1, out=mean)
    torch.linalg.vector_norm(torch.sub(z, mean.unsqueeze(-1), out=spare), dim=-1, out=norm)
    torch.amin(torch.add(positions, z, alpha=_STEEP, out=spare), -1, out=argmax)
    torch.softmax(z, -1, out=spare)
    torch.amax(spare, -1, out=top)
    torch.nansum(spare.mul_(z), -1, out=tilt)  # p z is NaN where z is -Infinity, and means 0
