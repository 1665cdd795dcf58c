"""A trained network by where it lies: the folder of a run, or an ONNX file that one was exported to."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.inference.embedder import Embedder
from sandbox.inference.trained import load_trained
from sandbox.runs.folder import RunFolder


def load_network(path: Path) -> Embedder:
    """The network that a person points at.

    Raises:
        SandboxError: neither a finished run nor an ONNX file of this project.
    """
    if path.suffix.lower() == ".onnx":
        from sandbox.inference.onnx_network import load_exported

        return load_exported(path)
    if os.path.isfile(path):  # where Path.is_file raises, as for names that are too long, this is False
        raise SandboxError(f"{path} is a file, but a network is the folder of a finished run or an .onnx file")
    return load_trained(RunFolder(path))
