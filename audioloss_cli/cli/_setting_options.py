"""The options that the settings declare: whatever ``ScanConfig`` declares for the command line is one here."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import Field, fields
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin

import typer

from audioloss_cli import registry
from audioloss_cli.config.declared import Setting, setting_of
from audioloss_cli.config.scan_config import SETTINGS, ScanConfig

_Command = TypeVar("_Command", bound=Callable[..., int])
#: Fields that have an option, in the order of their declaration.
OF_SCAN = tuple(name for name, setting in SETTINGS.items() if setting.on_command_line)


def takes_settings(*names: str) -> Callable[[_Command], _Command]:
    """Give a command the options of these fields of ``ScanConfig``, before its option ``--config``.

    The command takes them as ``**settings``; ``given`` says which of them were set.
    """

    def with_options(command: _Command) -> _Command:
        signature = inspect.signature(command)
        own = [item for item in signature.parameters.values() if item.kind is not item.VAR_KEYWORD]
        place = next(index for index, item in enumerate(own) if item.name == "config")
        options = [_parameter(item) for item in fields(ScanConfig) if item.name in names]
        command.__signature__ = signature.replace(  # type: ignore[attr-defined]  # Typer asks for it
            parameters=[*own[:place], *options, *own[place:]]
        )
        return command

    return with_options


def given(context: typer.Context, names: Sequence[str] = OF_SCAN) -> tuple[dict[str, Any], dict[str, str]]:
    """Fields that the command line or the environment sets, and where each comes from: an option or a variable."""
    found = {name: context.params.get(_called(SETTINGS[name])) for name in names}
    found = {name: value for name, value in found.items() if value not in (None, (), [])}
    if found.get("all_losses") and "tags" in found and not _tags_win(context):
        del found["tags"]
    return found, {name: _place(context, SETTINGS[name]) for name in found}


def comes_from_environment(context: Any, parameter: str) -> bool:
    """Whether the value of a parameter was taken from its variable."""
    return "ENVIRONMENT" in str(context.get_parameter_source(parameter))


def _place(context: typer.Context, setting: Setting) -> str:
    return setting.variable if comes_from_environment(context, _called(setting)) else f"--{setting.key}"


def _tags_win(context: typer.Context) -> bool:
    """The two exclude each other: of one in the environment and one on the command line the latter counts."""
    sources = {name: str(context.get_parameter_source(name)) for name in ("tag", "all_losses")}
    if sources["tag"] == sources["all_losses"]:
        raise typer.BadParameter("--tag and --all-losses exclude each other: give one of them")
    return "ENVIRONMENT" not in sources["tag"]


def _called(setting: Setting) -> str:
    return setting.key.replace("-", "_")


def _parameter(item: "Field[Any]") -> inspect.Parameter:
    setting = setting_of(item)
    annotation = Annotated[_type(item.type), _option(setting, item)]  # type: ignore[valid-type]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD  # as those around it
    return inspect.Parameter(_called(setting), kind, default=None, annotation=annotation)


def _type(declared: Any) -> Any:
    """What Typer is to make of the option's value; None where it was not given."""
    if NoneType in get_args(declared):
        declared = next(each for each in get_args(declared) if each is not NoneType)
    return (list[str] if get_origin(declared) is tuple else declared) | None


def _option(setting: Setting, item: "Field[Any]") -> Any:
    """Named as the key; a switch has its opposite."""
    name = f"--{setting.key}/--no-{setting.key}" if item.type is bool else f"--{setting.key}"
    several, more = _takes_several(item), dict[str, Any]()
    if setting.metavar:
        more["metavar"] = setting.metavar
    if setting.plugins:
        more["autocompletion"] = completed_by(setting.plugins)
    if setting.plugins and several:
        more["callback"] = apart_at_commas
    return typer.Option(name, help=_help(setting, item), envvar=setting.variable, show_envvar=False, **more)


def _takes_several(item: "Field[Any]") -> bool:
    return any(get_origin(each) is tuple for each in (item.type, *get_args(item.type)))


def _help(setting: Setting, item: "Field[Any]") -> str:
    """The sentence with the default in it, and whether there may be several."""
    text, usual = setting.help, setting.usual or _usual(item.default)
    if setting.plugins and not _takes_several(item):
        text = f"{text.removesuffix('.')}: {', '.join(registry.names(setting.plugins))}."
    if _takes_several(item):
        return f"{text} Repeatable{', or with commas between them' if setting.plugins else ''}."
    return f"{text.removesuffix('.')} ({usual})." if usual else text


def _usual(default: Any) -> str:
    if default is True:
        return "yes"
    if default is None or default is False:
        return ""
    return f"{default:g}" if isinstance(default, float) else str(default)


def completed_by(folder: str) -> Callable[[str], list[str]]:
    """What a shell offers for an option that takes codes or names of plugins, several with commas between them."""

    def offered(incomplete: str) -> list[str]:
        before, comma, _ = incomplete.rpartition(",")
        names = registry.names(folder)
        return [before + comma + (registry.code_of(name) if folder == "rules" else name) for name in names]

    return offered


def apart_at_commas(values: Sequence[str] | None) -> list[str] | None:
    """``--select A,B`` as ``--select A --select B``; no code has a comma in it.

    Raises:
        typer.BadParameter: there is nothing between two commas.
    """
    if values is None:
        return None
    codes = [code.strip() for value in values for code in value.split(",")]
    if "" in codes:
        raise typer.BadParameter(f"{','.join(values)!r} has an empty code in it")
    return codes
