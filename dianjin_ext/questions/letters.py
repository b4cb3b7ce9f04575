"""The letters that name options."""

LETTERS = "ABCDEFGHIJ"
"""Option letters a question may use; verl's rows have one column for each."""
