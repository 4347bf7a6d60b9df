"""What can be wrong with a run as a whole, one finding a module: its docstring is its documentation."""
