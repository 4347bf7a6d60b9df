"""The options that decide what counts at the gate, and what is known already; scan and probe share some of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from audioloss_cli.cli._options import setting

if TYPE_CHECKING:
    from audioloss_cli.config import ScanConfig
    from audioloss_cli.findings import Judge
    from audioloss_cli.model import Report

# Those that a probe has as well, by their fields of ``ScanConfig``.
_OF_PROBE = ("fail_on", "exit_zero", "baseline", "fail_on_stale_suppressions")

FailOn = Annotated[
    Literal["warning", "critical", "never"] | None,
    setting("--fail-on", "Lowest severity that fails the audit (warning)."),
]
MaxIncidents = Annotated[
    int | None, setting("--max-incidents", "So many incidents that would fail the audit pass (0).", metavar="N")
]
RequireTag = Annotated[
    list[str] | None,
    setting(
        "--require-tag", "A run without a number of a scalar that matches this glob fails. Repeatable.", metavar="GLOB"
    ),
]
MinSteps = Annotated[
    int | None, setting("--min-steps", "A run that ended before so many training steps fails (0).", metavar="N")
]
Baseline = Annotated[
    str | None,
    setting("--baseline", "What stands in this file is known and fails nothing, unless it got worse.", metavar="FILE"),
]
FailOnStaleSuppressions = Annotated[
    bool | None,
    setting(
        "--fail-on-stale-suppressions/--no-fail-on-stale-suppressions",
        "A suppression that has expired or matches nothing fails the audit.",
        show_default=False,
    ),
]
ExitZero = Annotated[
    bool | None,
    setting("--exit-zero/--no-exit-zero", "Exit with 0 whatever was found.", show_default=False),
]
WriteBaseline = Annotated[
    Path | None,
    typer.Option("--write-baseline", help="Write what was found to this file, as known from now on.", metavar="FILE"),
]


def given_to_probe(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of ``ScanConfig`` that the options of a probe set."""
    return {name: params[name] for name in _OF_PROBE if params[name] is not None}


def judge_of(config: "ScanConfig", config_file: Path | None, write_to: Path | None) -> "Judge":
    """Return what tells found from known; whatever is wrong with the files it needs is said before anything is audited.

    Raises:
        ConfigError: the baseline is none; or the file to write holds something else, or lies in no directory.
    """
    from audioloss_cli.findings.judge import judge_of as made_of  # noqa: PLC0415  # --help needs none of it

    if write_to is not None:
        from audioloss_cli.config import ConfigError  # noqa: PLC0415
        from audioloss_cli.findings.baseline import refuse_other_file  # noqa: PLC0415

        if not write_to.absolute().parent.is_dir():
            place = write_to.absolute().parent
            raise ConfigError(f"--write-baseline {write_to}: there is no directory {place}; make it first")
        refuse_other_file(write_to)
    return made_of(config, str(config_file or ""))


def write_baseline(file: Path | None, report: "Report") -> None:
    """Write the baseline, if one was asked for, and tell how much stands in it.

    Raises:
        WriteError: it cannot be written.
    """
    if file is None:
        return
    from audioloss_cli.findings import baseline  # noqa: PLC0415  # --help needs none of it
    from audioloss_cli.terminal import WriteError, tell  # noqa: PLC0415

    try:
        count = baseline.write_baseline(file, report)
    except OSError as error:
        raise WriteError(f"cannot write the baseline to {file}: {error.strerror}") from None
    tell(f"{count:,} known findings in {file}; --baseline {file} lets them pass\n")
