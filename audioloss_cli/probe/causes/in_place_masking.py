"""The collator masks its samples in place.

What: Collating the same samples a second time gives fewer labels, or the ignored index stands among the inputs.

Why: The dataset keeps its samples; what the collator writes into them stays. The first epoch trains, the second has
no labels left, and the loss falls at the epoch boundary.

Fix: Clone before writing: labels = codes.clone() in the collator. Restart from before the first epoch's end.
"""

ORDER = 30
CODES = ("mutated-by-collator", "ignored-index-in-inputs")
