"""Every detector over the same logs: trials, the figures counted from them, and their tables."""
