"""Which checkpoints lie under a path."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from audioloss_cli.checkpoints.layouts import kind_of

_NUMBER = re.compile(r"\d+")


def checkpoints_under(root: Path, exclude: Callable[[Path], bool] = lambda _: False) -> Iterator[Path]:
    """Yield the checkpoints under a path, those of one directory in the order of the numbers in their names.

    A path that is a checkpoint itself is the only one; nothing is looked for inside of one. Links to directories are
    not followed.

    Args:
        root: a file or a directory.
        exclude: whether a file or a directory below it is not to be looked at.

    Raises:
        OSError: a directory cannot be listed.
    """
    if kind_of(root) is not None:
        yield root
    elif root.is_dir():
        for each in sorted(root.iterdir(), key=_by_number):
            if exclude(each):
                continue
            if each.is_dir() and not each.is_symlink():
                yield from checkpoints_under(each, exclude)
            elif each.is_file() and kind_of(each) is not None:
                yield each


def _by_number(path: Path) -> tuple[str, list[int], str]:
    name = os.fspath(path.name)
    return _NUMBER.sub("", name), [int(found) for found in _NUMBER.findall(name)], name
