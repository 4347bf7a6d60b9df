"""Say what to do: the likeliest root cause by the full checks, and its fix; the rule's own advice without one."""

from audioloss_cli.training.response.alert_context import AlertContext, logger

EVERY_RANK = False


def act(case: AlertContext) -> str:
    """One record, and the same sentence as the outcome."""
    diagnoses = case.examination.diagnoses
    if diagnoses:
        likely = diagnoses[0]
        advice = f"{likely.cause} ({likely.evidence[0]}): {likely.fix}"
    else:
        advice = case.alert.advice
    logger.warning("advice at step %d: %s", case.alert.step, advice)
    return advice
