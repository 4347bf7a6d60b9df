"""The logged loss is on another scale.

What: The reported loss is the recomputed one times a number: of codebooks, of accumulated batches, of text tokens.

Why: Sums, means and divisions are stacked: a healthy 5 nats is logged as 0.6 or as 40, and thresholds judge the wrong
number.

Fix: Log the mean over valid cells and codebooks, undivided; give the ratio to audioloss scan --scale for logs that
exist.
"""

ORDER = 120
CODES = ("loss-scale",)
