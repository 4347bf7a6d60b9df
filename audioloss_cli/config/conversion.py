"""Values of a configuration as their declared types, by msgspec."""

from typing import Annotated, Any

import msgspec

from audioloss_cli.config.declared import Setting
from audioloss_cli.model.limits import SettingError


def converted(name: str, setting: Setting, declared: Any, value: Any) -> Any:
    """The value of a setting; a list becomes a tuple where that is declared.

    Raises:
        SettingError: it does not fit.
    """
    try:
        return msgspec.convert(value, bounded(setting, declared))
    except (msgspec.ValidationError, TypeError, ValueError, RecursionError):
        raise SettingError(name, f"must be {setting.what}, not {_shown(value)}") from None


def bounded(setting: Setting, declared: Any) -> Any:
    """The type of a setting with what else it must be, for msgspec."""
    if setting.least is not None:
        return Annotated[declared, msgspec.Meta(ge=setting.least)]
    if setting.is_place:
        return Annotated[str, msgspec.Meta(min_length=1)] | None
    return declared


def _shown(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:  # an int of more digits than Python prints
        return "a number of thousands of digits"
