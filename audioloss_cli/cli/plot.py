"""``audioloss plot``: the curves of runs in the terminal."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audioloss_cli.cli._options import Color, Config, reports_for, screen_for, settings
from audioloss_cli.cli._setting_options import given, takes_settings

if TYPE_CHECKING:
    from audioloss_cli.model import RunReport

EPILOG = (
    "One chart a tag, with up to eight runs over each other: ! under a critical incident, w under a warning, k and s "
    "under a known and a suppressed one, x where values are no numbers. Exit codes are those of a scan."
)
_SETTINGS = ("tags", "all_losses", "kind", "exclude", "format", "line_patterns")


@takes_settings(*_SETTINGS)
def command(
    context: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Log files, archives, or directories to search for them (this one)."),
    ] = None,
    config: Config = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the charts to this file.")] = None,
    color: Color = "auto",
    **_settings: Any,
) -> int:
    """Draw the losses of runs over each other, with axes and the stretches in which something was found."""
    from audioloss_cli.audit import scan as audit  # noqa: PLC0415  # --help needs none of it

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # see scan
    file, chosen = settings(config, *given(context, _SETTINGS))
    screen = screen_for(reports_for(["plot"], output), chosen.gate, 0, 0, color)

    def draw(run: "RunReport") -> None:
        screen.run(run)
        for item in run.series:
            item.series = None  # its chart is made; the points of many runs would fill the memory

    with screen.progress() as progress:
        result = audit(
            paths or ["."],
            chosen,
            progress,
            points=True,
            config_file=str(file or ""),
            allow_missing=True,
            finished=draw,
        )
    screen.end(result)
    return result.exit_code
