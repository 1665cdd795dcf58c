"""Speed as ratios of two things timed alternately in one run: python experiments/benchmark.py."""

from sandbox.cli.start import start

if __name__ == "__main__":
    start("benchmark")
