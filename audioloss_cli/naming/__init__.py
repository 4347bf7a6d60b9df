"""What a tag is, decided once: its words, its role, whether it is held out. Nobody else keeps a pattern over tags."""

from audioloss_cli.naming.pattern import TagPattern
from audioloss_cli.naming.roles import Role, Tag, classify

__all__ = ["Role", "Tag", "TagPattern", "classify"]
