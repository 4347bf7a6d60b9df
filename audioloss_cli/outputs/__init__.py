"""Report formats, one a module: ``render(report, view) -> str``."""
