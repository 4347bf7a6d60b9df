"""The command line: each command is a module here with a function ``command`` and an ``EPILOG``."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import audioloss_cli
from audioloss_cli import registry
from audioloss_cli.config import ConfigError
from audioloss_cli.probe.errors import ProbeError
from audioloss_cli.records.report import INTERNAL, INTERRUPTED, USAGE
from audioloss_cli.screen import WriteError

app = typer.Typer(
    name="audioloss",
    help="Audits the logs and checkpoints of audio language model training. Exit codes: 0 clean, 1 findings at or "
    "above the gate, 2 usage, 3 could not audit, 4 internal error, 130 interrupted.",
    rich_markup_mode=None,  # rich help costs 0.15 s at every start
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Raises:
        Exception: anything that is not the user's doing.
    """
    try:
        return int(app(list(arguments), prog_name="audioloss", standalone_mode=False) or 0)
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:
        return _fail(f"{error.format_message()} (see audioloss --help)", USAGE)
    except ConfigError as error:
        return _fail(str(error), USAGE)
    except ProbeError as error:
        return _fail(str(error), error.exit_code)
    except (registry.MissingDependencyError, WriteError) as error:
        return _fail(str(error), INTERNAL)


def _fail(message: str, code: int) -> int:
    print(f"audioloss: error: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return code


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"audioloss {audioloss_cli.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


for _name in registry.names("cli"):
    _module = registry.load("cli", _name)
    app.command(name=registry.code_of(_name), epilog=_module.EPILOG)(_module.command)
