"""Plain data that flows down the pipe: what readers yield, the monitor emits and a report holds.

The public names are imported when they are first used: whoever asks for the version or for help needs none of them.
"""

from typing import TYPE_CHECKING

from audioloss_cli._lazy import exports

if TYPE_CHECKING:
    from audioloss_cli.records.alert import Alert, RecoveryAttempt, Severity
    from audioloss_cli.records.finding import Diagnosis, Finding
    from audioloss_cli.records.incident import Edge, Incident, LikelyCause
    from audioloss_cli.records.limits import Limits, SettingError
    from audioloss_cli.records.pattern import TagPattern
    from audioloss_cli.records.point import Point
    from audioloss_cli.records.reader import EVERYTHING, Mark, Reader, Request
    from audioloss_cli.records.report import Gate, Report, RunReport, SeriesReport, Unaudited
    from audioloss_cli.records.rule import LossRule, Past, Quiet, RuleText
    from audioloss_cli.records.series import MISSING, Defect, Series, SeriesCollector, is_missing
    from audioloss_cli.records.view import View, printable, shortened

_HOMES = {
    "Alert": "alert",
    "Defect": "series",
    "Diagnosis": "finding",
    "EVERYTHING": "reader",
    "Edge": "incident",
    "Finding": "finding",
    "Gate": "report",
    "Incident": "incident",
    "LikelyCause": "incident",
    "Limits": "limits",
    "LossRule": "rule",
    "MISSING": "series",
    "Mark": "reader",
    "Past": "rule",
    "Point": "point",
    "Quiet": "rule",
    "Reader": "reader",
    "RecoveryAttempt": "alert",
    "Report": "report",
    "Request": "reader",
    "RuleText": "rule",
    "RunReport": "report",
    "Series": "series",
    "SeriesCollector": "series",
    "SeriesReport": "report",
    "SettingError": "limits",
    "Severity": "alert",
    "TagPattern": "pattern",
    "Unaudited": "report",
    "View": "view",
    "is_missing": "series",
    "printable": "view",
    "shortened": "view",
}

__all__ = [
    "EVERYTHING",
    "MISSING",
    "Alert",
    "Defect",
    "Diagnosis",
    "Edge",
    "Finding",
    "Gate",
    "Incident",
    "LikelyCause",
    "Limits",
    "LossRule",
    "Mark",
    "Past",
    "Point",
    "Quiet",
    "Reader",
    "RecoveryAttempt",
    "Report",
    "Request",
    "RuleText",
    "RunReport",
    "Series",
    "SeriesCollector",
    "SeriesReport",
    "SettingError",
    "Severity",
    "TagPattern",
    "Unaudited",
    "View",
    "is_missing",
    "printable",
    "shortened",
]

__getattr__, __dir__ = exports(__name__, _HOMES)
