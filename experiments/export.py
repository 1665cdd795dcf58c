"""Write a run's network to a file that others can run: python experiments/export.py RUN --onnx FILE.onnx."""

from sandbox.cli.start import start

if __name__ == "__main__":
    start("export")
