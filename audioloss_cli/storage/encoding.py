"""Text in UTF-16 or UTF-32 to UTF-8, piece by piece: PowerShell's ``>`` and ``Tee-Object`` write UTF-16."""

import codecs
from collections.abc import Iterator

from audioloss_cli.storage.compressed import Damage

UTF8_BOM = b"\xef\xbb\xbf"
_PRINTED = range(0x09, 0x7F)


def encoding_of(start: bytes) -> str | None:
    """Return the encoding that the first bytes of a text tell, other than UTF-8: by its mark or by its zero bytes.

    Two bytes that look like a mark are none unless a zero byte follows them, as in every text that begins in ASCII.
    """
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and b"\0" in start[2:4]:
        return "utf-16"
    zeros = tuple(not byte for byte in start[:4])
    if zeros == (False, True, False, True) and start[0] in _PRINTED and start[2] in _PRINTED:
        return "utf-16-le"
    if zeros == (True, False, True, False) and start[1] in _PRINTED and start[3] in _PRINTED:
        return "utf-16-be"
    return None


def in_utf8(pieces: Iterator[bytes | Damage]) -> Iterator[bytes | Damage]:
    """Yield the pieces of a text in UTF-8; what is no character becomes bytes that are no UTF-8, in the same line."""
    decoder, is_known = None, False
    for piece in pieces:
        if isinstance(piece, Damage):
            yield piece
            continue
        if not is_known and piece:
            is_known, encoding = True, encoding_of(piece[:4])
            decoder = encoding and codecs.getincrementaldecoder(encoding)("surrogatepass")
        yield _encoded(decoder.decode(piece)) if decoder else piece
    if decoder and (rest := decoder.getstate()[0]):
        yield rest


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
