"""``audioloss formats``: every log format, what is taken for it, and an example."""

import typer

from audioloss_cli import registry
from audioloss_cli.cli._options import wrapped

EPILOG = "audioloss scan PATH --format NAME reads a file as one of them, whatever it looks like."


def command() -> int:
    """List the log formats: what each is, which files are taken for it, and an example."""
    for name in registry.names("readers"):
        title, claims, example = described(name)
        typer.echo(wrapped(f"{name}: {title}", hang="  "))
        typer.echo(wrapped(f"takes {claims}", "  ", "    "))
        typer.echo(wrapped(f"such as {example}", "  ", "    "))
    return 0


def described(name: str) -> tuple[str, str, str]:
    """Return what a reader is, which files it claims and an example, each in a line, without importing it."""
    parts = registry.docstring("readers", name).split("\n\n")
    named = {word: " ".join(part.split())[len(word) + 2 :] for part in parts for word in _heading(part)}
    return " ".join(parts[0].split()), named["Claims"], named["Example"]


def _heading(part: str) -> list[str]:
    return [word for word in ("Claims", "Example") if part.startswith(f"{word}: ")]
