"""The body of each command: a dataclass of what it takes, and `main(argv)`, which does it."""
