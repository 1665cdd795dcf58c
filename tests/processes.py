"""Python scripts on two processes each, as torchrun starts them, but without the seconds that its imports take."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_SERVER = """
import json, os, runpy, signal, socket, sys, traceback
import torch._dynamo  # which the first optimizer imports, for seconds
import sandbox.cli.progress, sandbox.data.catalog, sandbox.objectives.language, sandbox.pipeline.run

signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what runs in its background
for line in sys.stdin:
    out, *sys.argv = json.loads(line)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ.update(WORLD_SIZE="2", LOCAL_WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    children = []
    for rank in "01":
        if (child := os.fork()) == 0:
            os.environ.update(RANK=rank, LOCAL_RANK=rank)
            for stream, name in ((1, "out"), (2, "err")):
                os.dup2(os.open(f"{out}/{name}", os.O_CREAT | os.O_WRONLY | os.O_APPEND), stream)
            code = 0
            try:
                runpy.run_path(sys.argv[0], run_name="__main__")
            except SystemExit as end:
                code = end.code or 0
            except BaseException:
                traceback.print_exc()
                code = 1
            sys.stdout.flush(), sys.stderr.flush()
            os._exit(code)
        children.append(child)
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]), flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """How two processes ended."""

    codes: list[int]
    """Of rank 0 and of rank 1."""
    out: str
    err: str


@cache
def _server() -> subprocess.Popen[str]:
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    atexit.register(server.kill)
    return server


def two(script: str, *words: str, said: Path) -> Ended:
    """Run a script with its words on two processes, from the project's root.

    They meet as under torchrun, but without its own process, which takes as long to come up as theirs: they are forked
    off one that has all imported.
    """
    said.mkdir()
    server = _server()
    assert server.stdin and server.stdout
    print(json.dumps([str(said), script, *words]), file=server.stdin, flush=True)
    codes = json.loads(server.stdout.readline())
    return Ended(codes, (said / "out").read_text(), (said / "err").read_text())
