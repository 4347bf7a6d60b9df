"""The door to standard output and standard error: what strangers wrote is escaped, and a place that is full is known.

Tags, paths, names of tensors and texts of exceptions are a stranger's bytes. ``open_streams`` puts a stream over each
of the two that lets no control character through, whoever writes to it: a command, Typer, a warning, a model.
"""

import io
import os
import re
import sys
from contextlib import suppress
from select import select
from typing import Any, TextIO

from audioloss_cli.model.view import printable, shortened

_OUT, _ERR = 1, 2
_UNUSUAL = re.compile(r"[^\n\r\t -~]")  # most text has none: then nothing is looked at one by one
_STYLE = re.compile(r"(\x1b\[[\d;]*m)")


class WriteError(RuntimeError):
    """A report could not be written; the message names the place and the reason."""


class _Descriptor(io.FileIO):
    """A standard stream that fails at most once: what nobody takes is dropped, or the flush at exit fails again.

    Attributes:
        vital: whether a failure is raised. On standard error none is: the exit code says it all. Nor is a reader of
            standard output who has seen enough (``| head``) a failure.
        lost: nobody takes anything any more.
    """

    def __init__(self, number: int, *, vital: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self.vital = vital
        self.lost = False

    def write(self, data: Any) -> int:
        """As of a file.

        Raises:
            WriteError: the place is full, or is none to write to.
        """
        try:
            while not self.lost:
                written = super().write(data)
                if written is not None:
                    return written
                select([], [self], [])  # somebody else has told it not to block
        except OSError as error:
            self.lost = True
            if self.vital and not isinstance(error, BrokenPipeError):
                raise WriteError(f"cannot write to standard output: {error.strerror}") from None
        return len(data)


class _Door(io.TextIOWrapper):
    """Text without control characters but for newline, tab and carriage return, as progress bars need it."""

    def write(self, text: str) -> int:
        return super().write(_UNUSUAL.sub(lambda found: printable(found[0]), text))


def open_streams() -> None:
    """Put the door over both streams, and the null device where the shell has closed one (``>&-``).

    The number of a closed stream would be given to the next file that is opened.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it gets the lowest number that is free
    sys.stdout = sys.__stdout__ = _opened(sys.stdout, _OUT)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _opened(sys.stderr, _ERR)  # type: ignore[misc]


def give_back_streams() -> None:
    """Let a script write what it likes, colours and control characters included, as if Python had started it."""
    for name in ("stdout", "stderr"):
        door = getattr(sys, name)
        if isinstance(door, _Door):
            door.flush()
            plain = open(  # noqa: SIM115  # a descriptor, for as long as the process lives
                door.fileno(),
                "w",
                encoding=door.encoding,
                errors="backslashreplace" if name == "stderr" else "strict",
                buffering=1 if door.line_buffering else -1,
                closefd=False,
            )
            setattr(sys, name, plain)
            setattr(sys, f"__{name}__", plain)


def close_streams(*, drop: bool) -> None:
    """The report is out: what a stranger's code prints at exit goes to standard error, and no failure counts.

    The same holds for what a library in C has kept in a buffer of its own.

    Args:
        drop: whether to leave what has not been written yet, which may have to wait for its reader.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, _Door):
            raw: _Descriptor = stream.buffer.raw  # type: ignore[attr-defined]
            raw.vital, raw.lost = False, raw.lost or drop
        with suppress(OSError, ValueError):
            stream.flush()
    if isinstance(sys.stdout, _Door):
        with suppress(OSError):
            os.dup2(_ERR, _OUT)


def put(text: str, *, styled: bool = False) -> None:
    """Write lines to standard output.

    Args:
        text: each line ends in a newline.
        styled: ANSI codes of colours are ours, and stay.

    Raises:
        WriteError: it cannot be written to.
    """
    parts = _STYLE.split(text) if styled else [text]
    clean = "".join(part if index % 2 else _lines(part) for index, part in enumerate(parts))
    encoding = sys.stdout.encoding or "ascii"
    stream = unescaped(sys.stdout)
    stream.write(clean.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def tell(text: str) -> None:
    """Write lines to standard error, where nobody may be: the exit code says it all."""
    with suppress(OSError, ValueError):
        sys.stderr.write(_lines(text))
        sys.stderr.flush()


def complain(message: str) -> None:
    """Say on standard error, in one line, what went wrong."""
    tell(_complaint(message))


def complain_at_once(message: str) -> None:
    """The same from any thread, past the locks of the streams, and not at all where it would have to wait."""
    with suppress(OSError, ValueError):
        if select([], [_ERR], [], 0)[1]:
            os.write(_ERR, _complaint(message).encode("utf-8", "backslashreplace"))


def unescaped(stream: TextIO) -> TextIO:
    """A way past the door, for what draws a progress bar and has escaped all that is a stranger's."""
    return _Unescaped(stream) if isinstance(stream, _Door) else stream  # type: ignore[return-value]


def words_of(error: BaseException) -> str:
    """What an exception says; one of a stranger's may be unable to say it."""
    try:
        return " ".join(str(error).split())
    except Exception:  # noqa: BLE001  # whatever its __str__ raises
        return ""


class _Unescaped:
    def __init__(self, door: _Door) -> None:
        self._door = door

    def write(self, text: str) -> int:
        return io.TextIOWrapper.write(self._door, text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._door, name)


def _opened(stream: Any, number: int) -> Any:
    """The stream with the door before it; one that is no plain file descriptor (a console of Windows) as it is."""
    buffer = getattr(stream, "buffer", None)
    raw = getattr(buffer, "raw", buffer)
    if stream is not None and (type(raw) is not io.FileIO or raw.fileno() != number):
        return stream
    return _Door(
        io.BufferedWriter(_Descriptor(number, vital=number == _OUT)),
        encoding=getattr(stream, "encoding", "utf-8"),
        errors="backslashreplace",
        line_buffering=number == _ERR or os.isatty(number),
    )


def _complaint(message: str) -> str:
    return f"audioloss: error: {shortened(printable(' '.join(message.split())))}\n"


def _lines(text: str) -> str:
    return "\n".join(line if line.isprintable() else printable(line) for line in text.split("\n"))
