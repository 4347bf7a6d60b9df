"""Fuzzing of the probe's files: checkpoints of every layout, and batches; ``python -m tests.fuzz.checkpoints``."""
