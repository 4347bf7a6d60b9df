"""Paths to runs: discovery, which files are one run, several sources of one run, the order and alignment of series."""
