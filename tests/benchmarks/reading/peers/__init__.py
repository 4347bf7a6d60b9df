"""Readers of training logs, one a file: a function reads ``path`` and returns the number of points that it has in hand.

Each runs in a process of its own. A module imports what it needs at its top, because imports are not timed; a module
with ``close()`` is told when the clock has stopped.
"""
