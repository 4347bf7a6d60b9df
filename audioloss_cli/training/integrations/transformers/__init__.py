"""``transformers.Trainer``: a callback, and a mixin that knows the loss that is trained."""
