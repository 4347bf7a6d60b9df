"""What the process says when it ends; a module of its own, since every start needs it and nothing else."""

CLEAN, FINDINGS, USAGE, NOT_AUDITED, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 130
