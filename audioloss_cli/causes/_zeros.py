"""Losses that are exactly zero, and what the gradient does at them."""

import math

from audioloss_cli.causes import _names
from audioloss_cli.causes._scene import Scene

_ALL = 0.9
_FEWEST = 2


def all_zero(scene: Scene) -> bool:
    """Whether the loss is exactly zero for good."""
    shape = scene.shape
    return shape.mostly_zero and shape.zeros >= _ALL * shape.points and not shape.recovers


def some_zero(scene: Scene) -> bool:
    """Whether exact zeros stand among healthy values: some batches, and not all of them."""
    shape = scene.shape
    return shape.mostly_zero and not all_zero(scene) and (shape.recovers or shape.zeros >= _FEWEST)


def zero_clause(scene: Scene) -> str:
    """How many zeros, from where on."""
    shape = scene.shape
    if some_zero(scene):
        return f"exactly 0 at {shape.zeros:,} of {shape.points:,} points, and healthy beside them"
    since = "from the first point on" if not shape.earlier else f"from step {shape.first_step:,} on"
    after = "" if shape.from_the_start or math.isnan(shape.before) else f", after {shape.before:.4g}"
    return f"exactly 0 {since}{after}"


def gradient_gone(scene: Scene) -> str:
    """Says so where the gradient is 0 or NaN in the incident."""
    norms = scene.grad_norm
    if norms and sum(math.isnan(norm) for norm in norms) > len(norms) / 2:
        return "grad_norm is NaN there"
    track = scene.alike(_names.is_grad_norm)
    if track and not norms and track.between(scene.shape.begin, scene.shape.first_step):
        return "grad_norm is logged before and not there, as where it is NaN"
    return "grad_norm is 0 there" if norms and not any(norms) else ""


def gradient_flows(scene: Scene) -> str:
    """Says so where the gradient is a number above 0 in the incident."""
    norms = scene.grad_norm
    if norms and all(norm > 0 for norm in norms):
        return f"grad_norm is {sorted(norms)[len(norms) // 2]:.4g} there, so that something still learns"
    return ""
