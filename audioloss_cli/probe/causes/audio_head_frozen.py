"""The audio head is frozen, missing or broken.

What: Audio parameters do not require a gradient, are not in the checkpoint, or are zero, constant, NaN or infinite.

Why: Adapters freeze and leave out what is not named; the head starts from nothing at every load, and its loss stays
flat.

Fix: Name the audio head and embeddings in modules_to_save (audio_lm_head, model.embed_audio_tokens), load them from the
base checkpoint, and make the optimiser after that.
"""

ORDER = 100
CODES = ("frozen-audio", "missing-weights", "broken-weights", "constant-logits")
