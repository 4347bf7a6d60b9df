"""``audioloss plot``: the curves of runs in the terminal."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audioloss_cli.cli import _scan_options as scans
from audioloss_cli.cli._options import Color, Config, reports_for, screen_for, settings

if TYPE_CHECKING:
    from audioloss_cli.model import RunReport

EPILOG = (
    "One chart a tag, with up to eight runs over each other: ! under a critical incident, w under a warning, k and s "
    "under a known and a suppressed one, x where values are no numbers. Exit codes are those of a scan."
)


def command(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Log files, archives, or directories of them.")],
    tag: scans.Tag = None,
    all_losses: scans.AllLosses = None,
    kind: scans.Kind = None,
    exclude: scans.Exclude = None,
    format: scans.Format = None,  # noqa: A002  # named as its key
    pattern: scans.Pattern = None,
    config: Config = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the charts to this file.")] = None,
    color: Color = None,
) -> int:
    """Draw the losses of runs over each other, with axes and the stretches in which something was found."""
    from audioloss_cli.audit import scan as audit  # noqa: PLC0415  # --help needs none of it

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # see scan
    named = {
        "tags": tag,
        "all_losses": all_losses,
        "kind": kind,
        "exclude": exclude,
        "format": format,
        "line_patterns": pattern,
    }
    file, chosen = settings(config, {key: value for key, value in named.items() if value not in (None, (), [])})
    screen = screen_for(reports_for(["plot"], output), chosen.gate, 0, 0, color)

    def draw(run: "RunReport") -> None:
        screen.run(run)
        for item in run.series:
            item.series = None  # its chart is made; the points of many runs would fill the memory

    with screen.progress() as progress:
        result = audit(paths, chosen, progress, points=True, config_file=str(file or ""), finished=draw)
    screen.end(result)
    return result.exit_code
