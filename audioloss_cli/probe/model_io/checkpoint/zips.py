"""Zip archives of strangers, looked at as ``checkpoints.zips`` does; what is wrong stops a probe."""

import zipfile
from pathlib import Path
from typing import IO

from audioloss_cli.checkpoints import zips
from audioloss_cli.checkpoints.stored import ReadError
from audioloss_cli.probe.errors import UnreadableError


def check_archive(source: Path | IO[bytes], name: object) -> dict[str, zipfile.ZipInfo]:
    """Return the entries of an archive of torch by their names without the directory that all of them lie in.

    Args:
        source: a path or a seekable stream.
        name: what to call it in messages.

    Raises:
        UnreadableError: an entry is damaged or compressed, or entries overlap, or the end of the file is missing.
    """
    try:
        return zips.check_archive(source, name)
    except ReadError as error:
        raise UnreadableError(str(error)) from error
