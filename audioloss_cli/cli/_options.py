"""Options that several commands share, and the settings behind them; a private module is no command."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import typer

from audioloss_cli import registry
from audioloss_cli.config import ConfigError, ScanConfig, find_config, make_config
from audioloss_cli.records import SettingError


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


def settings(config: Path | None, given: Mapping[str, Any]) -> tuple[Path | None, ScanConfig]:
    """The configuration file, if there is one, and the settings of it and of the command line.

    Raises:
        ConfigError: they make no sense.
    """
    file = config or find_config(Path.cwd())
    chosen = make_config(file, given, defaults={"jobs": 0})
    check_rules(chosen, lambda key: f"--{key}" if key in given or not file else f"{file}: {key}")
    if chosen.format not in (None, *registry.names("readers")):
        raise ConfigError(f"{file}: format {chosen.format!r} is not one of {', '.join(registry.names('readers'))}")
    return file, chosen


def check_rules(config: ScanConfig, where: Callable[[str], str]) -> None:
    """Refuse rules and options that there are not; ``where`` says where a key was set.

    Raises:
        ConfigError: there is one.
    """
    from audioloss_cli.audit.choice import choice_of  # noqa: PLC0415  # --help needs none of it

    try:
        choice_of(config)
    except SettingError as error:
        raise ConfigError(f"{where(error.field)} {error.complaint}") from None


def fail_on_option() -> Any:
    """``--fail-on``."""
    return setting("--fail-on", "Lowest severity that fails the audit (warning).")


def config_option() -> Any:
    """``--config``."""
    return setting(
        "--config", "Configuration file (audioloss.toml or [tool.audioloss] of pyproject.toml, here or above)."
    )


def report_option() -> Any:
    """``--report``."""
    return typer.Option("--report", help=f"Kind of report, {choice('outputs')}.", callback=one_of("outputs"))


def output_option() -> Any:
    """``--output``."""
    return typer.Option("--output", "-o", help="Write the report to this file, the verdict to stderr.")


def quiet_option() -> Any:
    """``--quiet``."""
    return typer.Option("--quiet", "-q", count=True, help="The verdict alone.", show_default=False)


def verbose_option() -> Any:
    """``--verbose``."""
    return typer.Option("--verbose", "-v", count=True, help="Show what is healthy too.", show_default=False)


def color_option() -> Any:
    """``--color/--no-color``."""
    return typer.Option("--color/--no-color", help="Colours, whatever the output is.")
