"""What a person types for Omniglot's official split, and what is refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omniglot_trees import alphabet

OFFICIAL = "--data.name omniglot --data.split official --max_steps 2".split()


@pytest.fixture(scope="module")
def background(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("background")
    for name in ("Greek", "Latin"):
        alphabet(root, name, 2)
    return str(root)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (OFFICIAL, "is judged on one-shot runs, and "),
        ([*OFFICIAL, "--data.background", "small1"], "is judged on one-shot runs, and "),
        ("--data.name omniglot --data.background small2".split(), "is of the official split alone"),
        (
            "--data.name folder --data.background small2".split(),
            "is a setting of data set 'omniglot'; 'folder' has none",
        ),
        ("--data.name folder --data.split official".split(), "but data set 'folder' takes auto, "),
        ([*OFFICIAL, "--evaluate.monitor", "oneshot/acuracy"], "did you mean 'oneshot/accuracy'"),
    ],
)
def test_refused_in_a_sentence(
    words: list[str], said: str, background: str, command: Callable[..., Any], tmp_path: Path
) -> None:
    ended = command("run.py", *words, "--data.root", background, "--out", str(tmp_path / "runs"))
    assert ended.code == 2 and said in ended.err and "Traceback" not in ended.err
    assert len(ended.err.strip().splitlines()) == 1
    assert not list(tmp_path.glob("runs/*"))
