"""Commands whose values go through Typer's machinery only where there is something to convert or to refuse.

Typer (0.29) hands every value to pydantic, even one that was not given, and importing pydantic costs more than all
else at the start. A text where text is asked for, or nothing at all, needs no conversion, and a number of a few digits
or the path of a file is read here. Where Typer is of another make than this module knows, its own way is taken, only
later.
"""

import os
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

COLOURS = ("auto", "always", "never")
_DIGITS = 15  # of a number that is read here
_UNCUT = 1000  # characters of a command's first sentence


class Command(TyperCommand):
    """A command of ``audioloss``.

    An option whose metavar ends in ``...`` takes all values up to the next option, not only the first.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As Typer's, after the values of such options were given one by one."""
        greedy = {
            name
            for parameter in self.params
            if (getattr(parameter, "metavar", None) or "").endswith("...")
            for name in parameter.opts
            if name.startswith("-")
        }
        if any("--color" in parameter.opts for parameter in self.params):
            args = list(_with_a_colour(args))
        return super().parse_args(ctx, list(_one_by_one(args, greedy)) if greedy else args)

    def get_params(self, ctx: Any) -> Any:
        """As Typer's, with the shorter way."""
        return [_shortened(parameter) for parameter in super().get_params(ctx)]


class Group(TyperGroup):
    """``audioloss`` itself."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """As Typer's, but that no text is cut: it goes on in the next line."""
        named = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(_UNCUT)) for name, command in named if command])

    def get_params(self, ctx: Any) -> Any:
        """As Typer's, with the shorter way."""
        return [_shortened(parameter) for parameter in super().get_params(ctx)]


def _with_a_colour(args: Sequence[str]) -> Iterator[str]:
    """``--color`` alone means always, as of ``ls``, and ``--no-color`` never: a PATH behind it stays one."""
    rest = list(args)
    for index, arg in enumerate(rest):
        if arg == "--":
            yield from rest[index:]
            return
        if arg == "--color" and [*rest, ""][index + 1] not in COLOURS:
            yield "--color=always"
        else:
            yield "--color=never" if arg == "--no-color" else arg


def _one_by_one(args: Sequence[str], greedy: AbstractSet[str]) -> Iterator[str]:
    """``--check a b`` as ``--check a --check b``; ``--`` ends that, as it ends all options."""
    option, taken, rest = "", False, iter(args)
    for arg in rest:
        if arg == "--":
            yield arg
            yield from rest
        elif arg.startswith("-") and arg != "-":
            option = arg.partition("=")[0] if arg.partition("=")[0] in greedy else ""
            taken = "=" in arg
            yield arg
        elif option and taken:
            yield from (option, arg)
        else:
            taken = True
            yield arg


def _shortened(parameter: Any) -> Any:
    if hasattr(parameter, "type_descriptor") and "process_value" not in vars(parameter):
        parameter.process_value = partial(_process, parameter, parameter.process_value)
    return parameter


def _process(parameter: Any, convert: Any, context: Any, value: Any) -> Any:
    """What the command is given for a value of the command line, the environment or the default."""
    several = parameter.multiple or parameter.nargs == -1
    if value is None and not parameter.required:
        value = () if several else None
        return value if parameter.callback is None else parameter.callback(context, parameter, value)
    value = _read(parameter.type_descriptor, value)
    try:
        if not _is_of(parameter.type_descriptor.annotation, value):
            return convert(context, value)
        return value if parameter.callback is None else parameter.callback(context, parameter, value)
    except typer.BadParameter as error:
        if parameter.envvar and "ENVIRONMENT" in str(context.get_parameter_source(parameter.name)):
            error.param_hint = repr(parameter.envvar)  # whoever set the variable did not write the option
        raise


def _read(asked: Any, value: Any) -> Any:
    """A text as the number or the path that it is, where any will do; anything else as it was."""
    info = asked.parameter_info
    if type(value) is not str:
        return value
    if asked.annotation is Path:
        is_plain = not (info.exists or info.writable or info.resolve_path or info.allow_dash or info.path_type)
        return Path(value) if is_plain and info.file_okay and info.dir_okay and _may_be_read(value) else value
    if asked.annotation not in (int, float) or (info.min, info.max) != (None, None):
        return value
    digits = value.replace(".", "", 1) if asked.annotation is float else value
    return asked.annotation(value) if digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS else value


def _may_be_read(path: str) -> bool:
    """Whether there is nothing to be said against a path: it can be read, or nothing is there yet."""
    return "\0" not in path and (os.access(path, os.R_OK) or not os.path.lexists(path))


def _is_of(annotation: Any, value: Any) -> bool:
    """Whether there is nothing to convert and nothing to refuse."""
    if get_origin(annotation) is Literal:
        return value in get_args(annotation)
    if get_origin(annotation) is list:
        texts = isinstance(value, (list, tuple)) and all(type(text) is str for text in value)
        return get_args(annotation) == (str,) and texts and bool(value)
    if annotation is Path:
        return isinstance(value, Path)
    return annotation in (str, int, float, bool) and type(value) is annotation
