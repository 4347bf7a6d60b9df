"""The life of an incident: pending, firing, resolved; the groups of rules that share one; recovery."""
