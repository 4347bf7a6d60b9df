"""Every code that a report may hold, with its documentation; nothing is imported for it."""

from collections.abc import Iterator
from typing import NamedTuple

from audioloss_cli import registry
from audioloss_cli.model import RuleText

#: Folder of plugins -> what one of them is called.
KINDS = {
    "rules": "loss rule",
    "runs.findings": "finding about a run",
    "findings.policies": "policy of the gate",
    "probe.checks": "probe check",
    "checkpoints.checks": "checkpoint check",
    "causes": "root cause",
}


class Entry(NamedTuple):
    """One code."""

    code: str
    kind: str
    folder: str
    text: RuleText


def codes() -> list[str]:
    """Every code, once."""
    return list(dict.fromkeys(registry.code_of(name) for folder in KINDS for name in registry.names(folder)))


def catalogue() -> Iterator[Entry]:
    """Loss rules, findings about a run, policies of the gate, probe checks and root causes, each by code."""
    for folder, kind in KINDS.items():
        for name in registry.names(folder):
            yield Entry(registry.code_of(name), kind, folder, RuleText.parse(registry.docstring(folder, name), name))
