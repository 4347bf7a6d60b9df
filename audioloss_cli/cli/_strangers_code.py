"""What a probe runs is a stranger's code: its time, its output, its warnings and its exit are kept within bounds."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from audioloss_cli.model.exit_code import INTERNAL
from audioloss_cli.terminal import complain_at_once


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """End the process after ``seconds``, even where it is stuck in a kernel or a data loader.

    Raises:
        ConfigError: that is no span of time.
    """
    import threading  # noqa: PLC0415  # --help needs none of it

    from audioloss_cli.config import ConfigError  # noqa: PLC0415

    if not seconds >= 0:
        raise ConfigError(f"--timeout {seconds:g} is no span of time; give seconds, or 0 for no limit")
    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), _give_up, [seconds])
    timer.daemon = True
    if seconds > 0:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def kept_from_leaving() -> Iterator[None]:
    """The exit code is ours to give: a stranger's ``sys.exit(0)`` would say that all is well.

    Raises:
        EnvironmentalError: something that the probe ran tried to leave.
    """
    from audioloss_cli.probe.errors import EnvironmentalError  # noqa: PLC0415  # --help needs none of it

    try:
        yield
    except SystemExit as error:
        raise EnvironmentalError(
            f"the model or the data ended the process with sys.exit({error.code!r}); nothing was concluded: "
            "take the call out"
        ) from error


def _give_up(seconds: float) -> None:
    complain_at_once(f"the probe did not finish within --timeout {seconds:g} seconds; nothing was concluded")
    os._exit(INTERNAL)


@contextmanager
def quietly(verbose: int) -> Iterator[None]:
    """What a stranger's model or data set prints goes to stderr, and its warnings nowhere unless they are wanted."""
    import warnings  # noqa: PLC0415  # --help needs none of it

    with warnings.catch_warnings(), redirect_stdout(sys.stderr), _descriptor_to_stderr():
        if not verbose:
            warnings.simplefilter("ignore")
        yield


@contextmanager
def _descriptor_to_stderr() -> Iterator[None]:
    """For what is printed below Python, as by a child process."""
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # one of the two is closed
        yield
        return
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
