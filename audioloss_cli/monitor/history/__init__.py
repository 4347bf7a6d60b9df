"""What is usual of a series: its last points, its baseline, its spread and its kind."""
