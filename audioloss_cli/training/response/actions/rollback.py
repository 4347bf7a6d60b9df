"""Put weights and optimiser back to the last healthy checkpoint, and learn nothing from the next batches.

The steps go on counting and the learning rate follows its schedule: only what was learnt since is undone. To go on with
other data than that which led to the trouble is what helped PaLM over its loss spikes (arXiv:2204.02311, section 5.1).
"""

from audioloss_cli.training.response.alert_context import ActionError, AlertContext

EVERY_RANK = True


def act(case: AlertContext, skip: int = 0) -> str:
    """``skip``: how many optimiser steps (batches of a plain loop) learn nothing afterwards.

    Raises:
        ActionError: no checkpoint was written before the trouble began, or it cannot be read.
    """
    checkpoint = case.find_checkpoint()
    if checkpoint is None:
        raise ActionError("no checkpoint is known from before the trouble began; save more often")
    done = case.loop.restore(checkpoint)
    if skip:
        case.loop.skip(skip)
    return f"{done} from {checkpoint}" + (f", {skip} batches skipped" if skip else "")
