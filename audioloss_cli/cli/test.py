"""``audioloss test``: test files in, a verdict a test out."""

from pathlib import Path
from typing import Annotated

import typer

from audioloss_cli.cli._options import Quiet, Verbose
from audioloss_cli.model.exit_code import CLEAN, FINDINGS

EPILOG = (
    "A FILE is TOML with one [[test]] or more: a name, [test.series] from tag to points such as "
    "'6.9-0.01x400 0.004x50 _x10' (N points each; _ is a step without one), and alerts, the list of all that must be "
    "raised: [] for none. Settings come from [config] and [test.config], and from --config below them; neither the "
    "environment nor a configuration file that is not named counts. Exit codes: 0 as expected, 1 not, 2 broken file."
)


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Test files.")],
    config: Annotated[Path | None, typer.Option(help="Configuration file to test, such as audioloss.toml.")] = None,
    run: Annotated[
        list[str] | None, typer.Option("--run", help="Run only tests of this name or glob. Repeatable.", metavar="NAME")
    ] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Say which loss rules the tests exercise.")] = False,
    report: Annotated[
        list[str] | None,
        typer.Option(
            "--report", help="text or junit, to standard output or a file. Repeatable.", metavar="KIND[=FILE]"
        ),
    ] = None,
    quiet: Quiet = 0,
    verbose: Verbose = 0,
) -> int:
    """Run unit tests for alerting: made-up series, and the alerts that they must raise."""
    from audioloss_cli.alert_tests.file import named, read_tests  # noqa: PLC0415  # --help needs none of it
    from audioloss_cli.alert_tests.report import check_reports, write_reports  # noqa: PLC0415
    from audioloss_cli.alert_tests.run import run_test  # noqa: PLC0415
    from audioloss_cli.destinations import destinations  # noqa: PLC0415

    reports = destinations(report or [], None)
    check_reports(reports, [*files, *([config] if config else [])])
    tests = named([test for file in files for test in read_tests(file, config)], run or [])
    results = [run_test(test) for test in tests]
    write_reports(results, reports, verbosity=verbose - quiet, with_coverage=coverage)
    return CLEAN if all(result.passed for result in results) else FINDINGS
