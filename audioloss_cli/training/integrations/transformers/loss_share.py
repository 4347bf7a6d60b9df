"""What the Trainer makes of a loss that is divided by the number of items of a step: over all processes, by default.

Each process then has a share of one sum, and a mean over processes would be too small by their number. The Trainer
multiplies by it in ``compute_loss``, after the model, where a hook on the model does not see it.
"""

from typing import Any

from accelerate.state import AcceleratorState  # type: ignore[import-untyped]


def processes_of_a_sum(args: Any, model: Any) -> int:
    """By how much such a loss is multiplied; as ``Trainer.compute_loss`` does it.

    Args:
        args: ``TrainingArguments``.
        model: the one that is trained, unwrapped.
    """
    if not args.average_tokens_across_devices:
        return 1
    return int(args.world_size) // _with_the_same_batch(args, model)


def _with_the_same_batch(args: Any, model: Any) -> int:
    """Processes of tensor parallelism; as ``Trainer.get_tp_size``."""
    own = getattr(model, "_tp_size", None)
    if own is not None:
        return int(own)
    deepspeed = getattr(args, "hf_deepspeed_config", None)
    if deepspeed is not None:
        return int(deepspeed.config.get("tensor_parallel", {}).get("autotp_size", 1))
    config = getattr(AcceleratorState(), "parallelism_config", None)
    return 1 if config is None else int(config.tp_size)
