"""Steps from a file of questions or candidates to another: one file a method."""
