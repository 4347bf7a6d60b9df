"""One framework a module or package: where the guard is attached, and what actions may do to its loop."""
