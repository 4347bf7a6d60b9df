"""Plain data that flows down the pipe: what readers yield, the monitor emits and a report holds.

The public names are imported when they are first used: whoever asks for the version or for help needs none of them.
"""

from typing import TYPE_CHECKING

from audioloss_cli._lazy import exports

if TYPE_CHECKING:
    from audioloss_cli.model.alert import Alert, RecoveryAttempt, Severity
    from audioloss_cli.model.finding import Diagnosis, Finding, Problem
    from audioloss_cli.model.gate import Gate, StaleSuppression
    from audioloss_cli.model.inactive_range import InactiveRange
    from audioloss_cli.model.incident import Edge, Incident, LikelyCause
    from audioloss_cli.model.limits import Limits, SettingError
    from audioloss_cli.model.point import Point
    from audioloss_cli.model.reader import EVERYTHING, Cursor, ReadOptions
    from audioloss_cli.model.report import Report, RunReport, Unaudited
    from audioloss_cli.model.rule import LossRule, SeriesHistory
    from audioloss_cli.model.rule_text import RuleText
    from audioloss_cli.model.series import MISSING, Defect, Note, Series, SeriesCollector, is_missing
    from audioloss_cli.model.series_report import SeriesReport
    from audioloss_cli.model.view import View, printable, shortened

_HOMES = {
    "Alert": "alert",
    "Defect": "series",
    "Diagnosis": "finding",
    "EVERYTHING": "reader",
    "Edge": "incident",
    "Finding": "finding",
    "Gate": "gate",
    "Incident": "incident",
    "LikelyCause": "incident",
    "Limits": "limits",
    "LossRule": "rule",
    "Note": "series",
    "MISSING": "series",
    "Cursor": "reader",
    "SeriesHistory": "rule",
    "Point": "point",
    "Problem": "finding",
    "InactiveRange": "inactive_range",
    "RecoveryAttempt": "alert",
    "Report": "report",
    "ReadOptions": "reader",
    "RuleText": "rule_text",
    "RunReport": "report",
    "Series": "series",
    "SeriesCollector": "series",
    "SeriesReport": "series_report",
    "SettingError": "limits",
    "Severity": "alert",
    "StaleSuppression": "gate",
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
    "Cursor",
    "Defect",
    "Diagnosis",
    "Edge",
    "Finding",
    "Gate",
    "InactiveRange",
    "Incident",
    "LikelyCause",
    "Limits",
    "LossRule",
    "Note",
    "Point",
    "Problem",
    "ReadOptions",
    "RecoveryAttempt",
    "Report",
    "RuleText",
    "RunReport",
    "Series",
    "SeriesCollector",
    "SeriesHistory",
    "SeriesReport",
    "SettingError",
    "Severity",
    "StaleSuppression",
    "Unaudited",
    "View",
    "is_missing",
    "printable",
    "shortened",
]

__getattr__, __dir__ = exports(__name__, _HOMES)
