"""NaN and Infinity as texts: Python writes them as literals, which JSON does not have and no fast decoder reads.

The slow path reads the literal and the text that spells it to the same number. A literal inside a text is quoted as
well, which ends the text before it: no decoder accepts that line, and the slow path reads it as it was.
"""

import re

_LITERAL = re.compile(rb"(?<=[:,\[ ])(NaN|-?Infinity)(?=\s*[,}\]])")


def quoted(line: bytes) -> bytes:
    """A line with its literals in quotes."""
    return _LITERAL.sub(rb'"\1"', line)


def has_literal(line: bytes) -> bool:
    """Whether there may be one."""
    return b"NaN" in line or b"Infinity" in line
