"""The audio codes are not what the model was made for.

What: Ids outside the codebooks or that are no integers, another number of codebooks or ids, labels that belong to other
codes, or codes that carry next to no information.

Why: The codes come from another codec, from silence, or from special ids that were added twice. Ids that are too
large alias into the next codebook without an error.

Fix: Encode the audio again with the codec of the model, at its sampling rate, and decode a sample to listen to it.
Add BOS and EOS once.
"""

ORDER = 20
CODES = ("labels-of-other-audio", "id-out-of-range", "wrong-shape", "poor-codes", "dominant-label")
ALSO = ("wrong-dtype", "wrong-logits-shape")
