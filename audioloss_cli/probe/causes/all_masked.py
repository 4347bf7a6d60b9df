"""All audio labels are masked.

What: Every audio label of the batch, or of many of its samples, is the ignored index.

Why: The loss of no labels is NaN or 0 and its gradient nothing; a trainer that filters NaN logs 0.0.

Fix: Find the code that masks the labels and keep those of the turns that are to be learnt. Set
logging_nan_inf_filter=False, so that the log shows it the next time.
"""

ORDER = 40
CODES = ("all-masked", "masked-samples")
