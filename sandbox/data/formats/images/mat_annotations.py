"""Annotations in a MATLAB file, read in a process of their own: a damaged one makes SciPy's reader crash Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.wording import reason

_SECONDS = 600
_READ = """
import json, sys
import numpy as np
from scipy.io import loadmat
try:
    table = loadmat(sys.argv[1], squeeze_me=True)["annotations"]
    paths = [str(path) for path in np.atleast_1d(table[sys.argv[2]])]
    numbers = [int(number) for number in np.atleast_1d(table["class"])]
    print(json.dumps([paths, numbers]))
except Exception as error:  # the reader raises a dozen unrelated types on damaged files
    print(json.dumps(f"{error}" or type(error).__name__))
"""


def read_annotations(file: Path, field: str) -> list[tuple[str, int]]:
    """The path and the class of each row of the variable `annotations`.

    Args:
        file: a MATLAB file, as the Cars-196 lists are.
        field: that holds the path.

    Raises:
        SandboxError: the file cannot be read, or is damaged.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", _READ, str(file), field], capture_output=True, text=True, timeout=_SECONDS
        )
        held = json.loads(done.stdout) if done.returncode == 0 else f"its reader ended with code {done.returncode}"
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        held = reason(error)
    if isinstance(held, str):
        raise SandboxError(f"cannot read {file} as annotations of Cars-196: {reason(ValueError(held), 200)}")
    paths, numbers = held
    if len(paths) != len(numbers):
        raise SandboxError(f"cannot read {file} as annotations of Cars-196: {len(paths)} paths, {len(numbers)} classes")
    return list(zip(paths, numbers, strict=True))
