"""From paths to a Report, without a screen."""

from audioloss_cli.audit.scan import scan

__all__ = ["scan"]
