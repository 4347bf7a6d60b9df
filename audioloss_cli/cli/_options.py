"""Options that several commands share, and the settings behind them; a private module is no command."""

import os
import shutil
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from audioloss_cli import registry
from audioloss_cli.config.declared import variable_of

if TYPE_CHECKING:
    from audioloss_cli.config import ScanConfig
    from audioloss_cli.destinations import Destination
    from audioloss_cli.model import Gate
    from audioloss_cli.screen import Screen


WIDEST = 100  # columns of prose, however wide the terminal is


def wrapped(text: str, indent: str = "", hang: str = "") -> str:
    """A paragraph in the columns there are, at most ``WIDEST``; ``hang`` is put before all lines but the first."""
    width = min(shutil.get_terminal_size().columns, WIDEST)
    lines = textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=hang, break_on_hyphens=False, break_long_words=False
    )
    return "\n".join(lines)


def choice(folder: str) -> str:
    """The plugins of a folder, in words."""
    return " or ".join(registry.names(folder))


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Configuration file (audioloss.toml or [tool.audioloss] of pyproject.toml, here or above).",
        envvar=variable_of("config"),
        show_envvar=False,
    ),
]
Report = Annotated[
    list[str] | None,
    typer.Option(
        "--report",
        help=f"Kind of report ({choice('outputs')}), to standard output or a file; x.json alone is json=x.json. "
        "Repeatable.",
        metavar="KIND[=FILE]",
        autocompletion=lambda: list(registry.names("outputs")),
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
Color = Annotated[
    Literal["auto", "always", "never"],
    typer.Option("--color", help="Colours: on a terminal, always (as --color alone) or never (as --no-color)."),
]


def screen_for(
    reports: "Sequence[Destination]",
    gate: "Gate",
    quiet: int,
    verbose: int,
    color: str,
) -> "Screen":
    """Where the reports go."""
    from audioloss_cli.screen import Screen  # noqa: PLC0415  # --help needs none of it

    chosen = {"always": True, "never": False}.get(color)
    return Screen(reports, gate, verbosity=bool(verbose) - bool(quiet), color=chosen)


def reports_for(report: list[str] | None, output: Path | None) -> "list[Destination]":
    """What ``--report`` and ``--output`` ask for.

    Raises:
        ConfigError: they make no sense.
    """
    from audioloss_cli.destinations import destinations  # noqa: PLC0415  # --help needs none of it

    return destinations(report or [], output)


def settings(
    config: Path | None, given: Mapping[str, Any], places: Mapping[str, str] | None = None
) -> "tuple[Path | None, ScanConfig]":
    """The configuration file, if there is one, and the settings of it and of the command line.

    Args:
        config: the file that was named; else the nearest one counts.
        given: fields that the command line or the environment sets.
        places: where each of them comes from, for messages.

    Raises:
        ConfigError: they make no sense, or a variable of the environment is called nearly as one of ours.
    """
    from audioloss_cli.config import ConfigError, find_config, make_config  # noqa: PLC0415  # --help needs none of it
    from audioloss_cli.config.environment import refuse_misnamed  # noqa: PLC0415
    from audioloss_cli.config.files import place_of  # noqa: PLC0415

    refuse_misnamed(os.environ)
    file = config or find_config(Path.cwd())
    chosen = make_config(file, given, defaults={"jobs": 0}, places=places)
    check_rules(chosen, lambda field: place_of(field, file, given, places))
    if chosen.format not in (None, *registry.names("readers")):
        place = place_of("format", file, given, places)
        raise ConfigError(f"{place} {chosen.format!r} is not one of {', '.join(registry.names('readers'))}")
    return file, chosen


def check_rules(config: "ScanConfig", where: Callable[[str], str]) -> None:
    """Refuse rules and options that there are not; ``where`` says where a field was set.

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
