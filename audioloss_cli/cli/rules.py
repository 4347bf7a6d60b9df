"""``audioloss rules``: every code, in a line each."""

import typer

from audioloss_cli.cli._catalogue import KINDS, catalogue
from audioloss_cli.cli._options import wrapped

EPILOG = "audioloss rule CODE explains one of them."


def command() -> int:
    """List the codes of loss rules, probe checks and root causes."""
    entries = list(catalogue())
    width = max(len(entry.code) for entry in entries)
    for kind in KINDS.values():
        typer.echo(f"{kind}s")
        for entry in entries:
            if entry.kind == kind:
                typer.echo(wrapped(entry.text.title, f"  {entry.code:<{width}}  ", " " * (width + 4)))
    return 0
