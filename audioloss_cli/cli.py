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
from audioloss_cli.screen import Screen

app = typer.Typer(
    name="audioloss",
    help="Audits the logs of audio language model training. Exit codes: 0 clean, 1 findings, 2 usage, 3 could not audit, 4 internal, 130 interrupted.",
    rich_markup_mode=None,  # rich help costs 0.15 s at every start
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
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
    except (ConfigError, registry.MissingDependencyError) as error:
        return _fail(str(error), INTERNAL if isinstance(error, registry.MissingDependencyError) else USAGE)
    except typer.TyperException as error:
        return _fail(f"{error.format_message()} (see audioloss --help)", USAGE)


def _fail(message: str, code: int) -> int:
    print(f"audioloss: error: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return code


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"audioloss {audioloss_cli.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None: ...


def _one_of(folder: str) -> Any:
    def check(value: str | None) -> str | None:
        if value is not None and value not in registry.names(folder):
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(registry.names(folder))}")
        return value

    return check


@app.command()
def scan(
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Log files, or directories to search for them.")],
    tag: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Audit the series that match this glob, or regular expression behind 're:'. Repeatable."),
    ] = None,
    all_losses: Annotated[bool, typer.Option("--all-losses", help="Audit every series with a loss in its name.")] = False,
    scale: Annotated[
        float | None,
        typer.Option(help="The logged loss is this many times the mean over codebooks: 8 for a sum over 8.", show_default="1"),
    ] = None,
    window: Annotated[int | None, typer.Option(help="Window in training steps.", show_default="100")] = None,
    threshold: Annotated[float | None, typer.Option(help="A loss below it is a warning.", show_default="0.01")] = None,
    critical_threshold: Annotated[float | None, typer.Option(help="A loss below it is critical.", show_default="0.005")] = None,
    fail_on: Annotated[
        Literal["warning", "critical", "never"] | None,
        typer.Option(help="Lowest severity that fails the audit.", show_default="warning"),
    ] = None,
    allow_defects: Annotated[bool, typer.Option("--allow-defects", help="A damaged log does not fail the audit.")] = False,
    format_: Annotated[
        str | None,
        typer.Option("--format", callback=_one_of("readers"), help=f"Read every PATH as: {', '.join(registry.names('readers'))}."),
    ] = None,
    report: Annotated[
        str, typer.Option(callback=_one_of("outputs"), help=f"Kind of report: {', '.join(registry.names('outputs'))}.")
    ] = "text",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the report to this file.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Configuration file.", show_default="audioloss.toml or pyproject.toml here or above")
    ] = None,
    jobs: Annotated[int | None, typer.Option(help="Processes; 0 decides by the amount of work.", show_default="0")] = None,
    quiet: Annotated[int, typer.Option("--quiet", "-q", count=True, help="The verdict alone.")] = 0,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Also show what is healthy.")] = 0,
    color: Annotated[bool | None, typer.Option("--color/--no-color", help="Colours, whatever the output is.")] = None,
) -> int:
    """Read training logs, replay their audio losses through the monitor, and report the incidents."""
    from audioloss_cli.audit import scan as audit  # noqa: PLC0415  # --help needs none of it

    given = {
        "tags": tuple(tag) if tag else None,
        "all_losses": all_losses or None,
        "scale": scale,
        "window_size": window,
        "threshold": threshold,
        "critical_threshold": critical_threshold,
        "fail_on": fail_on,
        "allow_defects": allow_defects or None,
        "format": format_,
        "jobs": jobs,
    }
    options = {name: value for name, value in given.items() if value is not None}
    settings = make_config(config or find_config(Path.cwd()), options)
    screen = Screen(report, output, verbosity=bool(verbose) - bool(quiet), color=color)
    with screen.progress() as progress:
        result = audit(paths, settings, progress)
    screen.show(result)
    return result.exit_code
