"""What settings still find in runs that are known to be bad."""

from collections.abc import Sequence
from typing import NamedTuple

from audioloss_cli.audit import scan
from audioloss_cli.config import ScanConfig
from audioloss_cli.model import RunReport


class CheckedRun(NamedTuple):
    """One bad run.

    Attributes:
        run: its name.
        found: ``code at step N (tag)`` for each incident at the gate, the gravest first; empty if it passes.
        why: what kept it from being audited; empty if it was.
    """

    run: str
    found: list[str]
    why: str = ""


def check_runs(paths: Sequence[str], config: ScanConfig) -> list[CheckedRun]:
    """Scan the bad runs under ``paths`` with these settings; one entry a run, and one for each path without any."""
    report = scan(paths, config, allow_missing=True)
    runs = [_checked(run, config) for run in report.runs if run.series or run.findings]
    absent = [CheckedRun(each.asked, [], each.reason) for each in report.unaudited]
    return [*runs, *absent, *(CheckedRun(each.path, [], each.reason) for each in report.unread)]


def _checked(run: RunReport, config: ScanConfig) -> CheckedRun:
    fails = config.gate.fails
    incidents = [(each, item.tag) for item in run.series for each in item.incidents if fails(each.severity)]
    incidents.sort(key=lambda pair: (-pair[0].severity.rank, pair[0].first_step))
    found = [f"{each.severity} {each.code} at step {each.first_step:,} ({tag})" for each, tag in incidents]
    found += [f"{each.severity} {each.code}" for each in run.findings if fails(each.severity)]
    return CheckedRun(run.run, found)
