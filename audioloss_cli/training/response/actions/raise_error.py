"""Raise AudioLossError out of the training step, once all other actions are taken."""

from audioloss_cli.training.response.alert_context import AlertContext, AudioLossError

EVERY_RANK = True


def act(case: AlertContext) -> str:
    """It never returns.

    Raises:
        AudioLossError: always.
    """
    raise AudioLossError(case.alert)
