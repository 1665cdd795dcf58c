"""A network by what a person calls it: a run, what one was exported to, or one from elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.inference.embedder import Embedder
from sandbox.inference.hub import CONFIG, is_hub, load_hub
from sandbox.inference.network_text import read_text
from sandbox.inference.trained import load_trained
from sandbox.runs.folder import RunFolder


def load_network(path: Path, *, rows: bool = False) -> Embedder:
    """The network that a person points at.

    Args:
        path: the folder of a run or one that `export.py --hub` wrote, an ONNX file, ``timm:NAME`` or
            ``torchvision:NAME``; with settings in brackets where it does not say them itself (`network_text`).
        rows: whether a head over rows of numbers will do.

    Raises:
        SandboxError: there is none, or it cannot be used.
    """
    named = read_text(str(path))
    if named.of_library:
        from sandbox.inference.published_network import published_network

        return published_network(named.name, named.settings)
    file = Path(named.name)
    if file.suffix.lower() == ".onnx" and not (os.path.isdir(file) and is_hub(file)):
        from sandbox.inference.onnx_network import load_onnx

        if "weights" in named.settings:
            raise SandboxError(f"weights is a setting of timm:NAME and torchvision:NAME; {file} holds its own")
        return load_onnx(file, named.settings)
    if os.path.isfile(file):  # where Path.is_file raises, as for names that are too long, this is False
        raise SandboxError(f"{file} is a file, but a network is the folder of a finished run or an .onnx file")
    if is_hub(file):
        found = load_hub(file)
        if found.of_rows and not rows:
            raise SandboxError(
                f"{file / CONFIG} says that the network is a head over rows of numbers: it takes no images"
            )
        return found
    return load_trained(RunFolder(file), rows=rows)
