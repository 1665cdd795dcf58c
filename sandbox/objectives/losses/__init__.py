"""Losses of our own: one file each, with its paper, its equation and its registration."""
