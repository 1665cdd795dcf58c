"""Putting a trained network to use: people enrolled by name, and images named by them."""
