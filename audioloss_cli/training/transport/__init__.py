"""How numbers and batches come from devices and from other ranks, without a wait."""
