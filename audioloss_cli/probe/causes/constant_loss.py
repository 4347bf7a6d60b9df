"""A constant is returned in place of the loss.

What: The reported audio loss does not depend on what is fed in, or what is logged is far from what the logits give.

Why: An exception or a NaN is swallowed and a number like 0.0 or 0.001 takes its place.

Fix: Let it raise: remove the except clause or the nan_to_num around the loss, and mend what it hides.
"""

ORDER = 90
CODES = ("constant-loss",)
ALSO = ("constant-log",)
