"""What lies in a checkpoint, in words that reports for people share."""

import math
from typing import TYPE_CHECKING

from audioloss_cli.outputs._figures import number
from audioloss_cli.outputs._verdict import plural

if TYPE_CHECKING:
    from audioloss_cli.model.checkpoint_report import CheckpointReport, ModuleSummary

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_THOUSAND = 1000


def size(nbytes: float) -> str:
    """``512 bytes``, ``1.4 MB``; units are powers of 1,000."""
    for unit in _UNITS:
        if nbytes < _THOUSAND or unit == _UNITS[-1]:
            return f"{nbytes:,.0f} {unit}" if unit == "bytes" or nbytes >= 100 else f"{nbytes:.1f} {unit}"  # noqa: PLR2004
        nbytes /= _THOUSAND
    raise AssertionError


def step_of(checkpoint: "CheckpointReport") -> str:
    """``step 500``; empty where nothing says it."""
    return "" if checkpoint.step is None else f"step {checkpoint.step:,}"


def extent(checkpoint: "CheckpointReport") -> str:
    """How much lies in it: step, family, tensors, parameters, their dtypes, bytes."""
    dtypes = sorted(checkpoint.dtypes.items(), key=lambda item: -item[1])
    parts = [
        step_of(checkpoint),
        checkpoint.family,
        plural(checkpoint.tensors, "tensor"),
        plural(checkpoint.parameters, "parameter"),
        " + ".join(name for name, _ in dtypes),
        size(checkpoint.nbytes),
        f"against {checkpoint.against}" if checkpoint.against else "",
    ]
    return ", ".join(filter(None, parts))


def norm(module: "ModuleSummary") -> str:
    """The norm of a module; empty where it is not known."""
    return "" if math.isnan(module.norm) else number(module.norm)


def change(module: "ModuleSummary") -> str:
    """How far a module is from the base, in percent of its norm there; empty where it was not compared."""
    if module.tensors and module.unchanged == module.tensors:
        return "unchanged"
    return "" if math.isnan(module.change) else f"{module.change:.2%}"


def changes(checkpoint: "CheckpointReport") -> str:
    """How far its modules are from the base, from the least to the most; empty where nothing was compared."""
    known = [each for each in checkpoint.modules if change(each)]
    if not known:
        return ""
    moved = sorted(each.change for each in known if each.unchanged < each.tensors and not math.isnan(each.change))
    still = len(known) - len(moved)
    parts = [f"changed {moved[0]:.2%} to {moved[-1]:.2%}"] if moved else []
    parts += [f"{plural(still, 'module')} unchanged"] if still else []
    return ", ".join(parts)
