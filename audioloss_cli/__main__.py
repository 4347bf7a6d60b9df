"""``python -m audioloss_cli`` and the ``audioloss`` command: every way out has its exit code."""

import gc
import os
import sys

from audioloss_cli import collector, signals, terminal
from audioloss_cli.model.exit_code import INTERNAL, INTERRUPTED


def main() -> None:
    """Run the command line and exit.

    Python's own exit code for a crash is 1, which here means "found something": whatever is not foreseen exits 4.
    """
    collector.seldom()
    code = INTERNAL
    try:
        try:
            signals.heed()
            code = _run()
        finally:  # a signal while the way out is told would be a crash of its own
            signals.let_go()
    except BaseException as error:  # noqa: BLE001  # the last line of defence; some are no Exception
        code = _explained(error)
    terminal.close_streams(drop=bool(signals.exit_code()))
    gc.freeze()  # what is left goes with the process; to look through all of it for cycles first takes 10 ms
    sys.exit(signals.exit_code() or code)


def _run() -> int:
    terminal.open_streams()
    from audioloss_cli.cli import execute  # noqa: PLC0415  # an import that fails must not exit 1 either

    return execute(sys.argv[1:])


def _explained(error: BaseException) -> int:
    """The exit code of what was raised; whatever nobody foresaw is told on standard error."""
    if signals.exit_code() or isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, SystemExit) and error.code in (None, 0):  # Typer's completion of a shell
        return 0
    if os.environ.get("AUDIOLOSS_TRACEBACK"):
        import traceback  # noqa: PLC0415

        terminal.tell("".join(traceback.format_exception(error)))
    terminal.complain(_apology(error))
    return INTERNAL


def _apology(error: BaseException) -> str:
    return (
        f"internal error: {type(error).__name__}: {terminal.words_of(error)[:200]}; nothing was concluded. "
        "Please report it with the output of the same command under AUDIOLOSS_TRACEBACK=1"
    )


if __name__ == "__main__":
    main()
