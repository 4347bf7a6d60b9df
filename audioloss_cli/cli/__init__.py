"""The command line: each command is a module here with a function ``command`` and an ``EPILOG``.

Where the values behind an argument are not options of ours, it has ``CONTEXT`` too: Typer's ``context_settings``.
"""

from collections.abc import Sequence
from functools import cache
from typing import Annotated

import typer

import audioloss_cli
from audioloss_cli import registry, signals, terminal
from audioloss_cli.cli._coercion import Command, Group
from audioloss_cli.cli._options import WIDEST
from audioloss_cli.model.exit_code import INTERNAL, USAGE

EXAMPLES = """\b
Examples:
  audioloss scan                                  every log under this directory
  audioloss scan runs/ --fail-on critical         a gate for CI
  audioloss probe --ckpt CKPT --data my.mod:make  why the audio loss is near zero
  audioloss run train.py --output_dir out         a training with the guard in it
  audioloss rule critical-loss                    what a code means, what to do
  audioloss help scan                             the options of a command
"""


def execute(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Without an argument it prints the help. That is a usage error (2): a script with empty variables audited nothing.

    Raises:
        Exception: anything that is not the user's doing.
    """
    if not arguments:
        execute(["--help"])
        return USAGE
    try:
        app = app_for(arguments)
        return int(app(list(arguments), prog_name="audioloss", standalone_mode=False) or 0)
    except typer.Abort as error:  # nothing here asks anybody: Typer makes one of any EOFError
        raise error.__cause__ or error from None
    except typer.TyperException as error:
        return _fail(f"{error.format_message()} (see audioloss --help)", USAGE)
    except Exception as error:
        code = _foreseen(error)
        if code is None:
            raise
        return _fail(str(error), code)


def _foreseen(error: Exception) -> int | None:
    """The exit code of an error that its message explains; None of any other."""
    from audioloss_cli.config import ConfigError  # noqa: PLC0415  # a start that goes well needs none of them
    from audioloss_cli.probe.errors import ProbeError  # noqa: PLC0415
    from audioloss_cli.storage.spill_file import SpillError  # noqa: PLC0415

    if isinstance(error, ProbeError):
        return error.exit_code
    if isinstance(error, (registry.MissingDependencyError, SpillError, terminal.WriteError)):
        return INTERNAL
    return USAGE if isinstance(error, ConfigError) else None


def _fail(message: str, code: int) -> int:
    if not signals.exit_code():  # else an import that was cut short, or the like
        terminal.complain(message)
    return code


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"audioloss {audioloss_cli.__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


def app_for(arguments: Sequence[str]) -> typer.Typer:
    """Return the app with the one command that the arguments call, or with all where they name none.

    The modules of the others, with all their options, would be a third of a start.
    """
    known = {registry.code_of(name): name for name in registry.names("cli")}
    called = known.get(next((each for each in arguments if not each.startswith("-")), ""))
    if called in (None, "help") and list(arguments) not in (["--version"], ["-V"]):
        return _app(tuple(known.values()))  # ``help COMMAND`` asks for any of them
    return _app((called or "help",))


@cache
def _app(names: tuple[str, ...]) -> typer.Typer:
    app = typer.Typer(
        name="audioloss",
        cls=Group,
        help="Audits the logs and checkpoints of audio language model training. Exit codes: 0 clean, 1 findings at or "
        "above the gate, 2 usage, 3 could not audit, 4 internal error, 130 interrupted.",
        epilog=EXAMPLES,
        rich_markup_mode=None,  # rich help costs 0.15 s at every start
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
    )
    app.callback()(_root)
    for name in names:
        module = registry.load("cli", name)
        context = getattr(module, "CONTEXT", None)
        app.command(name=registry.code_of(name), epilog=module.EPILOG, cls=Command, context_settings=context)(
            module.command
        )
    return app
