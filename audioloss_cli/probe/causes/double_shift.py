"""The labels are shifted twice.

What: The logits at a position predict the code two positions later.

Why: The collator shifts and the model shifts again. The loss looks healthy; generation skips every other frame.

Fix: Shift in one place: give labels that are aligned with the codes to a model that shifts inside.
"""

ORDER = 80
CODES = ("double-shift",)
