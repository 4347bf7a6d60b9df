"""``audioloss rule CODE``: what a code means, why it matters, and what to do."""

from difflib import get_close_matches
from typing import Annotated

import typer

from audioloss_cli.cli._catalogue import Entry, catalogue, codes
from audioloss_cli.cli._options import wrapped

EPILOG = "audioloss rules lists all codes."


def command(
    code: Annotated[
        str,
        typer.Argument(metavar="CODE", help="Such as critical-loss or no-shift.", autocompletion=lambda: list(codes())),
    ],
) -> int:
    """Explain one code."""
    entries = list(catalogue())
    found = [entry for entry in entries if entry.code == code.lower().replace("_", "-")]
    if not found:
        close = get_close_matches(code, [entry.code for entry in entries], n=1)
        hint = f"did you mean {close[0]!r}?" if close else "audioloss rules lists all codes"
        raise typer.BadParameter(f"{code!r} is no code; {hint}")
    typer.echo("\n\n".join(_page(entry) for entry in found))
    return 0


def _options(entry: Entry) -> list[str]:
    """What a configuration may set of a loss rule, and what it is otherwise."""
    if entry.folder != "rules":
        return []
    from audioloss_cli.monitor.ruleset import options_of  # noqa: PLC0415  # the other pages need no monitor

    options = options_of(entry.code.replace("-", "_"))
    listed = ", ".join(f"{name} = {default:g}" for name, default in options.items())
    return [f"Options: [rules.{entry.code}] {listed}"] if options else []


def _page(entry: Entry) -> str:
    text = entry.text
    parts = [f"What: {text.what}", f"Why: {text.why}", f"Fix: {text.fix}", *_options(entry)]
    return "\n\n".join([f"{entry.code} ({entry.kind}): {text.title}", *(wrapped(part) for part in parts)])
