"""Finished runs to a table: python experiments/table.py results/runs --out results/tables/NAME.md."""

from sandbox.cli.start import start

if __name__ == "__main__":
    start("table")
