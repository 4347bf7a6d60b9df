"""Log the alert with full diagnostics: as an error if it is critical, as a warning else."""

import logging

from audioloss_cli.model import Severity
from audioloss_cli.training.response.alert_context import AlertContext, logger
from audioloss_cli.training.response.describe import describe_case

EVERY_RANK = False


def act(case: AlertContext) -> str:
    """One record of several lines, through the logger ``audioloss``."""
    critical = case.alert.severity is Severity.CRITICAL
    logger.log(logging.ERROR if critical else logging.WARNING, "%s", describe_case(case))
    return f"logged as {'an error' if critical else 'a warning'}"
