"""Distances written here, one file each."""
