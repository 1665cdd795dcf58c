"""Embed images by any network: python experiments/embed.py NETWORK IMAGES --out FILE.npz."""

from sandbox.cli.start import start

if __name__ == "__main__":
    start("embed")
