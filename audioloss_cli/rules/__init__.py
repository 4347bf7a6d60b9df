"""Loss rules, one a file: a What / Why / Fix docstring and a class ``Rule``; the file name is the stable code."""
