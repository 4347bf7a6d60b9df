"""What stops a probe before it has anything to report; each carries the exit code that says whose doing it is."""

from typing import ClassVar

from audioloss_cli.model.exit_code import INTERNAL, NOT_AUDITED, USAGE


class ProbeError(Exception):
    """The probe cannot go on; the message is one line that names the place and the remedy."""

    exit_code: ClassVar[int] = NOT_AUDITED


class UsageError(ProbeError):
    """The command asks for something that makes no sense."""

    exit_code = USAGE


class UnreadableError(ProbeError):
    """A checkpoint or its data is not what it should be."""


class EnvironmentalError(ProbeError):
    """The machine lacks something: a device, memory, a package."""

    exit_code = INTERNAL
