"""The monitor: the only room that knows time."""

from audioloss_cli.monitor.monitor import AudioLossMonitor

__all__ = ["AudioLossMonitor"]
