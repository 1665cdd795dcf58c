"""Networks of our own: one file each, with its source and its registration."""
