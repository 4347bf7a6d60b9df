"""End the training after this step, in the framework's own way."""

from audioloss_cli.training.response.alert_context import AlertContext

EVERY_RANK = True


def act(case: AlertContext) -> str:
    """``control.should_training_stop`` of transformers, ``trainer.should_stop`` of Lightning, ``guard.should_stop``."""
    case.loop.stop()
    return f"the training was asked to stop at step {case.step}"
