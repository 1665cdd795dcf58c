"""A sandbox for deep metric learning: state an experiment in one line, train it, trust its number."""
