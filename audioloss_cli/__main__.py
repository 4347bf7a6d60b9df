"""``python -m audioloss_cli`` and the ``audioloss`` command: every way out has its exit code."""

import os
import sys

from audioloss_cli.records.report import INTERNAL, INTERRUPTED


def main() -> None:
    """Run the command line and exit.

    Python's own exit code for a crash is 1, which here means "found something": whatever is not foreseen exits 4.
    """
    try:
        from audioloss_cli.cli import run  # noqa: PLC0415  # an import that fails must not exit 1 either

        code = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has seen enough (``| head``). Nothing can be said about the verdict any more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = INTERNAL
    except Exception as error:  # noqa: BLE001  # the last line of defence
        if os.environ.get("AUDIOLOSS_TRACEBACK"):
            raise
        print(_apology(error), file=sys.stderr)  # noqa: T201
        code = INTERNAL
    sys.exit(code)


def _apology(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    return (
        f"audioloss: internal error: {type(error).__name__}: {text}; nothing was concluded. "
        "Please report it with the output of the same command under AUDIOLOSS_TRACEBACK=1"
    )


if __name__ == "__main__":
    main()
