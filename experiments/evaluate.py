"""Score embeddings or a finished run: python experiments/evaluate.py --embeddings FILE.npz --pairs pairs.txt."""

from sandbox.cli.start import start

if __name__ == "__main__":
    start("evaluate")
