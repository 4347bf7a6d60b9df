"""audioloss: audits the logs and checkpoints of audio language model training.

The public names are imported when they are first used, so that a training loop pays only for what it takes.
"""

from typing import TYPE_CHECKING

from audioloss_cli._lazy import exports

if TYPE_CHECKING:
    from audioloss_cli.audit import scan
    from audioloss_cli.config import ScanConfig
    from audioloss_cli.model import Alert, Defect, Gate, Incident, Limits, Report, Series, Severity
    from audioloss_cli.monitor import AudioLossMonitor

__version__ = "0.1.0"

_HOMES = {
    "Alert": "model",
    "AudioLossMonitor": "monitor",
    "Defect": "model",
    "Gate": "model",
    "Incident": "model",
    "Limits": "model",
    "Report": "model",
    "ScanConfig": "config",
    "Series": "model",
    "Severity": "model",
    "scan": "audit",
}

__all__ = [
    "Alert",
    "AudioLossMonitor",
    "Defect",
    "Gate",
    "Incident",
    "Limits",
    "Report",
    "ScanConfig",
    "Series",
    "Severity",
    "__version__",
    "scan",
]

__getattr__, __dir__ = exports(__name__, _HOMES)
