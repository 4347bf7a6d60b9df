"""Whether each line of a block is one object by itself, told by the bytes at its newlines."""

from typing import Any

import numpy as np  # noqa: TID253  # opened late, for large files alone

from audioloss_cli.storage.lines import Block

_OPEN, _CLOSE = b"{}"


def objects_between(block: Block) -> int:
    """Return how many lines a block has if each begins with ``{`` and ends in ``}``; else 0.

    A decoder that goes through many values says nothing of newlines: one line may hold two, another none. No newline
    stands between ``}`` and ``{`` inside of an object, where a comma would be missing, or inside of a text, where JSON
    has no newlines. So each of these lines holds at least one object; where there are no more of them, it holds one.
    """
    if not block.data.endswith(b"}\n") or block.data[0] != _OPEN:
        return 0
    newlines, octets = block.newlines, np.frombuffer(block.data, np.uint8)
    return len(newlines) if _all(octets, newlines - 1, _CLOSE) and _all(octets, newlines[:-1] + 1, _OPEN) else 0


def _all(octets: Any, indexes: Any, octet: int) -> bool:
    return bool((octets[indexes] == octet).all())
