"""The documentation of the codes that a report names: rules, findings, policies, checks and causes."""

from audioloss_cli import registry
from audioloss_cli.model import RuleText

#: Folders of plugins whose names are codes.
FOLDERS = ("rules", "runs.findings", "findings.policies", "probe.checks", "checkpoints.checks", "causes")


def folder_of(code: str) -> str | None:
    """Return the folder of the plugin of a code; None if no plugin has this code."""
    return next((folder for folder in FOLDERS if code.replace("-", "_") in registry.names(folder)), None)


def documentation(code: str) -> RuleText | None:
    """Return what the plugin of a code says of itself; None if no plugin has this code."""
    name, folder = code.replace("-", "_"), folder_of(code)
    return RuleText.parse(registry.docstring(folder, name), name) if folder else None
