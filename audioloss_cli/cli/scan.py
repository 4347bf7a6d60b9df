"""``audioloss scan``: options in, a report out."""

import os
from contextlib import ExitStack
from typing import Annotated, Any

import typer

from audioloss_cli.cli import _gate_options as gates
from audioloss_cli.cli._options import (
    Color,
    Config,
    Output,
    Quiet,
    Report,
    Verbose,
    reports_for,
    screen_for,
    settings,
)
from audioloss_cli.cli._setting_options import OF_SCAN, given, takes_settings

EPILOG = (
    "The environment may set the options down to --config as AUDIOLOSS_<OPTION>, such as AUDIOLOSS_WINDOW=200. "
    "The command line beats the environment, which beats the configuration file."
)


@takes_settings(*OF_SCAN)
def command(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH",
            help="Log files, archives, or directories to search for them (this one); - for standard input.",
        ),
    ] = None,
    config: Config = None,
    write_baseline: gates.WriteBaseline = None,
    report: Report = None,
    output: Output = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the HTML report in a browser.")] = False,
    quiet: Quiet = 0,
    verbose: Verbose = 0,
    color: Color = "auto",
    **_settings: Any,
) -> int:
    """Read training logs, replay their audio losses through the monitor, report the incidents."""
    from audioloss_cli.audit import scan as audit  # noqa: PLC0415  # --help needs none of it

    # numpy's library for matrices would start a thread a core that spin for work; there are no matrices here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    file, chosen = settings(config, *given(context))
    judge = gates.judge_of(chosen, file, write_baseline)
    reports = reports_for(report, output)
    with ExitStack() as stack:
        if open_page:
            from audioloss_cli import browser  # noqa: PLC0415  # no other scan needs it

            reports = stack.enter_context(browser.shown(reports))
        screen = screen_for(reports, chosen.gate, quiet, verbose, color)
        with screen.progress() as progress:
            result = audit(
                paths or ["."],
                chosen,
                progress,
                config_file=str(file or ""),
                allow_missing=True,
                judge=judge,
                finished=screen.run,
            )
        screen.end(result)
        gates.write_baseline(write_baseline, result)
    return result.exit_code
