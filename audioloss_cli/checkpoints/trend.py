"""What the checkpoints of one run say together: where a module stops, where norms explode, which two are the same."""

import math
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Any

from audioloss_cli import registry
from audioloss_cli.checkpoints.check import FOLDER
from audioloss_cli.checkpoints.words import clipped, listed
from audioloss_cli.model import Finding, RuleText, Severity
from audioloss_cli.model.checkpoint_report import CheckpointReport, ModuleSummary

_SAME, _STOPPED, _EXPLODED = "nothing-changed", "stopped-module", "exploded-weights"  # checks, which document them
_EXPLODES = 10.0  # times the norm of the checkpoint before


def trend(reports: Sequence[CheckpointReport], told: Collection[tuple[str, str]] = ()) -> list[Finding]:
    """Return what is found along the checkpoints of one run; ``after`` in the evidence is the path of the later one.

    Args:
        reports: in the order of the steps, each compared with the one before (``ModuleSummary.change`` and
            ``unchanged``); of the first one nothing but norms is looked at.
        told: path and code of what the audits of the checkpoints have found already.
    """
    compared = [(before, after) for before, after in pairwise(reports) if after.against]
    return [*_same(compared, told), *_stopped(compared), *_exploded(reports, told)]


def _found(code: str, severity: Severity, message: str, evidence: dict[str, Any]) -> Finding:
    fix = RuleText.parse(registry.docstring(FOLDER, code.replace("-", "_")), code).fix
    return Finding(code, severity, message, evidence, fix)


def _same(
    compared: Sequence[tuple[CheckpointReport, CheckpointReport]], told: Collection[tuple[str, str]]
) -> Iterator[Finding]:
    """Neighbours without any difference."""
    for before, after in compared:
        if _is_frozen(after) and not _is_one_step(before, after) and (after.path, _SAME) not in told:
            yield _found(
                _SAME,
                Severity.CRITICAL,
                f"all {after.tensors:,} tensors of {_named(after)} are bit by bit those of {_named(before)}: nothing "
                "was trained between them",
                {"before": before.path, "after": after.path, "steps": [before.step, after.step]},
            )


def _stopped(compared: Sequence[tuple[CheckpointReport, CheckpointReport]]) -> Iterator[Finding]:
    """Modules that changed, and from some checkpoint on do not, while others go on."""
    since = dict[str, CheckpointReport]()
    has_changed = set[str]()
    for before, after in compared:
        if _is_frozen(after):
            continue
        for module in after.modules:
            if _changed(module):
                has_changed.add(module.name)
                since.pop(module.name, None)
            elif module.unchanged and module.name in has_changed:
                since.setdefault(module.name, before)
    groups = dict[str, list[str]]()
    for name, report in since.items():
        groups.setdefault(report.path, []).append(name)
    for path, names in groups.items():
        report = next(before for before, _ in compared if before.path == path)
        yield _found(
            _STOPPED,
            Severity.WARNING,
            f"{listed(sorted(names))} stopped changing at {_named(report)}, while other modules go on",
            {"modules": sorted(names), "since": report.path, "step": report.step},
        )


def _exploded(reports: Sequence[CheckpointReport], told: Collection[tuple[str, str]]) -> Iterator[Finding]:
    """The first checkpoint at which a module's norm is many times that of the one before."""
    wilder = set[str]()
    for before, after in pairwise(reports):
        norms = {module.name: module.norm for module in before.modules}
        times = {
            module.name: module.norm / norms[module.name]
            for module in after.modules
            if module.name not in wilder and _is_comparable(norms.get(module.name), module)
        }
        wild = sorted((name for name in times if times[name] > _EXPLODES), key=lambda name: -times[name])
        wilder |= set(wild)
        if wild and (after.path, _EXPLODED) not in told:
            yield _found(
                _EXPLODED,
                Severity.WARNING,
                f"from {_named(before)} to {_named(after)} norms explode: "
                + listed(f"{name} is {times[name]:.3g} times as large" for name in wild),
                {"before": before.path, "after": after.path, "times": {name: times[name] for name in wild}},
            )


def _is_comparable(norm: float | None, module: ModuleSummary) -> bool:
    """Whether there is a norm before; fresh biases and LoRAs begin at zero."""
    if norm is None or not math.isfinite(norm) or not math.isfinite(module.norm) or "lora_" in module.name:
        return False
    return norm > 1e-3 * math.sqrt(module.parameters)


def _changed(module: ModuleSummary) -> bool:
    return module.unchanged < module.tensors and not math.isnan(module.change)


def _is_frozen(report: CheckpointReport) -> bool:
    unchanged = sum(module.unchanged for module in report.modules)
    return bool(report.modules) and unchanged == report.tensors == sum(module.tensors for module in report.modules)


def _is_one_step(before: CheckpointReport, after: CheckpointReport) -> bool:
    return before.step is not None and before.step == after.step


def _named(report: CheckpointReport) -> str:
    step = "" if report.step is None else f" (step {report.step:,})"
    return f"{clipped(report.path)}{step}"
