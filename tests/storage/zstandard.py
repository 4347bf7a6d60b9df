"""Zstandard files as the tests need them, by Python's own module or its backport."""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_Parameter = zstd.CompressionParameter


def compress(data: bytes, *, checksum: bool = True) -> bytes:
    """One frame, with the checksum that the command line tool writes."""
    return zstd.compress(data, options={_Parameter.checksum_flag: int(checksum)})


def compress_long(data: bytes) -> bytes:
    """As ``zstd --long=30`` writes it to a pipe: with a window of 1 GiB, and without saying how long it is."""
    packer = zstd.ZstdCompressor(options={_Parameter.enable_long_distance_matching: 1, _Parameter.window_log: 30})
    return packer.compress(data) + packer.flush()
