"""Which findings count: their identity, the baseline, suppressions, and the policies of the gate."""
