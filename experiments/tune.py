"""Search what a recipe marks: python experiments/tune.py --loss "triplet(margin=tune(0.05, 0.5))" --trials 20."""

from sandbox.cli.start import start

if __name__ == "__main__":
    start("tune")
