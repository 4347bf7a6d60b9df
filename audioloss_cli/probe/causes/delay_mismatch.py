"""The delay pattern of the data is not that of the model.

What: The codes are delayed and the configuration says that they are not, or the other way round.

Why: The pretrained model predicts codebook k one frame after codebook k - 1. Data without the delay asks it for
something else: it starts from chance, and generation is noise.

Fix: Take use_delay_pattern from the model's configuration in the collator; do not hard-code it.
"""

ORDER = 60
CODES = ("delay-mismatch",)
