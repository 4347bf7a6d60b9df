"""Variables of the environment that look like ours and are none: a mistyped one must not be ignored in silence."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from audioloss_cli.config.declared import variable_of
from audioloss_cli.config.errors import ConfigError
from audioloss_cli.config.scan_config import SETTINGS

_PREFIX = "AUDIOLOSS_"
_ALIKE = 0.75  # as difflib counts
#: Options that no variable sets.
_OPTIONS_ALONE = ("report", "output", "quiet", "verbose", "color", "write-baseline")


def refuse_misnamed(names: Iterable[str]) -> None:
    """Refuse a variable that is called nearly as one of ours; any other is somebody else's.

    Raises:
        ConfigError: there is one.
    """
    ours = variables()
    for name in sorted(names):
        if name.startswith(_PREFIX) and name not in ours:
            meant = _meant(name, ours)
            if meant:
                raise ConfigError(f"{name} is no variable of audioloss; did you mean {meant}?")
            if name in map(variable_of, _OPTIONS_ALONE):
                raise ConfigError(f"{name} is no variable of audioloss: only the command line says that; unset it")


def variables() -> list[str]:
    """All that are read for a command's options, in the order of the settings."""
    return [*(setting.variable for setting in SETTINGS.values() if setting.on_command_line), variable_of("config")]


def _meant(name: str, ours: Collection[str]) -> str:
    """The variable that it may stand for: spelt nearly so, called as the field in Python, or longer by a word."""
    by_field = {variable_of(field): setting.variable for field, setting in SETTINGS.items() if setting.on_command_line}
    if name in by_field:
        return by_field[name]
    longer = [each for each in ours if name.startswith(f"{each}_") or each.startswith(f"{name}_")]
    words = {each.removeprefix(_PREFIX): each for each in ours}
    close = get_close_matches(name.removeprefix(_PREFIX), words, n=1, cutoff=_ALIKE)
    return words[close[0]] if close else next(iter(longer), "")
