"""Audio inputs never reach the model, or not their place in the text.

What: Audio codes or audio labels are not in the batch, are empty, or would be dropped by the trainer before the
forward; or placeholders, starts or attention mask put them elsewhere or hide them.

Why: A trainer keeps only the columns that the forward's signature names; a wrapper with *args and **kwargs names
none. The audio branch then runs on nothing and its loss is exactly 0.

Fix: Set remove_unused_columns=False in TrainingArguments (or give the wrapper's forward the model's argument names),
and let the collator return audio codes, their mask or starts, and audio labels for every batch.
"""

from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed
from audioloss_cli.causes._zeros import all_zero, gradient_flows, gradient_gone, some_zero, zero_clause
from audioloss_cli.model import is_missing

ORDER = 10
CODES = ("missing-input", "empty-input", "dropped-by-trainer", "empty-logits", "input-ignored")
ALSO = ("placeholder-mismatch", "bad-positions", "bad-attention-mask", "wrong-text-shape")
CONFIRMED_BY = "dropped-by-trainer"


def weigh(scene: Scene) -> Weighed | None:
    """Nothing reaches the audio branch: exactly zero, from the start or from one step to the next.

    No logits, no loss; the text goes on and has a gradient.
    """
    case = Weighed()
    if all_zero(scene):
        case.plus(0.6 if scene.shape.from_the_start else 0.55, zero_clause(scene))
    elif some_zero(scene):
        return case.plus(0.35, zero_clause(scene))
    elif is_missing(scene.incident.worst_value):
        return case.plus(0.3, f"no number is logged from step {scene.shape.first_step:,} on, as if none were computed")
    else:
        return None
    if clause := gradient_flows(scene):
        case.plus(0.15, clause)
    if clause := gradient_gone(scene):
        case.minus(0.25, clause)
    return case
