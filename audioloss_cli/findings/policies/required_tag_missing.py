"""A run has not logged what it must log.

What: The gate requires a scalar (--require-tag), and the run holds no number of one that matches.

Why: A run that never logged its audio loss has nothing that could be found wrong: without this policy it passes.

Fix: Log the scalar, mend its name in the configuration, or leave the run out with --exclude.
"""

from collections.abc import Iterator

from audioloss_cli.model import Finding, Gate, RunReport, Severity
from audioloss_cli.naming import TagPattern

CODE = "required-tag-missing"
_MOST_TAGS = 5


def check(run: RunReport, gate: Gate) -> Iterator[Finding]:
    """Yield a finding for each glob of the gate that no scalar of the run matches."""
    logged = [tag for tag in run.tags if tag not in run.blank]
    for text in gate.require_tags:
        if not any(map(TagPattern(text).matches, logged)):
            more = f" and {len(logged) - _MOST_TAGS} more" if len(logged) > _MOST_TAGS else ""
            instead = f"it logged {', '.join(logged[:_MOST_TAGS])}{more}" if logged else "it logged no scalar"
            yield Finding(
                CODE,
                Severity.CRITICAL,
                f"no number of a scalar that matches {text} was logged; {instead}",
                {"tag": text, "logged": len(logged)},
                "Log the scalar, mend its name in the configuration, or leave the run out with --exclude.",
            )
