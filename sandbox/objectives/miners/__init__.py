"""Miners of our own: one file each, with its paper and its registration."""
