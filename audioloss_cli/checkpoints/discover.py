"""Which checkpoints lie under a path."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from audioloss_cli.checkpoints.layouts import kind_of
from audioloss_cli.checkpoints.stored import Checkpoint

_NUMBER = re.compile(r"\d+")
_NUMBERED = re.compile(r"checkpoint-\d+")
_FLOATING = ("F", "BF")  # how the names of such dtypes begin

Refused = Callable[[Path, OSError], None]


def checkpoints_under(
    root: Path, refused: Refused | None = None, exclude: Callable[[Path], bool] = lambda _: False
) -> Iterator[Path]:
    """Yield the checkpoints under a path, those of one directory in the order of the numbers in their names.

    Inside of a checkpoint nothing is looked for but those of the training that it is the last model of, which come
    before it. Links to directories are not followed, and what is hidden is not looked at.

    Args:
        root: a file or a directory.
        refused: is told of a directory that cannot be listed.
        exclude: whether a file or a directory below the root is not to be looked at.

    Raises:
        OSError: a directory cannot be listed, and nobody is told of it.
    """
    pending = [root]
    while pending:
        path = pending.pop()
        try:
            if kind_of(path) is not None:
                yield from (each for each in _numbered_inside(path) if not exclude(each))
                yield path
            elif path.is_dir():
                inner = [each for each in path.iterdir() if _is_looked_at(each) and not exclude(each)]
                pending.extend(sorted(inner, key=_by_number, reverse=True))
        except OSError as error:
            if refused is None:
                raise
            refused(path, error)


def holds_weights(opened: Checkpoint) -> bool:
    """Whether a file of tensors is one of a model's weights rather than of a batch or of features.

    Weights are mostly floating numbers under dotted names; what could not be read of a damaged file is not judged.
    """
    if not opened.tensors or opened.faults:
        return True
    floating = sum(each.elements for each in opened.tensors.values() if each.dtype.startswith(_FLOATING))
    dotted = sum("." in name for name in opened.tensors)
    return 2 * dotted >= len(opened.tensors) and 2 * floating >= sum(each.elements for each in opened.tensors.values())


def _numbered_inside(checkpoint: Path) -> list[Path]:
    """Return the directories checkpoint-N in the directory of a training, where its last model lies as well."""
    inside = checkpoint.glob("checkpoint-*") if checkpoint.is_dir() else ()
    numbered = [each for each in inside if _NUMBERED.fullmatch(each.name) and each.is_dir() and _is_looked_at(each)]
    return sorted((each for each in numbered if kind_of(each) is not None), key=_by_number)


def _is_looked_at(path: Path) -> bool:
    return not path.name.startswith(".") and not (path.is_symlink() and path.is_dir())


def _by_number(path: Path) -> tuple[str, list[int], str]:
    return _NUMBER.sub("", path.name), [int(found) for found in _NUMBER.findall(path.name)[:8]], path.name
