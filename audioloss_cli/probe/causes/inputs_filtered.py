"""Audio inputs never reach the model, or not their place in the text.

What: Audio codes or audio labels are not in the batch, are empty, or would be dropped by the trainer before the
forward; or placeholders, starts or attention mask put them elsewhere or hide them.

Why: A trainer keeps only the columns that the forward's signature names; a wrapper with *args and **kwargs names
none. The audio branch then runs on nothing and its loss is exactly 0.

Fix: Set remove_unused_columns=False in TrainingArguments (or give the wrapper's forward the model's argument names),
and let the collator return audio codes, their mask or starts, and audio labels for every batch.
"""

ORDER = 10
CODES = ("missing-input", "empty-input", "dropped-by-trainer", "empty-logits", "input-ignored")
ALSO = ("placeholder-mismatch", "bad-positions", "bad-attention-mask", "wrong-text-shape")
