"""NaN and Infinity as texts: Python writes them as literals, which JSON does not have and no fast decoder reads.

The slow path reads the literal and the text that spells it to the same number. A literal inside a text is quoted as
well, which ends the text before it: no decoder accepts that line, and the slow path reads it as it was.
"""

import re
from collections.abc import Sequence

_LITERAL = re.compile(rb"(?<=[:,\[ ])(NaN|-?Infinity)(?=\s*[,}\]])")


def quoted(line: bytes) -> bytes:
    """A line with its literals in quotes."""
    return _LITERAL.sub(rb'"\1"', line)


def all_quoted(lines: Sequence[bytes]) -> Sequence[bytes]:
    """The same for lines most of which have none."""
    joined = b"".join(lines)
    if b"NaN" not in joined and b"Infinity" not in joined:
        return lines
    return [quoted(line) if b"NaN" in line or b"Infinity" in line else line for line in lines]
