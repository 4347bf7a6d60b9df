"""The signals that end the process: how they are raised, and which one was."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_SOON = 0.05  # seconds
_caught: list[int] = []
_strangers = 0  # how many times ``at_once`` is entered


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; not the plain exception, for after one that passed through some imports Python ends itself by SIGINT."""


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
    sys.unraisablehook = _once_more


def let_go() -> None:
    """From here on a signal ends the process where it stands; its exit code is the shell's for that signal."""
    for number in _numbers():
        if signal.getsignal(number) is _leave:
            signal.signal(number, signal.SIG_DFL)


def as_usual() -> None:
    """For a script that we run: Ctrl-C is Python's own KeyboardInterrupt, any other signal what the system makes of it.

    A signal that whoever started the process ignores stays ignored.
    """
    let_go()
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def at_once() -> Iterator[None]:
    """While code that is not ours runs, a signal ends the process at once, with its children and its exit code.

    Torch ends in abort() if an exception comes while some of its libraries are imported, and a stranger's model may
    catch whatever is raised. Nothing of ours is to be cleared away then.
    """
    global _strangers  # noqa: PLW0603  # handlers of signals belong to the process, too
    _strangers += 1
    try:
        yield
    finally:
        _strangers -= 1


def exit_code() -> int:
    """128 and the number of the first signal, as a shell has it; 0 if there was none.

    An import or a library may have caught what was raised and raised something else, or nothing: this still tells.
    """
    return 128 + _caught[0] if _caught else 0


def _numbers() -> list[int]:
    return [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    _caught.append(number)
    if _strangers:
        _end_children()
        os._exit(128 + number)
    raise Interrupted if number == signal.SIGINT else Terminated(number)


def _end_children() -> None:
    multiprocessing = sys.modules.get("multiprocessing")
    for child in multiprocessing.active_children() if multiprocessing is not None else ():
        child.terminate()


def _once_more(found: "UnraisableHookArgs") -> None:
    """A finaliser lets nothing out: what came while it ran is raised again when it is done."""
    if not isinstance(found.exc_value, (Interrupted, Terminated)):
        sys.__unraisablehook__(found)
        return
    import threading  # noqa: PLC0415  # not at every start

    again = threading.Timer(_SOON, signal.raise_signal, [_caught[0]])
    again.daemon = True
    again.start()
