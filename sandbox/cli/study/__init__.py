"""What tune.py says and does: words after its name, progress of a search, a study in sentences."""
