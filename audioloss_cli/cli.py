"""The command line: options in, a report out, an exit code."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import audioloss_cli
from audioloss_cli import registry
from audioloss_cli.config import ConfigError, find_config, make_config
from audioloss_cli.records.report import INTERNAL, INTERRUPTED, USAGE
from audioloss_cli.screen import Screen, WriteError

app = typer.Typer(
    name="audioloss",
    help="Audits the logs of audio language model training. Exit codes: 0 clean, 1 findings at or above the gate, "
    "2 usage, 3 could not audit, 4 internal error, 130 interrupted.",
    rich_markup_mode=None,  # rich help costs 0.15 s at every start
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Raises:
        Exception: anything that is not the user's doing.
    """
    try:
        return int(app(list(arguments), prog_name="audioloss", standalone_mode=False) or 0)
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:
        return _fail(f"{error.format_message()} (see audioloss --help)", USAGE)
    except ConfigError as error:
        return _fail(str(error), USAGE)
    except (registry.MissingDependencyError, WriteError) as error:
        return _fail(str(error), INTERNAL)


def _fail(message: str, code: int) -> int:
    print(f"audioloss: error: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return code


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"audioloss {audioloss_cli.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


def _one_of(folder: str) -> Any:
    def check(value: str | None) -> str | None:
        if value is not None and value not in registry.names(folder):
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(registry.names(folder))}")
        return value

    return check


def _setting(name: str, text: str, **more: Any) -> Any:
    """An option that a configuration file or the environment (``AUDIOLOSS_<NAME>``) may set as well."""
    variable = "AUDIOLOSS_" + name.split("/", maxsplit=1)[0].removeprefix("--").upper().replace("-", "_")
    return typer.Option(name, help=text, envvar=variable, show_envvar=False, **more)


def _from_environment(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "ENVIRONMENT"


def _choice(folder: str) -> str:
    return " or ".join(registry.names(folder))


@app.command(
    epilog="The environment may set the options down to --config as AUDIOLOSS_<OPTION>, such as AUDIOLOSS_WINDOW=200. "
    "The command line beats the environment, which beats the configuration file.",
)
def scan(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Log files, or directories to search for them.")],
    tag: Annotated[
        list[str] | None,
        _setting(
            "--tag",
            "Audit the series that match this glob, or regular expression behind 're:'. Repeatable.",
            metavar="PATTERN",
        ),
    ] = None,
    all_losses: Annotated[
        bool | None,
        _setting("--all-losses/--no-all-losses", "Audit every series with a loss in its name.", show_default=False),
    ] = None,
    scale: Annotated[
        float | None, _setting("--scale", "The logged loss is this many times the mean over codebooks (1).")
    ] = None,
    window: Annotated[int | None, _setting("--window", "Window in training steps (100).")] = None,
    threshold: Annotated[float | None, _setting("--threshold", "A loss below it is a warning (0.01).")] = None,
    critical_threshold: Annotated[
        float | None, _setting("--critical-threshold", "A loss below it is critical (0.005).")
    ] = None,
    fail_on: Annotated[
        Literal["warning", "critical", "never"] | None,
        _setting("--fail-on", "Lowest severity that fails the audit (warning)."),
    ] = None,
    allow_defects: Annotated[
        bool | None,
        _setting("--allow-defects/--no-allow-defects", "A damaged log does not fail the audit.", show_default=False),
    ] = None,
    format_: Annotated[
        str | None,
        _setting("--format", f"Read every PATH as {_choice('readers')}.", callback=_one_of("readers")),
    ] = None,
    jobs: Annotated[int | None, _setting("--jobs", "Processes; 0 decides by the amount of work (0).")] = None,
    config: Annotated[
        Path | None,
        _setting(
            "--config", "Configuration file (audioloss.toml or [tool.audioloss] of pyproject.toml, here or above)."
        ),
    ] = None,
    report: Annotated[
        str,
        typer.Option(help=f"Kind of report, {_choice('outputs')}.", callback=_one_of("outputs")),
    ] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report to this file, the verdict to stderr.")
    ] = None,
    quiet: Annotated[int, typer.Option("--quiet", "-q", count=True, help="The verdict alone.", show_default=False)] = 0,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="Show what is healthy too.", show_default=False)
    ] = 0,
    color: Annotated[bool | None, typer.Option("--color/--no-color", help="Colours, whatever the output is.")] = None,
) -> int:
    """Read training logs, replay their audio losses through the monitor, report the incidents."""
    from audioloss_cli.audit import scan as audit  # noqa: PLC0415  # --help needs none of it

    if all_losses and _from_environment(context, "tag") and not _from_environment(context, "all_losses"):
        tag = None  # the two exclude each other, and the command line beats the environment
    options = {
        "tags": tuple(tag) if tag else None,
        "all_losses": all_losses,
        "scale": scale,
        "window_size": window,
        "threshold": threshold,
        "critical_threshold": critical_threshold,
        "fail_on": fail_on,
        "allow_defects": allow_defects,
        "format": format_,
        "jobs": jobs,
    }
    given = {name: value for name, value in options.items() if value is not None}
    file = config or find_config(Path.cwd())
    settings = make_config(file, given, defaults={"jobs": 0})
    if settings.format not in (None, *registry.names("readers")):
        raise ConfigError(f"{file}: format {settings.format!r} is not one of {', '.join(registry.names('readers'))}")
    screen = Screen(report, output, verbosity=bool(verbose) - bool(quiet), color=color)
    with screen.progress() as progress:
        result = audit(paths, settings, progress)
    result.config_file = str(file or "")
    screen.show(result)
    return result.exit_code
