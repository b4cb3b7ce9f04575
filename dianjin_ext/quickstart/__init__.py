"""The two-stage run, end to end, on a machine without a GPU."""
