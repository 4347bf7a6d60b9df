"""``audioloss diff A B``: what is different between two runs, two directories of runs or two reports."""

import os
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from audioloss_cli.cli._options import Config, settings
from audioloss_cli.cli._setting_options import given, takes_settings

if TYPE_CHECKING:
    from audioloss_cli.comparison import Comparison

EPILOG = (
    "Two single runs are compared whatever they are called; of several, those with the same name below A and B. A "
    "finding is the same if its fingerprint is, apart from the name of the run. Exit codes: 0 nothing in B is new or "
    "worse, 1 something is, at or above --fail-on, 2 usage, 3 a side could not be read in full."
)
_SETTINGS = (
    *("tags", "all_losses", "fail_on", "allow_defects", "allow_unread"),
    *("exclude", "format", "line_patterns"),
)
_WIDEST = 100  # columns of prose


@takes_settings(*_SETTINGS)
def command(
    context: typer.Context,
    a: Annotated[str, typer.Argument(metavar="A", help="A run, a directory of runs, or a report (JSON).")],
    b: Annotated[str, typer.Argument(metavar="B", help="What to compare it with.")],
    config: Config = None,
    report: Annotated[Literal["text", "json"], typer.Option("--report", help="Kind of report.")] = "text",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the report to this file.")] = None,
    **_settings: Any,
) -> int:
    """Compare two runs or two reports: where their losses part, what was found in one alone, settings that differ."""
    from audioloss_cli.comparison import SideError, compare, side_of  # noqa: PLC0415  # --help needs none of it
    from audioloss_cli.config import ConfigError  # noqa: PLC0415

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # see scan
    _, chosen = settings(config, *given(context, _SETTINGS))
    try:
        found = compare(side_of(a, chosen), side_of(b, chosen))
    except SideError as error:
        raise ConfigError(str(error)) from None
    if output is not None and output.exists() and any(output.samefile(file) for file in found.files if file.exists()):
        raise ConfigError(f"--output {output}: is one of the files that were compared; name another file")
    code = found.exit_code(chosen.gate)
    _write(_text(found, report, code), output)
    return code


def _text(found: "Comparison", report: str, code: int) -> str:
    from audioloss_cli.comparison import document, lines  # noqa: PLC0415
    from audioloss_cli.model import printable  # noqa: PLC0415
    from audioloss_cli.outputs._document import as_json  # noqa: PLC0415

    if report == "json":
        return as_json(document(found, code), ascii_only=True, indent=2) + "\n"
    return "".join(f"{part}\n" for line in lines(found, code) for part in _wrapped(printable(line)))


def _wrapped(line: str) -> list[str]:
    """The line as lines that can be read, each further one below the first; names are not broken."""
    hang = " " * (len(line) - len(line.lstrip(" ")) + 4)
    parts = wrap(line, _WIDEST, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)
    return parts or [""]


def _write(text: str, output: Path | None) -> None:
    from audioloss_cli import terminal  # noqa: PLC0415
    from audioloss_cli.output_file import write_file  # noqa: PLC0415

    if output is None:
        terminal.put(text)
        return
    try:
        write_file(output, text)
    except OSError as error:
        raise terminal.WriteError(f"cannot write the report to {output}: {error.strerror}") from None
