"""The audio head is frozen, missing or broken.

What: Audio parameters do not require a gradient, are not in the checkpoint, are those of its base after steps of
training, or are zero, constant, NaN or infinite.

Why: Adapters freeze and leave out what is not named; the head starts from nothing at every load, and its loss stays
flat.

Fix: Name the audio head and embeddings in modules_to_save (audio_lm_head, model.embed_audio_tokens), load them from the
base checkpoint, and make the optimiser after that.
"""

from audioloss_cli.causes._codebooks import stuck_clause, stuck_codebooks
from audioloss_cli.causes._invalid import invalid
from audioloss_cli.causes._levels import flat_clause, weigh_flat, weigh_text
from audioloss_cli.causes._scene import Scene
from audioloss_cli.causes._weighed import Weighed

ORDER = 100
CODES = ("frozen-audio", "missing-weights", "broken-weights", "constant-logits")
ALSO = (
    *("audio-unchanged", "codebook-unchanged", "lora-audio-untrained", "lora-unchanged", "nothing-changed"),
    *("stopped-module", "missing-audio-weights", "empty-weights", "zero-weights", "constant-weights"),
    "non-finite-weights",
)
CONFIRMED_BY = "frozen-audio"


def weigh(scene: Scene) -> Weighed | None:
    """A head that cannot learn: flat, often at chance, while the rest of the training goes on.

    Flat, or not a number from the first point: frozen, or not loaded.
    """
    shape, case = scene.shape, Weighed()
    if invalid(scene) and not shape.earlier:
        return case.plus(0.3, f"no number from the first point, step {shape.begin:,}, as with weights not loaded")
    if stuck := stuck_codebooks(scene):
        case.plus(0.35, stuck_clause(scene, stuck))
    elif shape.flat:
        weigh_flat(scene, case, 0.5)
    elif shape.constant is not None and not shape.fell:
        case.plus(0.4, flat_clause(scene)).minus(0.2, "it is the same number at every point, and batches differ")
    else:
        return None
    if scene.grad_norm and not any(scene.grad_norm):
        case.plus(0.3, "grad_norm is 0 throughout")
    weigh_text(scene, case, 0.1)
    return case
