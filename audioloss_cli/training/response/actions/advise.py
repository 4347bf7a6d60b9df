"""Say what to do: the likeliest root cause by the full checks, and its fix; without one, what a check advises.

The rule's own advice is for where nothing was found.
"""

from audioloss_cli.model import Severity
from audioloss_cli.training.response.alert_context import AlertContext, logger

EVERY_RANK = False


def act(case: AlertContext) -> str:
    """One record, and the same sentence as the outcome."""
    diagnoses = case.examination.diagnoses
    grave = [each for each in case.examination.findings if each.severity is Severity.CRITICAL and each.advice]
    if diagnoses:
        likely = diagnoses[0]
        advice = f"{likely.cause} ({likely.evidence[0]}): {likely.fix}"
    elif grave:
        advice = f"{grave[0].code} ({grave[0].message}): {grave[0].advice}"
    else:
        advice = case.alert.advice
    logger.warning("advice at step %d: %s", case.alert.step, advice)
    return advice
