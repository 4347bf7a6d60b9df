"""Write an emergency checkpoint."""

from audioloss_cli.training.response.alert_context import AlertContext

EVERY_RANK = True


def act(case: AlertContext) -> str:
    """Where the framework writes its checkpoints."""
    return case.loop.save(case.step)
