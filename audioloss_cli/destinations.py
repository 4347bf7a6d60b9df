"""Which reports are to be made, and where each goes: what ``--report`` and ``--output`` come to."""

import os
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from audioloss_cli import outputs
from audioloss_cli.config import ConfigError

_STANDARD_OUTPUT = "-"


class Destination(NamedTuple):
    """One report.

    Attributes:
        kind: name of the output.
        file: where it goes; None is standard output.
        option: that asked for it, for messages.
    """

    kind: str
    file: Path | None = None
    option: str = "--report"

    def __str__(self) -> str:
        return f"{self.option} {self.file or self.kind}"


def destinations(reports: Sequence[str], output: Path | None) -> list[Destination]:
    """Return the reports that are asked for; text goes to standard output if nothing else does.

    Args:
        reports: values of ``--report``: ``KIND``, ``KIND=FILE``, or ``FILE`` whose suffix tells the kind.
        output: value of ``--output``, where the report without a file goes instead of standard output.

    Raises:
        ConfigError: a kind that there is not, a suffix of no kind, a directory that is not there, two reports in one
            place.
    """
    asked = list(dict.fromkeys(_parsed(text) for text in reports))
    printed = [each for each in asked if each.file is None]
    if len(printed) > 1:
        first, second = printed[:2]
        raise ConfigError(
            f"--report {first.kind} and --report {second.kind} would both go to standard output; "
            f"write one to a file, such as --report {second.kind}=FILE"
        )
    if output is not None and str(output) != _STANDARD_OUTPUT:
        kind = printed[0].kind if printed else _kind_of(output)
        asked = [each for each in asked if each.file is not None]
        asked.insert(0, Destination(kind, output, "--output"))
    elif not printed:
        asked.insert(0, Destination("text"))
    _check_places(asked)
    return asked


def _parsed(text: str) -> Destination:
    kind, equals, file = text.partition("=")
    if kind in outputs.names() and (file or not equals):
        return Destination(kind, Path(file) if file not in ("", _STANDARD_OUTPUT) else None)
    told = outputs.kind_of_file(text)
    if told is not None:
        return Destination(told, Path(text))
    close = get_close_matches(kind, outputs.names(), n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    what = f"{kind!r}" if not equals or kind not in outputs.names() else f"{text!r}: {file!r}"
    raise ConfigError(
        f"--report: {what} is not one of {', '.join(outputs.names())}, nor a file with the suffix of one; "
        f"{hint}give KIND, KIND=FILE or FILE, such as x.json"
    )


def _kind_of(output: Path) -> str:
    """The kind that a file is written in when none is named: that of its suffix; text where there is no suffix."""
    told = outputs.kind_of_file(output.name)
    if told is None and output.suffix:
        raise ConfigError(
            f"--output {output}: {output.suffix} is the suffix of no kind of report; name the kind with "
            f"--report, one of {', '.join(outputs.names())}"
        )
    return told or "text"


def _check_places(asked: Sequence[Destination]) -> None:
    taken: dict[str, Destination] = {}
    for each in asked:
        if each.file is None:
            continue
        parent = each.file.absolute().parent
        if not os.path.isdir(parent):  # noqa: PTH112  # that of Path raises for a name that is too long
            raise ConfigError(f"{each}: there is no directory {parent}; make it first")
        place = os.path.realpath(each.file)
        if place in taken and (not os.path.exists(place) or os.path.isfile(place)):  # noqa: PTH110, PTH113
            raise ConfigError(f"{taken[place]} and {each} would be the same file; name another one")
        taken[place] = each
