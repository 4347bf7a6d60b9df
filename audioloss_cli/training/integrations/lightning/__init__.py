"""A callback of Lightning."""
