"""Which scalars of a run an audit looks at; readers leave out the points of all others."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from audioloss_cli.naming import TagPattern, classify
from audioloss_cli.naming.selection import full_name


def wanted(directory: str, patterns: Sequence[TagPattern]) -> Callable[[str], bool]:
    """Whether the points of a tag may be needed: to be audited, to stand beside, or as a sign of the cause.

    Args:
        directory: name of the directory that the tag is logged in, see ``full_name``.
        patterns: of the tags that are asked for, whatever their names say.
    """

    @lru_cache(maxsize=1 << 12)
    def needed(tag: str) -> bool:
        return classify(full_name(tag, directory)).matters or any(pattern.matches(tag) for pattern in patterns)

    return needed
