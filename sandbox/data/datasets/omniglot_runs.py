"""The official one-shot runs of Omniglot: 20 folders of 20 trials each, found by what they hold and checked.

A run is a folder with ``class_labels.txt`` beside ``training/`` and ``test/``. Each line of the file pairs a test
drawing with the training drawing of the same character, ``run01/test/item01.png run01/training/class08.png``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.data.images.files import counts
from sandbox.errors import SandboxError
from sandbox.evaluation.trials import Trials
from sandbox.files import reading
from sandbox.wording import counted, first_names, printable, shown

RUNS, WAYS = 20, 20
SIDE = 105
"""Pixels of a drawing's side, as published."""
PUBLISHED = "a1772342f55a7fe30cc491f6bccbf205cac97fa6bb3c03dbdb42d676c8c710a2"
"""What `content` gives of the runs that the authors publish (commit 057f034 of brendenlake/omniglot)."""

_LABELS = "class_labels.txt"
_NAMES = tuple(f"run{number:02d}" for number in range(1, RUNS + 1))
_LINE = "run01/test/item01.png run01/training/class08.png"
NEEDED = (
    f"the {RUNS} folders {_NAMES[0]} to {_NAMES[-1]} of the one-shot task ({_LABELS} beside training/ and test/), as "
    "python/one-shot-classification/all_runs.zip of github.com/brendenlake/omniglot unpacks"
)


@dataclass(frozen=True)
class OneShotRun:
    """A run: its drawings, and which show one character."""

    folder: Path
    training: tuple[Path, ...]
    """(20,) one drawing of each character, sorted by name."""
    pairs: tuple[tuple[Path, Path], ...]
    """(20,) a test drawing and the training drawing of its character, sorted by name."""

    @property
    def name(self) -> str:
        """``run01``."""
        return self.folder.name

    @property
    def files(self) -> list[Path]:
        """The training drawings, then the test drawings."""
        return [*self.training, *(test for test, _ in self.pairs)]

    def named(self) -> list[tuple[str, Path]]:
        """The character of each drawing, called after its training drawing (``run01/class08``), and its file."""
        called = {file: f"{self.name}/{file.stem}" for file in self.training}
        return [*((name, file) for file, name in called.items()), *((called[own], test) for test, own in self.pairs)]


def find_runs(root: Path, files: Iterable[Path]) -> tuple[list[OneShotRun], list[str]]:
    """The 20 runs, by name, and sentences on copies that were passed over.

    Args:
        root: what is searched, for the sentences.
        files: every image file below it.

    Raises:
        SandboxError: no runs, some of the 20 missing or twice and different, or one that is not whole.
    """
    folders = sorted({file.parent.parent for file in files if file.parent.name in ("training", "test")})
    found: dict[str, list[OneShotRun]] = {}
    for folder in folders:
        if (folder / _LABELS).is_file():
            found.setdefault(folder.name, []).append(_read(folder))
    if not found:
        raise SandboxError(f"data.split official is judged on one-shot runs, and {root} holds none; it needs {NEEDED}")
    missing = [name for name in _NAMES if name not in found]
    others = sorted(set(found) - set(_NAMES))
    if missing or others:
        said = [f"no {first_names(missing)}"] if missing else []
        said += [f"also {first_names(others)}"] if others else []
        raise SandboxError(
            f"{root} holds {counted(len(found), 'one-shot run', 'one-shot runs')} and not the {RUNS} of the official "
            f"task: there is {' and '.join(said)}"
        )
    copies = [name for name in _NAMES if len(found[name]) > 1]
    for name in copies:
        _refuse_unlike(found[name])
    notes = [f"{counted(len(copies), 'one-shot run lies', 'one-shot runs lie')} there twice, alike, and read once: "]
    return [found[name][0] for name in _NAMES], [notes[0] + first_names(copies)] if copies else []


def trials_of(runs: Sequence[OneShotRun], row: dict[Path, int]) -> Trials:
    """The trials of runs: each test drawing among the training drawings of its run.

    Args:
        runs: by name.
        row: the row of each drawing.
    """
    support = [[row[file] for file in run.training] for run in runs for _ in run.pairs]
    query = [row[test] for run in runs for test, _ in run.pairs]
    answer = [run.training.index(own) for run in runs for _, own in run.pairs]
    number = [place for place, run in enumerate(runs, start=1) for _ in run.pairs]
    return Trials(*(np.array(column, dtype=np.int64) for column in (support, query, answer, number)))


def content(ink: np.ndarray, trials: Trials) -> str:
    """Hex digest (64 characters) of drawings (N, H, W) bool and of what is asked of them, not of their files."""
    digest = hashlib.sha256(np.packbits(ink).tobytes())
    for column in (trials.support, trials.query, trials.answer):
        digest.update(np.ascontiguousarray(column, dtype="<i8").tobytes())
    return digest.hexdigest()


def _read(folder: Path) -> OneShotRun:
    file = folder / _LABELS
    with reading("", file):
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
    pairs = [_pair(folder, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    parts = {part: _drawings(folder / part) for part in ("training", "test")}
    for part, column in (("test", 0), ("training", 1)):
        named = [pair[column] for pair in pairs]
        if len(pairs) != WAYS or len(set(named)) != len(pairs) or set(named) != set(parts[part]):
            drawings = counted(len(parts[part]), f"{part} drawing", f"{part} drawings")
            raise SandboxError(
                f"{file} pairs {len(set(named))} of {drawings} in {counted(len(pairs), 'line', 'lines')}, but a "
                f"one-shot run has {WAYS} of each, all in one pair"
            )
    return OneShotRun(folder, tuple(parts["training"]), tuple(sorted(pairs)))


def _pair(folder: Path, number: int, line: str) -> tuple[Path, Path]:
    """The test and the training drawing that a line names."""
    words, where = line.split(), f"line {number} of {folder / _LABELS}"
    if len(words) != 2:
        raise SandboxError(f"{where} is {shown(line.strip())}, but names two drawings, such as '{_LINE}'")
    files = []
    for word, part in zip(words, ("test", "training"), strict=True):
        run, _, inside = word.partition("/")
        place, _, name = inside.partition("/")
        file = folder / part / name
        if (run, place) != (folder.name, part) or not name or "/" in name or not file.is_file():
            raise SandboxError(f"{where} names {printable(word)}, which is no drawing in {folder.name}/{part}/")
        files.append(file)
    return files[0], files[1]


def _drawings(folder: Path) -> list[Path]:
    with reading("", folder):
        return sorted(file for file in folder.iterdir() if counts(file.name) and file.suffix.lower() == ".png")


def _refuse_unlike(copies: Sequence[OneShotRun]) -> None:
    """Copies of a run of which one differs: which of them is the official one cannot be known."""
    contents = []
    for run in copies:
        with reading("", run.folder):
            inside = [(file.relative_to(run.folder), file.read_bytes()) for file in run.files]
        pairs = [(test.name, own.name) for test, own in run.pairs]
        contents.append((inside, pairs))
    for run, held in zip(copies, contents, strict=True):
        if held != contents[0]:
            raise SandboxError(
                f"{copies[0].name} lies in {copies[0].folder} and in {run.folder}, and the two differ; leave one of "
                "them below data.root"
            )
