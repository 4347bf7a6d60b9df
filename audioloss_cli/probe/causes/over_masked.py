"""Too many audio labels are masked.

What: Only a small part of the labels counts, of all codebooks or of one, or only EOS and BOS do; or the loss of one
codebook is near zero while the others are not.

Why: What is left can be predicted without listening: the loss falls below 0.01 within about 50 steps.

Fix: Keep every real code and one EOS a codebook: a fraction of (T + 1) / (T + 9) of the cells with the delay pattern
of 8 codebooks, (T + 1) / (T + 2) without. Mask by position, before special ids are added.
"""

ORDER = 50
CODES = ("low-valid-fraction", "few-distinct-labels")
ALSO = ("codebook-collapse",)
