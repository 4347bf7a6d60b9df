"""A run ended too early.

What: The gate asks for a number of training steps (--min-steps), and no audited loss of the run got so far.

Why: A job that died after its first steps has had no time to go wrong: without this policy it passes.

Fix: Find out why the run ended, or leave it out with --exclude.
"""

import math
from collections.abc import Iterator

from audioloss_cli.model import Finding, Gate, RunReport, SeriesReport, Severity

CODE = "too-few-steps"


def check(run: RunReport, gate: Gate) -> Iterator[Finding]:
    """Yield one finding if the run got less far than the gate asks for."""
    steps = max(map(_steps, run.series), default=0)
    if steps < gate.min_steps:
        reached = f"the audited losses end after {steps:,} steps" if run.series else "no loss was audited"
        yield Finding(
            CODE,
            Severity.CRITICAL,
            f"{reached}, of at least {gate.min_steps:,}",
            {"steps": steps, "min_steps": gate.min_steps},
            "Find out why the run ended, or leave it out with --exclude.",
        )


def _steps(item: SeriesReport) -> int:
    """Updates of the weights up to the last point; the step 0 of a run that counts from there is its first update."""
    first, last = item.span
    return math.floor(item.axis.updates_in(last)) + (first == 0)
