"""Unit tests for alerting: a file of made-up series, and the alerts that each must raise."""
