"""Which scalars of a run an audit looks at; readers leave out the points of all others."""

from collections.abc import Callable
from functools import cache

from audioloss_cli.config import ScanConfig
from audioloss_cli.naming.selection import full_name, has_loss
from audioloss_cli.runs.companions import stands_beside
from audioloss_cli.signatures import looks_at


def wanted(directory: str, config: ScanConfig) -> Callable[[str], bool]:
    """Whether the points of a tag may be needed: to be audited, to stand beside, or as a sign of the cause.

    Args:
        directory: name of the directory that the tag is logged in, see ``full_name``.
        config: what is to be audited.
    """
    patterns = config.patterns

    @cache
    def needed(tag: str) -> bool:
        name = full_name(tag, directory)
        asked_for = any(pattern.matches(tag) for pattern in patterns)
        return asked_for or has_loss(name) or stands_beside(name) or looks_at(tag)

    return needed
