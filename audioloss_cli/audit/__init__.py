"""From paths to a Report, without a screen."""

from audioloss_cli.audit.scanning import scan

__all__ = ["scan"]
