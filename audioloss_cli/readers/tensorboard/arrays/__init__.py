"""The reader for large files, and for many small ones: whole windows by numpy, without a Python step for a record.

A window is cut into records (``chain``), the records of one length are held against the templates of ``shapes``, all
checksums are computed at once (``crc``), and the numbers are strided columns of what is left (``pieces``), put together
tag by tag and file by file (``tags``). A window is taken up to the first record that is unusual; ``quick`` takes that
one, and some more, for the unusual is seldom alone.
"""

from audioloss_cli.readers.tensorboard.arrays.walk import by_the_array, several

__all__ = ["by_the_array", "several"]
