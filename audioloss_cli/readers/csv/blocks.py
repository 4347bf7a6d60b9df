"""Whole blocks of lines to columns: by one call of a JSON decoder if all cells are numbers, else split cell by cell."""

import re
from collections.abc import Sequence

import msgspec

from audioloss_cli.readers._rows.numbers import spelled
from audioloss_cli.readers.csv.layout import Dialect

_NOT_FINITE = re.compile(rb"(?<![\w.])[+-]?(?:nan|inf(?:inity)?)(?![\w.])", re.IGNORECASE)
_decode = msgspec.json.Decoder(list[int | float | str | None]).decode


def numbers_of(data: bytes, count: int, width: int, dialect: Dialect) -> list[list[float | None]] | None:
    """Return the columns of lines that hold numbers and empty cells alone, None for an empty one; None for other lines.

    Args:
        data: the lines.
        count: how many they are.
        width: how many cells each has to have.
        dialect: what parts the cells.
    """
    text = _as_json(data, dialect)
    if text is None:
        return None
    values = _values(text)
    if not values and b",," in text:  # looked for only here: to look takes a third of the time of decoding
        text = text.replace(b",,", b",null,").replace(b",,", b",null,")
        values = _values(text)
    if not values:
        values = _values(_NOT_FINITE.sub(rb'"\g<0>"', text))
        values = [float(value) if value.__class__ is str and value else value for value in values]
    if len(values) != (width + 1) * count or values[:: width + 1].count("") != count:
        return None
    return [values[at + 1 :: width + 1] for at in range(width)]  # type: ignore[misc]  # the texts were before each line


def _as_json(data: bytes, dialect: Dialect) -> bytes | None:
    """Lines as an array of all their cells, with an empty text before each line; empty cells are left empty."""
    if b'"' in data or b"[" in data or not data.isascii():
        return None
    delimiter = dialect.delimiter.encode()
    if delimiter != b",":
        if b"," in data:
            if not dialect.decimal_comma:
                return None
            data = data.replace(b",", b".")
        data = data.replace(delimiter, b",")
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    data = data.removesuffix(b"\n")
    end = b"null]" if data.endswith(b",") else b"]"
    return b'["",' + data.replace(b"\n", b',"",') + end


def _values(text: bytes) -> list[int | float | str | None]:
    """The values of an array; none if it is no array of such values."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, ValueError):
        return []


def cells_of(data: bytes, width: int, dialect: Dialect) -> list[list[str]] | None:
    """Return the columns of lines that all have so many cells, without quotes; None for other lines."""
    if b'"' in data or b"#" in data or b"\0" in data:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    rows = [line.split(dialect.delimiter) for line in text.removesuffix("\n").split("\n")]
    if set(map(len, rows)) != {width}:
        return None
    return [[cell.strip() for cell in column] for column in zip(*rows, strict=True)]


def values_of(cells: Sequence[str], dialect: Dialect) -> list[float | None] | None:
    """Return the numbers in the cells of a column, None for an empty one; None if some hold something else.

    Cells that all hold something else give an empty list.
    """
    values = [dialect.value(cell) for cell in cells]
    there = [value for value in values if value is not None]
    if not there:
        return [None] * len(values)
    numbers = spelled(there)
    if not numbers and len(there) == len(values):
        return []
    if not numbers or None in numbers:
        return None
    rest = iter(numbers)
    return [None if value is None else next(rest) for value in values]
