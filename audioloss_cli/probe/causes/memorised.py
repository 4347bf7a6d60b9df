"""The model knows this data by heart.

What: The next code is predicted far better than audio allows, with labels that are diverse and rightly aligned.

Why: Few samples were seen many times. The loss on the training data falls towards nothing while the held-out loss
rises.

Fix: Compare with --held-out. More data, fewer epochs, early stopping on the held-out loss.
"""

ORDER = 130
CODES = ("memorised",)
