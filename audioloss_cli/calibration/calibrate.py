"""Find settings under which healthy runs stay silent, and loosen nothing that they do not ask for.

Thresholds come from the lowest cross entropy. Whatever still fires is loosened one rung at a time, all of it in one
scan: the option of the rule, then the kind of the series, then the rule itself. A rule that has nothing to loosen and
whose verdict is critical (a loss that is NaN, or missing) is none to do without: such a run is not healthy.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from audioloss_cli import registry
from audioloss_cli.audit import scan
from audioloss_cli.calibration.measure import TagFigures, measure
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import Incident, Limits, LossRule, Report, Severity
from audioloss_cli.model.exit_code import FINDINGS
from audioloss_cli.monitor.ruleset import options_of

if TYPE_CHECKING:
    from audioloss_cli.config.scan_config import KindOrAuto
    from audioloss_cli.model.rule import Kind

_RUNGS = (1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)  # times the default of an option
_MARGIN = 1.25  # on top of the rung that silences a rule
_BELOW_LOW, _BELOW = 2.0, 4.0  # the lowest loss over the threshold: where it must be lowered, where it may be raised
_LEAST = 1e-6  # a loss that gets lower has no threshold
_MOST_ROUNDS = 40
# Settings of the gate that say nothing about a loss.
_NOT_MEASURED = (
    *("max_incidents", "require_tags", "min_steps", "exit_zero"),
    *("baseline", "suppress", "fail_on_stale_suppressions"),
)


@dataclass(slots=True)
class Calibration:
    """Settings, and what each of them comes from.

    Attributes:
        config: the settings; a scan of the same runs with them is silent, unless ``unhealthy`` says otherwise.
        figures: what was measured, a tag each.
        reasons: key of the configuration, or ``kinds.TAG``, ``rules.CODE``, ``ignore.CODE`` -> what it comes from.
        unhealthy: one line each for what no setting should silence.
        report: of the last scan, under ``config``.
    """

    config: ScanConfig
    figures: list[TagFigures] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    unhealthy: list[str] = field(default_factory=list)
    report: Report = field(default_factory=Report)

    @property
    def loosened(self) -> list[str]:
        """What these settings look at less closely than the defaults do, one line each."""
        config, default = self.config, Limits()
        lines = [f"threshold {config.threshold:g}"] if config.threshold < default.threshold else []
        lines += [f"{code} {name} {value:g}" for code, table in config.rules.items() for name, value in table.items()]
        lines += [f"{tag} is {kind}: no thresholds" for tag, kind in config.kinds.items() if kind not in ("ce", "auto")]
        return lines + [f"{code} is not asked" for code in config.ignore]


def calibrate(paths: Sequence[str], base: ScanConfig | None = None) -> Calibration:
    """Measure the healthy runs under ``paths`` and return the settings that keep them silent.

    Args:
        paths: files, archives and directories with healthy runs.
        base: what is audited, and the gate; its thresholds, kinds and rule options are where the search starts.
    """
    base = base or ScanConfig()
    report = scan(paths, base, points=True, allow_missing=True)
    found = Calibration(base, measure(report), report=report)
    if not found.figures:
        return found
    _pin_kinds(found)
    _set_thresholds(found)
    search = _Search(found)
    for _ in range(_MOST_ROUNDS):
        found.report = scan(paths, found.config, allow_missing=True)
        if not search.loosen(found.report):
            break
    if search.finish():
        found.report = scan(paths, found.config, allow_missing=True)
    return found


def starting_point(config: ScanConfig) -> ScanConfig:
    """What is audited, and the gate, from these settings; thresholds and options of rules as they are by default.

    What is known or suppressed takes no part, nor do the policies of the gate: they say nothing about a healthy loss.
    """
    default = ScanConfig()
    measured = ("threshold", "critical_threshold", "rules")
    return replace(config, **{name: getattr(default, name) for name in (*measured, *_NOT_MEASURED)})


def complaints_of(found: Calibration) -> list[str]:
    """Why these runs give no settings, one line each; empty if they do."""
    if found.unhealthy or found.report.exit_code == FINDINGS:
        fires = [f"{each.id}: {each.message}" for each in found.report.incidents]
        return [f"not healthy: {line}; leave the run out, or mend it" for line in found.unhealthy or fires]
    report = found.report
    lines = [f"{each.asked}: {each.reason}" for each in report.unaudited]
    if report.defects and not report.gate.allow_defects:
        lines.append(f"{report.defects[0].path}: {report.defects[0].message}; --allow-defects lets it pass")
    if report.unread and not report.gate.allow_unread:
        lines.append(f"{report.unread[0].path}: {report.unread[0].reason}; --allow-unread lets it pass")
    return lines or ([] if found.figures else ["no loss to measure in these runs; name the series with --tag"])


def _pin_kinds(found: Calibration) -> None:
    """A kind that was guessed stays what it is, whatever the next run starts at."""
    kinds: dict[str, KindOrAuto] = {pattern_of(each.tag): each.kind for each in found.figures}
    declared = found.config.kinds
    found.config = replace(found.config, kinds={**declared, **kinds})
    for each in found.figures:
        guessed = each.reason if pattern_of(each.tag) not in declared else ""
        found.reasons[f"kinds.{each.tag}"] = guessed or f"starts at {each.start:.4g}"


def _set_thresholds(found: Calibration) -> None:
    """Under the lowest cross entropy, by a factor of 2 where they must be lowered, of 4 where they may be raised."""
    config, default = found.config, Limits()
    low = min(
        (each for each in found.figures if each.kind == "ce" and each.lowest > _LEAST * config.scale),
        key=lambda each: each.lowest,
        default=None,
    )
    if low is None:
        return
    lowest = low.lowest / config.scale
    threshold = max(rounded_down(lowest / _BELOW), min(default.threshold, rounded_down(lowest / _BELOW_LOW)))
    where = f"the lowest loss is {low.lowest:.4g}: {low.tag} at step {low.lowest_step:,} of {low.lowest_run}"
    found.config = replace(config, threshold=threshold, critical_threshold=threshold / 2)
    if threshold > default.threshold:  # a guess of kinds is made in units of the threshold
        found.config = replace(found.config, kind="ce")
        found.reasons["kind"] = "what these runs do not log is taken for a cross entropy under such a threshold"
    found.reasons["threshold"] = where
    found.reasons["critical-threshold"] = "half of the threshold"


class _Search:
    """Loosens, from one scan to the next, what still fires."""

    def __init__(self, found: Calibration) -> None:
        self._found = found
        self._rungs: dict[str, int] = {}  # rule code -> rung in force

    def loosen(self, report: Report) -> bool:
        """Take one step for each rule that fires; whether any setting has changed."""
        before, stuck = self._found.config, list[str]()
        fails, taken = before.gate.fails, set[tuple[str, str]]()
        for run in report.runs:
            for item in run.series:
                for incident in item.incidents:
                    known = (incident.code, item.tag) in taken
                    if fails(incident.severity) and not known and not self._loosen(incident, item.tag, run.run):
                        stuck.append(f"{run.run}: {item.tag}: {incident.code} at step {incident.first_step:,}")
                    taken.add((incident.code, item.tag))
            stuck += [f"{run.run}: {each.code}: {each.message}" for each in run.findings if fails(each.severity)]
        self._found.unhealthy = stuck
        return self._found.config != before

    def _loosen(self, incident: Incident, tag: str, run: str) -> bool:
        """One step; False where there is none that should be taken."""
        code, where = incident.code, f"in {run}: {tag}, step {incident.first_step:,}: {incident.message}"
        rule = _rule(code)
        if self._next_rung(code, where) or self._other_kind(rule, tag, where):
            return True
        if rule.severity is Severity.CRITICAL:
            return False
        config = self._found.config
        self._found.config = replace(config, ignore=(*config.ignore, code))
        self._found.reasons[f"ignore.{code}"] = f"holds {where}"
        return True

    def _next_rung(self, code: str, where: str) -> bool:
        rung = self._rungs.get(code, -1) + 1
        if not options_of(code.replace("-", "_")) or rung >= len(_RUNGS):
            return False
        self._rungs[code] = rung
        self._set_option(code, _RUNGS[rung])
        self._found.reasons.setdefault(f"rules.{code}", f"by its default it holds {where}")
        return True

    def _set_option(self, code: str, factor: float) -> None:
        """The first option of a rule is the one that makes it more patient, the larger it is."""
        config, (name, default) = self._found.config, next(iter(options_of(code.replace("-", "_")).items()))
        option = {**config.rules.get(code, {}), name: float(f"{default * factor:.3g}")}
        self._found.config = replace(config, rules={**config.rules, code: option})

    def _other_kind(self, rule: LossRule, tag: str, where: str) -> bool:
        """Declare the series as one to which the rule does not apply."""
        kinds: tuple[Kind, ...] = ("small", "rl")
        config = self._found.config
        kind = next((kind for kind in kinds if kind not in rule.kinds), None)
        if kind is None or config.kinds.get(pattern_of(tag)) == kind:
            return False
        self._found.config = replace(config, kinds={**config.kinds, pattern_of(tag): kind})
        self._found.reasons[f"kinds.{tag}"] = f"as a cross entropy it is none: {where}"
        return True

    def finish(self) -> bool:
        """Leave a margin over the rungs that silenced the rules; whether there is any."""
        for code, rung in self._rungs.items():
            if code not in self._found.config.ignore:
                self._set_option(code, _RUNGS[rung] * _MARGIN)
        without = {code: options for code, options in self._found.config.rules.items() if code not in self._ignored()}
        self._found.config = replace(self._found.config, rules=without)
        return bool(self._rungs)

    def _ignored(self) -> Sequence[str]:
        return self._found.config.ignore


def _rule(code: str) -> LossRule:
    rule: LossRule = registry.load("rules", code.replace("-", "_")).Rule(Limits())
    return rule


def pattern_of(tag: str) -> str:
    """The pattern that stands for just this tag: itself, unless it looks like a regular expression."""
    return tag if not tag.startswith("re:") else "?" + tag[1:]


def rounded_down(value: float) -> float:
    """To two significant digits."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.floor(value / unit * (1 + 1e-12)) * unit:.2g}")


def changed(config: ScanConfig) -> Mapping[str, Any]:
    """The fields of the settings that are not the default."""
    default = ScanConfig()
    names = [name for name in ScanConfig.__dataclass_fields__ if name not in ("jobs", "cache")]
    return {name: getattr(config, name) for name in names if getattr(config, name) != getattr(default, name)}
