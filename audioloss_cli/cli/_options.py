"""Options that several commands share, and the settings behind them; a private module is no command."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audioloss_cli import registry

if TYPE_CHECKING:
    from audioloss_cli.config import ScanConfig
    from audioloss_cli.destinations import Destination
    from audioloss_cli.model import Gate
    from audioloss_cli.screen import Screen


def setting(name: str, text: str, **more: Any) -> Any:
    """An option that a configuration file or the environment (``AUDIOLOSS_<NAME>``) may set as well."""
    variable = "AUDIOLOSS_" + name.split("/", maxsplit=1)[0].removeprefix("--").upper().replace("-", "_")
    return typer.Option(name, help=text, envvar=variable, show_envvar=False, **more)


def one_of(folder: str) -> Any:
    """A callback that refuses what is no plugin of a folder."""

    def check(value: str | None) -> str | None:
        if value is not None and value not in registry.names(folder):
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(registry.names(folder))}")
        return value

    return check


def choice(folder: str) -> str:
    """The plugins of a folder, in words."""
    return " or ".join(registry.names(folder))


Config = Annotated[
    Path | None,
    setting("--config", "Configuration file (audioloss.toml or [tool.audioloss] of pyproject.toml, here or above)."),
]
Report = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        help=f"Kind of report ({choice('outputs')}), to standard output or a file; x.json alone is json=x.json. "
        "Repeatable.",
        metavar="KIND[=FILE]",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="Write the report to this file, in the kind of its suffix, and the verdict to stderr."
    ),
]
Quiet = Annotated[
    int, typer.Option("--quiet", "-q", count=True, help="The broken runs and the verdict alone.", show_default=False)
]
Verbose = Annotated[
    int, typer.Option("--verbose", "-v", count=True, help="Show what is healthy too.", show_default=False)
]
Color = Annotated[bool | None, typer.Option("--color/--no-color", help="Colours, whatever the output is.")]


def screen_for(
    reports: "Sequence[Destination]",
    gate: "Gate",
    quiet: int,
    verbose: int,
    color: bool | None,
) -> "Screen":
    """Where the reports go."""
    from audioloss_cli.screen import Screen  # noqa: PLC0415  # --help needs none of it

    return Screen(reports, gate, verbosity=bool(verbose) - bool(quiet), color=color)


def reports_for(report: list[str] | None, output: Path | None) -> "list[Destination]":
    """What ``--report`` and ``--output`` ask for.

    Raises:
        ConfigError: they make no sense.
    """
    from audioloss_cli.destinations import destinations  # noqa: PLC0415  # --help needs none of it

    return destinations(report or [], output)


def with_page(reports: "list[Destination]") -> "list[Destination]":
    """The same reports, with an HTML page in a temporary file where none of them is one in a file."""
    from audioloss_cli.browser import with_page  # noqa: PLC0415  # --help needs none of it

    return with_page(reports)


def show_page(reports: "Sequence[Destination]") -> None:
    """Open the HTML page among the reports in a browser."""
    from audioloss_cli.browser import show  # noqa: PLC0415  # --help needs none of it

    show(reports)


def settings(config: Path | None, given: Mapping[str, Any]) -> "tuple[Path | None, ScanConfig]":
    """The configuration file, if there is one, and the settings of it and of the command line.

    Raises:
        ConfigError: they make no sense.
    """
    from audioloss_cli.config import ConfigError, find_config, make_config  # noqa: PLC0415  # --help needs none of it

    file = config or find_config(Path.cwd())
    chosen = make_config(file, given, defaults={"jobs": 0})
    check_rules(chosen, lambda key: f"--{key}" if key in given or not file else f"{file}: {key}")
    if chosen.format not in (None, *registry.names("readers")):
        raise ConfigError(f"{file}: format {chosen.format!r} is not one of {', '.join(registry.names('readers'))}")
    return file, chosen


def check_rules(config: "ScanConfig", where: Callable[[str], str]) -> None:
    """Refuse rules and options that there are not; ``where`` says where a key was set.

    Raises:
        ConfigError: there is one.
    """
    from audioloss_cli.audit.settings import AuditSettings  # noqa: PLC0415  # --help needs none of it
    from audioloss_cli.config import ConfigError  # noqa: PLC0415
    from audioloss_cli.model import SettingError  # noqa: PLC0415

    try:
        AuditSettings(config)
    except SettingError as error:
        raise ConfigError(f"{where(error.field)} {error.complaint}") from None
