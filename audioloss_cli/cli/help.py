"""``audioloss help``: the help of a command, for whoever types it in this order."""

from typing import Annotated

import typer

from audioloss_cli import registry

EPILOG = "audioloss COMMAND --help prints the same."


def command(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="COMMAND",
            help="Such as scan; else all commands are listed.",
            autocompletion=lambda: list(registry.names("cli")),
        ),
    ] = None,
) -> int:
    """Print the help of a command."""
    root = context.find_root()
    if name is None:
        typer.echo(root.get_help())
        return 0
    _, found, _ = root.command.resolve_command(root, [name])  # type: ignore[attr-defined]  # it is our Group
    with found.context_class(found, info_name=name, parent=root) as asked:
        typer.echo(found.get_help(asked))
    return 0
