"""From what a step offers to points of the monitors: read, recomputed, put together over micro-batches."""
