"""Name faces with a trained network: python experiments/recognise.py enrol RUN FOLDER --out people.npz."""

from sandbox.cli.start import start

if __name__ == "__main__":
    start("recognise")
