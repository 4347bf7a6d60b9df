"""Checks of a probe, one a file: a What / Why / Fix docstring, ``check`` and ``passed``; the file name is the code."""
