"""Learning nothing from a batch: its gradients are thrown away before the optimiser sees them."""

from contextlib import suppress
from typing import Any


def forget_gradients(optimizer: Any, scaler: Any = None) -> None:
    """A parameter without a gradient is left alone by every optimiser of torch, weight decay included.

    A scaler of losses (fp16) raises at the step of an optimiser in whose gradients it never looked for infinities, as
    where nothing is clipped, or where a fused optimiser does it by itself. So it looks at them now.

    Args:
        optimizer: torch's, or Accelerate's around it.
        scaler: a ``torch.amp.GradScaler``, if there is any.
    """
    if scaler is not None:
        with suppress(RuntimeError):  # it has looked at them already: no public attribute says so
            scaler.unscale_(getattr(optimizer, "optimizer", optimizer))
    optimizer.zero_grad(set_to_none=True)
