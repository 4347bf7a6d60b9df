"""Opens the files of one checkpoint: what is wrong with one is kept as a fault, beside all that could be read."""

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audioloss_cli.checkpoints.claims import is_deep
from audioloss_cli.checkpoints.formats import read_file
from audioloss_cli.checkpoints.pickles import PickleContents, read_pickle_stream
from audioloss_cli.checkpoints.pickles.imports import judge
from audioloss_cli.checkpoints.stored import Checkpoint, Fault, ReadError, StoredFile
from audioloss_cli.checkpoints.words import clipped, counted
from audioloss_cli.model import Severity

DAMAGED, UNFINISHED, LEAVES = "damaged-file", "unfinished-save", "path-leaves-checkpoint"
_HUB = re.compile(r"(models|datasets|spaces)--.+")
_TEMPORARY = re.compile(r".*\.(tmp|temp|part|partial|incomplete)|\.?tmp[-_.].*|.*\.tmp\..*", re.IGNORECASE)
_LONGEST_JSON = 64 << 20


class Opener:
    """One checkpoint while it is opened.

    Attributes:
        checkpoint: what is known of it so far.
    """

    def __init__(self, path: Path, kind: str) -> None:
        """Begin with nothing; ``path`` is the file or the directory that was asked for."""
        self.checkpoint = Checkpoint(path, kind)
        self._home = _home_of(path)
        self._may_read: dict[Path, bool] = {}
        self._links = {path}  # that the user asked for this one says that it is meant

    def fault(self, code: str, severity: Severity, message: str, **evidence: Any) -> None:
        """Keep what is wrong."""
        self.checkpoint.faults.append(Fault(code, severity, message, evidence))

    def tensors(self, file: Path, *, is_weight: bool = True) -> StoredFile | None:
        """Read the headers of a file; None where it is not there, or where nothing of it can be read.

        Args:
            file: of any format.
            is_weight: whether the checkpoint is lost without it.
        """
        if not self._check(file, is_weight=is_weight):
            return None
        try:
            stored = read_file(file)
        except ReadError as error:
            self.fault(DAMAGED, Severity.CRITICAL, str(error), file=file.name)
        except OSError as error:
            self.fault(DAMAGED, Severity.CRITICAL, f"{file} cannot be read ({error.strerror})", file=file.name)
        else:
            self.checkpoint.take(stored)
            return stored
        return None

    def pickle(self, file: Path) -> Any:
        """Walk through a bare pickle, and return its value; None where it is not there or cannot be read."""
        if not self._check(file, is_weight=True):
            return None
        self.checkpoint.files.append(file)
        try:
            with file.open("rb") as stream:
                found = read_pickle_stream(stream, file)
        except OSError as error:
            self.fault(DAMAGED, Severity.CRITICAL, f"{file} cannot be read ({error.strerror})", file=file.name)
            return None
        self.add_pickle(file, found)
        return found.value

    def add_pickle(self, file: Path, found: PickleContents) -> None:
        """Keep what loading a pickle of a file would import, and what is wrong with it; a file may hold several."""
        self.checkpoint.faults += [fault for fault in found.faults if fault not in self.checkpoint.faults]
        known = set(self.checkpoint.imports.get(file, ()))
        if not known.issuperset(found.imports):
            self.checkpoint.imports[file] = sorted(known.union(found.imports))

    def json(self, file: Path) -> Mapping[str, Any]:
        """Read a JSON object; empty where there is none, or where it is damaged."""
        text = self.text(file, _LONGEST_JSON)
        if text is None:
            return {}
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            told = clipped(" ".join(str(error).split()))
            self.fault(DAMAGED, Severity.CRITICAL, f"{file} is no JSON, or is cut short ({told})", file=file.name)
            return {}
        if isinstance(found, dict) and not is_deep(found):
            return found
        what = "is nested too deeply" if isinstance(found, dict) else "holds no object"
        self.fault(DAMAGED, Severity.CRITICAL, f"{file} {what}", file=file.name)
        return {}

    def text(self, file: Path, most: int, ends: int = 0) -> bytes | None:
        """Read a small file; None where it is not there, or cannot be read.

        Args:
            file: to be read.
            most: bytes of a file that is read as a whole; a larger one is told, and not read.
            ends: bytes at either end that are read of a larger one instead, if any.
        """
        if not self._check(file, is_weight=False):
            return None
        self.checkpoint.files.append(file)
        try:
            if file.stat().st_size <= most:
                return file.read_bytes()
            if ends:
                with file.open("rb") as stream:
                    first = stream.read(ends)
                    stream.seek(-ends, os.SEEK_END)
                    return first + stream.read()
        except OSError as error:
            self.fault(DAMAGED, Severity.CRITICAL, f"{file} cannot be read ({error.strerror})", file=file.name)
        else:
            size = file.stat().st_size
            self.fault(DAMAGED, Severity.WARNING, f"{file} has {size:,} bytes, and was not read", file=file.name)
        return None

    def finished(self) -> Checkpoint:
        """Return the checkpoint.

        Raises:
            ReadError: nothing of it could be read, and neither a fault nor an unknown import says why.
        """
        opened = self.checkpoint
        asked = (name for names in opened.imports.values() for name in names)
        if not opened.tensors and not opened.faults and not any(judge(name) for name in asked):
            raise ReadError(f"{opened.path} holds no tensors: it is no checkpoint, or it was saved without its model")
        opened.files = sorted(set(opened.files))
        return opened

    def sweep(self, directory: Path) -> None:
        """Look at the name of everything in a directory: links that leave it, and what an interrupted save leaves.

        Raises:
            OSError: it cannot be listed.
        """
        if directory.name.startswith("tmp-checkpoint-"):
            text = f"{directory.name} is where a save is written to before it is given its own name: it did not finish"
            self.fault(UNFINISHED, Severity.CRITICAL, text)
        left = [each.name for each in sorted(directory.iterdir()) if self._is_left(each)]
        if left:
            text = f"{directory} holds {counted(len(left), 'file')} of a save that did not finish: {clipped(left[0])}"
            self.fault(UNFINISHED, Severity.WARNING, text, files=left[:100])

    def _is_left(self, entry: Path) -> bool:
        if entry.is_symlink():
            self._check_link(entry)
        return _TEMPORARY.fullmatch(entry.name) is not None

    def _check(self, file: Path, *, is_weight: bool) -> bool:
        """Tell whether a file may be read, and keep what is wrong with it, once."""
        if file not in self._may_read:
            self._may_read[file] = self._look(file, is_weight=is_weight)
        return self._may_read[file]

    def _look(self, file: Path, *, is_weight: bool) -> bool:
        if not os.path.lexists(file):
            return False
        if file.is_symlink():
            self._check_link(file)
        try:
            about = file.stat()
        except OSError as error:
            text = f"{file} cannot be read ({error.strerror})"
            text += ", it is a link to what is not there" if file.is_symlink() else ""
            self.fault(DAMAGED, Severity.CRITICAL, text, file=file.name)
            return False
        if not stat.S_ISREG(about.st_mode):
            self.fault(DAMAGED, Severity.CRITICAL, f"{file} is no regular file, and was not opened", file=file.name)
        elif not about.st_size:
            severity = Severity.CRITICAL if is_weight else Severity.WARNING
            text = f"{file} is empty: the save did not finish, or the disk was full"
            self.fault(UNFINISHED, severity, text, file=file.name)
            self.checkpoint.files.append(file)
        return stat.S_ISREG(about.st_mode) and about.st_size > 0

    def _check_link(self, link: Path) -> None:
        """Keep that a link leaves the checkpoint; once, however often it is looked at."""
        if link in self._links:
            return
        self._links.add(link)
        if not Path(os.path.realpath(link)).is_relative_to(self._home):
            text = f"{link} is a link to {clipped(link.readlink())}, which lies outside of the checkpoint"
            self.fault(LEAVES, Severity.WARNING, text, file=link.name)


def _home_of(path: Path) -> Path:
    """Return the directory that links may not leave: of a snapshot of the hub's cache all that is kept of its model."""
    real = Path(os.path.realpath(path if path.is_dir() else path.parent))
    return next((each for each in (real, *real.parents) if _HUB.fullmatch(each.name)), real)
