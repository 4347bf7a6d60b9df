"""The model reads the answer: labels are not shifted.

What: The logits at a position predict the code that is fed in at that position, or see the one they have to predict.

Why: Copying needs no learning: the loss falls smoothly below 0.01, on held-out data too, and generation repeats its
input.

Fix: Hold logits[t] against the code at t + 1, once, within each segment: cross_entropy(logits[:-1], codes[1:]). Start
again from the base; what this run has learnt is to copy.
"""

ORDER = 70
CODES = ("label-leak", "not-causal")
