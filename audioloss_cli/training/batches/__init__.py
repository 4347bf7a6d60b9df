"""The batches of a training, and what the checks of the probe say of them."""
