"""``audioloss scan``: options in, a report out."""

import os
from typing import Annotated, Any

import typer

from audioloss_cli.cli import _gate_options as gates
from audioloss_cli.cli import _scan_options as scans
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
    show_page,
    with_page,
)

EPILOG = (
    "The environment may set the options down to --config as AUDIOLOSS_<OPTION>, such as AUDIOLOSS_WINDOW=200. "
    "The command line beats the environment, which beats the configuration file."
)


def _given(context: typer.Context) -> dict[str, Any]:
    """Fields of ``ScanConfig`` that the command line or the environment sets; options are called as the keys are."""
    from audioloss_cli.config import FIELDS  # noqa: PLC0415  # --help needs none of it

    named = {field: context.params.get(key.replace("-", "_")) for key, field in FIELDS.items()}
    given = {field: value for field, value in named.items() if value not in (None, (), [])}
    if given.get("all_losses") and "tags" in given and not _tags_win(context):
        del given["tags"]
    return given


def _tags_win(context: typer.Context) -> bool:
    """The two exclude each other: of one in the environment and one on the command line the latter counts."""
    sources = {name: str(context.get_parameter_source(name)) for name in ("tag", "all_losses")}
    if sources["tag"] == sources["all_losses"]:
        raise typer.BadParameter("--tag and --all-losses exclude each other: give one of them")
    return "ENVIRONMENT" not in sources["tag"]


def command(
    context: typer.Context,
    paths: scans.Paths,
    tag: scans.Tag = None,
    all_losses: scans.AllLosses = None,
    scale: scans.Scale = None,
    window: scans.Window = None,
    threshold: scans.Threshold = None,
    critical_threshold: scans.CriticalThreshold = None,
    adaptive: scans.Adaptive = None,
    kind: scans.Kind = None,
    select: scans.Select = None,
    ignore: scans.Ignore = None,
    fail_on: gates.FailOn = None,
    max_incidents: gates.MaxIncidents = None,
    require_tag: gates.RequireTag = None,
    min_steps: gates.MinSteps = None,
    baseline: gates.Baseline = None,
    fail_on_stale_suppressions: gates.FailOnStaleSuppressions = None,
    exit_zero: gates.ExitZero = None,
    allow_defects: scans.AllowDefects = None,
    allow_unread: scans.AllowUnread = None,
    exclude: scans.Exclude = None,
    format: scans.Format = None,  # noqa: A002  # named as its key
    pattern: scans.Pattern = None,
    checksum: scans.Checksum = None,
    jobs: scans.Jobs = None,
    cache: scans.Cache = None,
    config: Config = None,
    write_baseline: gates.WriteBaseline = None,
    report: Report = None,
    output: Output = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the HTML report in a browser.")] = False,
    quiet: Quiet = 0,
    verbose: Verbose = 0,
    color: Color = None,
) -> int:
    """Read training logs, replay their audio losses through the monitor, report the incidents."""
    from audioloss_cli.audit import scan as audit  # noqa: PLC0415  # --help needs none of it

    # numpy's library for matrices would start a thread a core that spin for work; there are no matrices here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    file, chosen = settings(config, _given(context))
    judge = gates.judge_of(chosen, file, write_baseline)
    reports = with_page(reports_for(report, output)) if open_page else reports_for(report, output)
    screen = screen_for(reports, chosen.gate, quiet, verbose, color)
    with screen.progress() as progress:
        result = audit(paths, chosen, progress, config_file=str(file or ""), judge=judge, finished=screen.run)
    screen.end(result)
    gates.write_baseline(write_baseline, result)
    if open_page:
        show_page(reports)
    return result.exit_code
