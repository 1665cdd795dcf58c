"""Train one recipe, evaluate it, record it: python experiments/run.py --loss triplet --miner hard."""

from sandbox.cli.start import start

if __name__ == "__main__":
    start("run")
