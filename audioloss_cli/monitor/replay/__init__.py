"""The machine over arrays: many points at once, with the same result as point by point."""
