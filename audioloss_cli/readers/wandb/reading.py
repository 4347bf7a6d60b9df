"""One file of W&B, whichever of the three it is, to its series."""

from collections.abc import Iterator
from pathlib import Path

from audioloss_cli.model import Defect, ReadOptions, Series
from audioloss_cli.readers.wandb import MAGIC, is_inspected
from audioloss_cli.readers.wandb.columns import HistoryColumns
from audioloss_cli.readers.wandb.json_history import rows_of_lines
from audioloss_cli.readers.wandb.transaction_log import BLOCK_BYTES, TransactionLog
from audioloss_cli.storage.compressed import DamagedStreamError, compression, decompressed

_PIECE_BYTES = 32 * BLOCK_BYTES


def read(path: Path, options: ReadOptions) -> Iterator[Series | Defect]:
    """Yield every series, and every defect.

    Raises:
        OSError: the file cannot be opened or read.
    """
    columns = HistoryColumns(str(path), options.wanted)
    damage = list[Defect]()
    with path.open("rb") as stream:
        pieces = _pieces(str(path), decompressed(stream, compression(stream), lambda: _PIECE_BYTES), damage)
        first = next(pieces, b"")
        whole = _chained(first, pieces)
        if _is_lines(path, first):
            for item in rows_of_lines(str(path), whole):
                yield from columns.add_defect(item) if isinstance(item, Defect) else columns.add_object(*item)
        else:
            for record in TransactionLog(str(path), whole, checksum=options.checksum):
                yield from columns.add_defect(record) if isinstance(record, Defect) else columns.add(*record)
    yield from columns.end()
    yield from damage


def _is_lines(path: Path, first: bytes) -> bool:
    """Tell JSON lines from a transaction log; by the name where the first bytes do not tell."""
    if first.startswith(MAGIC):
        return False
    return ".wandb" not in path.suffixes and (".jsonl" in path.suffixes or is_inspected(first) or first[:1] == b"{")


def _chained(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield from [first] if first else []
    yield from pieces


def _pieces(path: str, pieces: Iterator[bytes], damage: list[Defect]) -> Iterator[bytes]:
    """Yield the pieces; where the compressed stream is damaged, note it and end."""
    offset = 0
    try:
        for piece in pieces:
            offset += len(piece)
            yield piece
    except DamagedStreamError as error:
        damage.append(Defect(path, "compression", str(error), offset))
