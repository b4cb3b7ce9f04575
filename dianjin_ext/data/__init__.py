"""From raw data sets to training rows, and the methods that make data."""
