"""`metric-sandbox WHAT ...`, or `python -m sandbox WHAT ...`: every command of experiments/ by its name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version

from sandbox.called import INSTALLED, PROGRAMS
from sandbox.cli.start import start

WHAT = {
    "run": "train one recipe, evaluate it, record it",
    "tune": "search the values that a recipe marks, and look at studies",
    "table": "finished runs as tables, comparisons, pictures and pages",
    "evaluate": "score embeddings of any origin, or a finished run",
    "recognise": "enrol people, name faces, and measure how often that goes wrong",
    "data": "show, check and count a data set; align faces",
    "draw": "draw a map of embeddings, scores of pairs, features in the plane",
    "embed": "embed images by any network, into a file for evaluate",
    "export": "write a trained network to a file that others can run",
    "benchmark": "time parts of the sandbox against other code",
    "check": "try what a plug-in registers: check FILE.py",
    "completion": "print what bash, zsh or tcsh needs to complete all this",
}


def main() -> None:
    """Start what the first word names."""
    word = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if word in PROGRAMS:
        return start(word, sys.argv[2:])
    if word in ("-h", "--help"):
        from sandbox.cli.help import overview

        return print(overview([f"{INSTALLED} WHAT [OPTIONS]"], WHAT, f"{INSTALLED} WHAT --help says more."))
    if word == "--version":
        return print(version("metric-learning-sandbox"))
    from sandbox.errors import exit_on_error

    exit_on_error(lambda: _complete_or_refuse(word, sys.argv[2:]))


def _complete_or_refuse(word: str, rest: Sequence[str]) -> None:
    from sandbox.errors import SandboxError, unknown

    if word == "check":
        from sandbox.cli.check import check

        return check(rest)
    if word != "completion":
        raise unknown("command", word, WHAT, f"{INSTALLED} --help says what each does")
    from sandbox.cli.completion import SHELLS, script

    if len(rest) != 1 or rest[0] in ("-h", "--help"):
        last = f'such as eval "$({INSTALLED} completion bash)" in ~/.bashrc'
        raise SandboxError(f"completion takes one of {', '.join(SHELLS)}, {last}")
    print(script(rest[0]), end="")


if __name__ == "__main__":
    main()
