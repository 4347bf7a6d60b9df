"""What the gate can ask of every run, one policy a module with a function ``check(run, gate)``."""
