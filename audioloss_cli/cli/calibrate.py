"""``audioloss calibrate``: healthy runs in, a configuration file out under which they stay silent."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audioloss_cli.cli._options import Config, settings
from audioloss_cli.cli._setting_options import given, takes_settings
from audioloss_cli.model.exit_code import CLEAN, FINDINGS, NOT_AUDITED

if TYPE_CHECKING:
    from audioloss_cli.calibration import Calibration, CheckedRun

EPILOG = (
    "What is audited comes from the options and from the configuration file, as for a scan; its thresholds and options "
    "of rules are measured anew. --check takes all that follows up to the next option. Exit codes: 0 the healthy runs "
    "are silent and each bad one is found, 1 a run that cannot be called healthy, or a bad one that passes, 2 usage, "
    "3 a log that could not be audited."
)

# What decides which losses are measured; their thresholds and the options of rules are what it finds.
_SETTINGS = (
    *("window_size", "scale", "tags", "all_losses", "fail_on", "allow_defects", "allow_unread"),
    *("exclude", "format", "line_patterns"),
)


@takes_settings(*_SETTINGS)
def command(
    context: typer.Context,
    good: Annotated[list[str], typer.Argument(metavar="GOOD_RUN", help="Healthy runs: files, archives, directories.")],
    check: Annotated[
        list[str] | None,
        typer.Option("--check", help="Bad runs: show what the settings still find in them.", metavar="BAD_RUN..."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the configuration to this file (standard output).")
    ] = None,
    config: Config = None,
    **_settings: Any,
) -> int:
    """Measure healthy runs, and write thresholds, kinds and options of rules under which they stay silent."""
    from audioloss_cli import calibration  # noqa: PLC0415  # --help needs none of it

    _, chosen = settings(config, *given(context, _SETTINGS))
    found = calibration.calibrate(good, calibration.starting_point(chosen))
    complaints = calibration.complaints_of(found)
    if complaints:
        _tell([*complaints, "no settings were written"])
        return FINDINGS if found.unhealthy else NOT_AUDITED
    _write(found, output)
    return _verdict(found, calibration.check_runs(check, found.config) if check else [])


def _write(found: "Calibration", output: Path | None) -> None:
    from audioloss_cli import terminal  # noqa: PLC0415
    from audioloss_cli.calibration import toml_of  # noqa: PLC0415
    from audioloss_cli.output_file import write_file  # noqa: PLC0415

    if output is None:
        terminal.put(toml_of(found))
        return
    try:
        write_file(output, toml_of(found))
    except OSError as error:
        raise terminal.WriteError(f"cannot write the settings to {output}: {error.strerror}") from None


def _verdict(found: "Calibration", checked: "list[CheckedRun]") -> int:
    lines = [f"healthy: {len(found.report.runs)} silent under these settings"]
    lines += [f"loosened: {line}" for line in found.loosened]
    lines += [f"{'found' if run.found else 'PASSES'}: {run.run}: {'; '.join(run.found) or run.why}" for run in checked]
    missed = [run for run in checked if not run.found]
    if checked:
        lines.append(f"bad: {len(checked) - len(missed)} of {len(checked)} found")
    _tell(lines)
    if any(run.why for run in missed):
        return NOT_AUDITED
    return FINDINGS if missed else CLEAN


def _tell(lines: "list[str]") -> None:
    from audioloss_cli import terminal  # noqa: PLC0415
    from audioloss_cli.model import printable  # noqa: PLC0415

    terminal.tell("".join(f"{printable(line)}\n" for line in lines))
