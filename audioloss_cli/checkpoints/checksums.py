"""Checksums of bytes in the middle of files, such as the chunks of a sharded checkpoint."""

import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from audioloss_cli.checkpoints.stored import Checksum, Fault
from audioloss_cli.checkpoints.words import counted, listed
from audioloss_cli.model import Severity

_PIECE = 1 << 20


def faults_of_checksums(
    checksums: Iterable[Checksum], progress: Callable[[int, int, str], None] | None = None
) -> list[Fault]:
    """Read the bytes that checksums speak of, in bounded memory; a fault for each file in which some have changed.

    Args:
        checksums: each of some bytes.
        progress: is called with the bytes done, the bytes in all, and the name of a file.
    """
    by_file = defaultdict[Path, list[Checksum]](list)
    for each in checksums:
        by_file[each.file].append(each)
    whole, done, faults = sum(each.nbytes for group in by_file.values() for each in group), 0, list[Fault]()
    for file, group in sorted(by_file.items()):
        try:
            with file.open("rb") as stream:
                wrong = [each.offset for each in sorted(group) if _crc32(stream, each) != each.crc32]
        except OSError as error:
            text = f"{file} cannot be read ({error.strerror})"
            faults.append(Fault("damaged-file", Severity.CRITICAL, text, {"file": file.name}))
            continue
        if wrong:
            text = (
                f"{file}: bytes have changed since they were written, by the checksums of "
                f"{counted(len(wrong), 'chunk')} of {len(group):,}, at byte {listed(wrong)}"
            )
            faults.append(Fault("damaged-file", Severity.CRITICAL, text, {"file": file.name, "offsets": wrong[:100]}))
        done += sum(each.nbytes for each in group)
        if progress is not None:
            progress(done, whole, file.name)
    return faults


def _crc32(stream: IO[bytes], place: Checksum) -> int:
    stream.seek(place.offset)
    left, found = place.nbytes, 0
    while left and (piece := stream.read(min(left, _PIECE))):
        found = zlib.crc32(piece, found)
        left -= len(piece)
    return found
