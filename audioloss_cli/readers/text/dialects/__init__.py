"""Dialects of console output, one a module; a new one is a module here and its test.

A dialect has ``ORDER`` (those with lower numbers are asked first), ``MARKS`` (a line without any of these texts is
not its; empty if that cannot be told) and ``parse(line) -> Entry | None``, which returns None for a line that is not
its. What it says must follow from the text between the numbers alone: see ``template.py``.
"""
