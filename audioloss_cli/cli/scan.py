"""``audioloss scan``: options in, a report out."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from audioloss_cli.cli._options import (
    choice,
    color_option,
    config_option,
    fail_on_option,
    one_of,
    output_option,
    quiet_option,
    report_option,
    setting,
    settings,
    verbose_option,
)
from audioloss_cli.screen import Screen

EPILOG = (
    "The environment may set the options down to --config as AUDIOLOSS_<OPTION>, such as AUDIOLOSS_WINDOW=200. "
    "The command line beats the environment, which beats the configuration file."
)


def _tags_beside_all_losses(context: typer.Context, tag: list[str]) -> list[str] | None:
    """The two exclude each other: of one in the environment and one on the command line the latter counts."""
    sources = {name: str(context.get_parameter_source(name)) for name in ("tag", "all_losses")}
    if sources["tag"] == sources["all_losses"]:
        raise typer.BadParameter("--tag and --all-losses exclude each other: give one of them")
    return None if "ENVIRONMENT" in sources["tag"] else tag


def command(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Log files, or directories to search for them.")],
    tag: Annotated[
        list[str] | None,
        setting(
            "--tag",
            "Audit the series that match this glob, or regular expression behind 're:'. Repeatable.",
            metavar="PATTERN",
        ),
    ] = None,
    all_losses: Annotated[
        bool | None,
        setting("--all-losses/--no-all-losses", "Audit every series with a loss in its name.", show_default=False),
    ] = None,
    scale: Annotated[
        float | None, setting("--scale", "The logged loss is this many times the mean over codebooks (1).")
    ] = None,
    window: Annotated[int | None, setting("--window", "Window in training steps (100).")] = None,
    threshold: Annotated[float | None, setting("--threshold", "A loss below it is a warning (0.01).")] = None,
    critical_threshold: Annotated[
        float | None, setting("--critical-threshold", "A loss below it is critical (0.005).")
    ] = None,
    adaptive: Annotated[
        bool | None,
        setting("--adaptive/--no-adaptive", "Compare each loss with its own past, too (yes).", show_default=False),
    ] = None,
    kind: Annotated[
        Literal["auto", "ce", "small", "rl"] | None,
        setting("--kind", "Kind of the losses: cross entropy, small by nature, or of a policy (auto)."),
    ] = None,
    select: Annotated[
        list[str] | None,
        setting("--select", "Ask only the loss rule of this code. Repeatable.", metavar="CODE"),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        setting("--ignore", "Do not ask the loss rule of this code. Repeatable.", metavar="CODE"),
    ] = None,
    fail_on: Annotated[Literal["warning", "critical", "never"] | None, fail_on_option()] = None,
    allow_defects: Annotated[
        bool | None,
        setting("--allow-defects/--no-allow-defects", "A damaged log does not fail the audit.", show_default=False),
    ] = None,
    format_: Annotated[
        str | None,
        setting("--format", f"Read every PATH as {choice('readers')}.", callback=one_of("readers")),
    ] = None,
    checksum: Annotated[
        bool | None,
        setting("--checksum/--no-checksum", "Verify the checksums of event files (yes).", show_default=False),
    ] = None,
    jobs: Annotated[int | None, setting("--jobs", "Processes; 0 decides by the amount of work (0).")] = None,
    config: Annotated[Path | None, config_option()] = None,
    report: Annotated[str, report_option()] = "text",
    output: Annotated[Path | None, output_option()] = None,
    quiet: Annotated[int, quiet_option()] = 0,
    verbose: Annotated[int, verbose_option()] = 0,
    color: Annotated[bool | None, color_option()] = None,
) -> int:
    """Read training logs, replay their audio losses through the monitor, report the incidents."""
    from audioloss_cli.audit import scan as audit  # noqa: PLC0415  # --help needs none of it

    if all_losses and tag:
        tag = _tags_beside_all_losses(context, tag)
    options = {
        "tags": tuple(tag) if tag else None,
        "all_losses": all_losses,
        "scale": scale,
        "window_size": window,
        "threshold": threshold,
        "critical_threshold": critical_threshold,
        "adaptive": adaptive,
        "kind": kind,
        "select": tuple(select) if select else None,
        "ignore": tuple(ignore) if ignore else None,
        "fail_on": fail_on,
        "allow_defects": allow_defects,
        "format": format_,
        "checksum": checksum,
        "jobs": jobs,
    }
    given = {name: value for name, value in options.items() if value is not None}
    file, chosen = settings(config, given)
    screen = Screen(report, output, verbosity=bool(verbose) - bool(quiet), color=color)
    with screen.progress() as progress:
        result = audit(paths, chosen, progress)
    result.config_file = str(file or "")
    screen.show(result)
    return result.exit_code
