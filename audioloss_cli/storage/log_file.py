"""A file that may be a log: its name, and its first bytes, which are read once for all readers."""

from functools import cached_property
from pathlib import Path

from audioloss_cli.storage.compressed import Damage, compression, pieces
from audioloss_cli.storage.encoding import UTF8_BOM, in_utf8

HEAD_BYTES = 1 << 16
ZIP_MAGIC = b"PK\x03\x04"
_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst")
_PACKED_TARS = (b"BZh", b"\xfd7zXZ\0")  # bzip2 and xz, in which nothing but archives is read
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_COMPRESSED = (".gz", ".zst")


class LogFile:
    """A file that may be a log.

    Attributes:
        path: where it lies.
        shown: the name that the user knows it by, where it lies elsewhere (a pipe, a member of an archive).
    """

    def __init__(self, path: Path, shown: str = "") -> None:
        self.path = path
        self.shown = shown or str(path)

    @cached_property
    def name(self) -> str:
        """The name in lower case without a compression suffix and the number of a rotated log: ``log.jsonl.1.gz``."""
        name = self.shown.replace("\\", "/").rsplit("/", 1)[-1].lower()
        while True:
            stem, dot, suffix = name.rpartition(".")
            if not stem or not ("." + suffix in _COMPRESSED or (dot and suffix.isdecimal() and "." in stem)):
                return name
            name = stem

    @property
    def is_named_archive(self) -> bool:
        """Whether its name is that of an archive of files."""
        return self.shown.lower().endswith(_ARCHIVES)

    @property
    def is_archive_by_content(self) -> bool:
        """Whether its first bytes are those of an archive of files.

        Raises:
            OSError: the file cannot be opened or read.
        """
        if self.raw_head.startswith((ZIP_MAGIC, *_PACKED_TARS)):
            return True
        return self.head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + len(_TAR_MAGIC)] == _TAR_MAGIC

    @property
    def suffix(self) -> str:
        """The extension of ``name`` with its dot; empty if it has none."""
        stem, dot, suffix = self.name.rpartition(".")
        return dot + suffix if stem else ""

    @cached_property
    def raw_head(self) -> bytes:
        """The first 64 KiB as they lie on disk.

        Raises:
            OSError: the file cannot be opened or read.
        """
        with self.path.open("rb") as stream:
            return stream.read(HEAD_BYTES)

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB once decompressed, in UTF-8; of a damaged stream what could be decompressed.

        Raises:
            OSError: the file cannot be opened or read.
        """
        return self._content[0]

    @property
    def is_damaged(self) -> bool:
        """Whether it is compressed and breaks off or contradicts itself within ``head``.

        Raises:
            OSError: the file cannot be opened or read.
        """
        return self._content[1]

    @cached_property
    def lines(self) -> list[bytes]:
        """The lines of ``head`` that are not blank and not cut off, without a byte order mark; one cut off if alone."""
        whole, is_cut = self.head.removeprefix(UTF8_BOM), self._content[2]
        cut = whole.rfind(b"\n") + 1 if is_cut else len(whole)
        return [line for line in (whole[:cut] or whole).splitlines() if line.strip()]

    @cached_property
    def _content(self) -> tuple[bytes, bool, bool]:
        """The head, whether it is damaged, and whether the file goes on behind it."""
        parts, size = list[bytes](), 0
        with self.path.open("rb") as stream:
            for piece in in_utf8(pieces(stream, compression(stream), lambda: HEAD_BYTES)):
                if isinstance(piece, Damage):
                    return b"".join(parts)[:HEAD_BYTES], True, False
                parts.append(piece)
                size += len(piece)
                if size >= HEAD_BYTES:
                    break
            return b"".join(parts)[:HEAD_BYTES], False, size >= HEAD_BYTES
