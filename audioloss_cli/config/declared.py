"""How a setting is declared: what its key, its variable and its option are called, and what it may be."""

from dataclasses import Field, field, fields
from typing import Any, NamedTuple

_PREFIX = "AUDIOLOSS_"


class Setting(NamedTuple):
    """One setting, beside its type and its default, which stand in the dataclass.

    Attributes:
        key: its name in the file, and with two hyphens before it that of its option.
        help: a sentence.
        what: what it must be, in words; empty where whoever takes it checks it.
        metavar: what the option's value is called, where its type does not tell.
        usual: the default in words, where a value alone would not tell.
        least: the lowest number that makes sense.
        plugins: folder of the plugins that it names, if it names any.
        is_place: it is a file or a directory, seen from where the configuration file lies.
        on_command_line: there is an option and a variable for it.
        by_series: ``[[overrides]]`` may set it for some runs or tags.
    """

    key: str
    help: str
    what: str = ""
    metavar: str = ""
    usual: str = ""
    least: float | None = None
    plugins: str = ""
    is_place: bool = False
    on_command_line: bool = True
    by_series: bool = False

    @property
    def variable(self) -> str:
        """Of the environment."""
        return variable_of(self.key)


def declare(default: Any, key: str, text: str, **more: Any) -> Any:
    """A field of a dataclass with its ``Setting``; a default that is a dict is copied for each instance."""
    metadata = {"setting": Setting(key, text, **more)}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


def settings_of(declared: Any) -> dict[str, Setting]:
    """The settings of a dataclass by its fields, in the order of their declaration."""
    return {item.name: setting_of(item) for item in fields(declared)}


def setting_of(item: "Field[Any]") -> Setting:
    """The setting that a field declares."""
    found: Setting = item.metadata["setting"]
    return found


def variable_of(key: str) -> str:
    """The variable of the environment for a key: ``AUDIOLOSS_FAIL_ON`` for ``fail-on``."""
    return _PREFIX + key.upper().replace("-", "_")
