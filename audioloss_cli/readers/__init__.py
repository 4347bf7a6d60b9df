"""Log readers, one format a module: ``GROUPING``, ``claims(path)`` and ``read(path)``; see ``records.Reader``."""
