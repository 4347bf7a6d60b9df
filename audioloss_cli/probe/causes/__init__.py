"""Root causes, one a file, whose name is the slug: a What / Why / Fix docstring, ``CODES`` and ``ORDER``."""
