"""How to run a model that is being trained once more, and leave no trace in the training."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def evaluating(model: torch.nn.Module) -> Iterator[None]:
    """Without dropout, and without a trace: modes and the state of random numbers are put back.

    The flags are set, not ``eval()`` called: a layer may merge weights there, as those of loralib do, and what merging
    and taking apart again rounds would stay in the weights. Its forward pass is that of the training this way.
    """
    modes = [(module, module.training) for module in model.modules()]
    devices = sorted({each.device.index or 0 for each in model.parameters() if each.is_cuda})
    with torch.random.fork_rng(devices):
        try:
            for module, _ in modes:
                module.training = False
            yield
        finally:
            for module, mode in modes:
                module.training = mode
