"""Fuzz scripts, one kind of input each, run by hand and for some seconds in CI: ``python -m tests.fuzz.NAME``."""
