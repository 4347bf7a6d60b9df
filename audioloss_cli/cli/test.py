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
    quiet: Quiet = 0,
    verbose: Verbose = 0,
) -> int:
    """Run unit tests for alerting: made-up series, and the alerts that they must raise."""
    from audioloss_cli.alert_tests.difference import lines_of  # noqa: PLC0415  # --help needs none of it
    from audioloss_cli.alert_tests.file import read_tests  # noqa: PLC0415
    from audioloss_cli.alert_tests.run import run_test  # noqa: PLC0415
    from audioloss_cli.terminal import put  # noqa: PLC0415

    tests = [test for file in files for test in read_tests(file, config)]
    results = [run_test(test) for test in tests]
    lines = [line for result in results for line in lines_of(result, verbose=verbose > quiet)]
    failed = sum(not result.passed for result in results)
    verdict = (
        f"{'FAIL' if failed else 'PASS'} (exit {int(failed > 0)}): {len(results) - failed} passed, {failed} failed"
    )
    put("\n".join([*([] if quiet > verbose else lines), verdict, ""]))
    return FINDINGS if failed else CLEAN
