"""A sandbox for deep metric learning: state an experiment in one line, train it, trust its number.

flags and TOML -> recipe -> data -> objectives and backbones -> training -> evaluation -> runs -> reporting.
pipeline goes that way once; tuning goes it many times; scoring, inference, recognition and pictures start from what it
left. A package imports only those below it (pyproject.toml has the floors).
"""
