"""The audio loss is not part of the total.

What: The backward pass from the reported loss leaves the audio parameters without a gradient.

Why: The audio loss is computed and logged, but the optimiser minimises the text loss alone, or the audio loss was
detached.

Fix: Return text_loss + audio_loss from the forward, without detach() or .item() on either.
"""

ORDER = 110
CODES = ("no-audio-gradient",)
