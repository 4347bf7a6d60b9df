"""``python -m audioloss_cli`` and the ``audioloss`` command: every way out has its exit code."""

import gc
import os
import signal
import sys
from typing import NoReturn

from audioloss_cli.model.exit_code import INTERNAL, INTERRUPTED

_OBJECTS = 1 << 16  # more than all imports leave behind


def main() -> None:
    """Run the command line and exit.

    Python's own exit code for a crash is 1, which here means "found something": whatever is not foreseen exits 4.
    """
    gc.set_threshold(_OBJECTS)  # imports leave no garbage: looking for it every 700 objects takes 5 ms of a start
    code: int | str | None
    signal.signal(signal.SIGTERM, _leave)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell: the exit code says it all
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    try:
        from audioloss_cli.cli import run  # noqa: PLC0415  # an import that fails must not exit 1 either

        code = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as way_out:  # Typer leaves with 1 when the reader of its help has gone away
        code = INTERNAL if way_out.code == 1 else way_out.code
    except BaseException as error:  # noqa: BLE001  # the last line of defence; some are no Exception
        if os.environ.get("AUDIOLOSS_TRACEBACK"):
            import traceback  # noqa: PLC0415

            traceback.print_exc()
        print(_apology(error), file=sys.stderr)  # noqa: T201
        code = INTERNAL
    gc.freeze()  # what is left goes with the process; to look through all of it for cycles first takes 10 ms
    sys.exit(code)


def _leave(number: int, frame: object) -> NoReturn:
    """By the door, so that processes are ended and files removed on the way; the code is a shell's for the signal."""
    raise SystemExit(128 + number)


def _apology(error: BaseException) -> str:
    text = " ".join(str(error).split())[:200]
    return (
        f"audioloss: internal error: {type(error).__name__}: {text}; nothing was concluded. "
        "Please report it with the output of the same command under AUDIOLOSS_TRACEBACK=1"
    )


if __name__ == "__main__":
    main()
