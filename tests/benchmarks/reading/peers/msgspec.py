"""msgspec: a typed decoder written by hand for the two columns, the fastest reader of single lines there is."""

from array import array
from pathlib import Path

import msgspec


class Row(msgspec.Struct):
    """What is wanted of a line."""

    step: int
    audio_loss: float


def read(path: Path) -> int:
    """Two columns; a file with a null, a NaN or a missing key would be refused."""
    decode = msgspec.json.Decoder(Row).decode
    steps, values = array("q"), array("d")
    with path.open("rb") as stream:
        for line in stream:
            row = decode(line)
            steps.append(row.step)
            values.append(row.audio_loss)
    return len(values)
