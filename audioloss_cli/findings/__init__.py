"""Which findings count: their identity, the baseline, suppressions, and the policies of the gate."""

from audioloss_cli.findings.judge import Judge

__all__ = ["Judge"]
