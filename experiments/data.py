"""Look at data before training on it: python experiments/data.py show --data.name folder --data.root PATH."""

from sandbox.cli.start import start

if __name__ == "__main__":
    start("data")
