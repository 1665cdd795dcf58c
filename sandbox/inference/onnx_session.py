"""ONNX Runtime: whether it is here, a file opened by it, and what it says in errors."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError


def open_session(path: Path) -> tuple[Any, dict[str, str]]:
    """An ONNX file, opened by ONNX Runtime, and its metadata.

    It runs on CUDA where the installed ONNX Runtime does, without TF32, else on the CPU.

    Raises:
        SandboxError: ONNX Runtime is not installed, there is no such file, or it is damaged or no ONNX file.
    """
    if os.path.isdir(path):
        raise SandboxError(f"{path} is a folder, but an exported network is one file that ends in .onnx")
    if not os.path.isfile(path):  # where Path.is_file raises, as for names that are too long, this is False
        raise SandboxError(f"there is no file {path}")
    if path.suffix.lower() != ".onnx":
        raise SandboxError(f"{path} does not end in .onnx, as an exported network does")
    need("onnxruntime")
    import onnxruntime

    quiet = 4  # no messages on stderr but the exception's
    onnxruntime.set_default_logger_severity(quiet)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = quiet
    fastest = [("CUDAExecutionProvider", {"use_tf32": "0"}), ("CPUExecutionProvider", {})]
    here = [provider for provider in fastest if provider[0] in onnxruntime.get_available_providers()]
    try:
        session = onnxruntime.InferenceSession(os.fspath(path), options, providers=here)
        # Texts that are no UTF-8 are found here, and not where they are used.
        _ = [(put.name, put.shape) for put in (*session.get_inputs(), *session.get_outputs())]
        return session, dict(session.get_modelmeta().custom_metadata_map)
    except Exception as error:  # the runtime's errors have no common type below Exception
        raise SandboxError(f"{path} is damaged or no ONNX file: {runtime_reason(error)}") from None


def need(*packages: str) -> None:
    """Refuse to go on without packages that this project does not install by itself.

    Raises:
        SandboxError: some are not installed; it says how they get here.
    """
    absent = [package for package in packages if importlib.util.find_spec(package) is None]
    if absent:
        are = "is" if len(absent) == 1 else "are"
        raise SandboxError(
            f"ONNX files need {' and '.join(packages)}, and {' and '.join(absent)} {are} not installed; "
            'run: pip install -e ".[onnx]"'
        )


def runtime_reason(error: Exception) -> str:
    """What ONNX Runtime has to say, on one line and without its codes."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", " ".join(str(error).split()))
    return re.sub(r"^Load model from .* failed:", "", text)[:200] or type(error).__name__
