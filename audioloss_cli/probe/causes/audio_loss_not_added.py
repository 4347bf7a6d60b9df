"""The audio loss is not part of the total.

What: The loss that the model returns does not change with the audio labels, or its backward pass leaves the audio
parameters without a gradient.

Why: The audio loss is computed and logged, but the optimiser minimises the text loss alone, or the audio loss was
detached.

Fix: Return text_loss + audio_loss from the forward, without detach() or .item() on either.
"""

ORDER = 110
CODES = ("no-audio-gradient",)
ALSO = ("audio-loss-not-in-total",)
