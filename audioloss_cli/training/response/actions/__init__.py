"""Corrective actions, one a module; the file name, with hyphens, is the name in a policy."""
