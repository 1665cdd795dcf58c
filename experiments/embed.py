"""Embed images by any network: python experiments/embed.py NETWORK IMAGES --out FILE.npz."""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules load ends without their traces

from sandbox.cli.embed import main
from sandbox.errors import exit_on_error

if __name__ == "__main__":
    exit_on_error(main)
