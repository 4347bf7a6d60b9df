"""Reading and scanning against what else reads training logs: works, contenders, measurements, tables."""
