"""The signals that end the process: how they are raised, and which one was."""

import signal
from types import FrameType
from typing import NoReturn

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_caught: list[int] = []


class Terminated(BaseException):
    """A signal other than Ctrl-C ends the process.

    It is no SystemExit: that is what a stranger's model raises with ``sys.exit()``, and the probe takes it for such.
    """


def heed() -> None:
    """Raise the signals in the main thread, so that children are ended and files removed on the way out.

    A signal that whoever started the process ignores (``nohup``) stays ignored.
    """
    for number in _numbers():
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _leave)


def let_go() -> None:
    """From here on a signal ends the process where it stands; its exit code is the shell's for that signal."""
    for number in _numbers():
        if signal.getsignal(number) is _leave:
            signal.signal(number, signal.SIG_DFL)


def exit_code() -> int:
    """128 and the number of the first signal, as a shell has it; 0 if there was none.

    An import or a library may have caught what was raised and raised something else, or nothing: this still tells.
    """
    return 128 + _caught[0] if _caught else 0


def _numbers() -> list[int]:
    return [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    _caught.append(number)
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)
