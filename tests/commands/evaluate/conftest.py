"""What the tests of evaluate.py score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from score_files import IMAGES, PEOPLE, Report, read, rows, saved


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    """Embeddings with labels."""
    x, y = rows()
    return saved(tmp_path / "faces.npz", embeddings=x, labels=y)


@pytest.fixture
def others(tmp_path: Path) -> Path:
    """Embeddings of other people."""
    x, y = rows(1)
    return saved(tmp_path / "others.npz", embeddings=x, labels=y + 100)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Lines `a b 1` over the rows: 40 genuine pairs and 60 of different people."""
    genuine = [(person * IMAGES, person * IMAGES + other) for person in range(PEOPLE) for other in (1, 2)]
    impostors = [(a * IMAGES, (a + step) % PEOPLE * IMAGES + step) for a in range(PEOPLE) for step in (1, 2, 3)]
    lines = [f"{a} {b} 1" for a, b in genuine] + [f"{a} {b} 0" for a, b in impostors]
    file = tmp_path / "pairs.txt"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def scored(command: Callable[..., Any], tmp_path: Path) -> Callable[..., Report]:
    """Runs the command and reads its report, whose every entry must be whole."""

    def run(*words: str | Path) -> Report:
        file = tmp_path / "scored.json"
        said = command("evaluate.py", *map(str, words), "--json", str(file))
        assert said.code == 0, said.err
        assert all(line.startswith("note: ") for line in said.err.splitlines()), said.err
        return read(file)

    return run
