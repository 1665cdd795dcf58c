"""Draw a picture by one command: python experiments/draw.py map --run results/runs/ID."""

from sandbox.cli.start import start

if __name__ == "__main__":
    start("draw")
