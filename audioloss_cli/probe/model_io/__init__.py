"""A model and its family: loading a checkpoint, and what the batches and outputs of a family look like."""
