"""Omniglot's official split as a small tree: three background alphabets, and the 20 one-shot runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 15
CHARACTERS: Mapping[str, int] = {"Greek": 20, "Latin": 20, "Tagalog": 3}
DRAWERS = 2
RUNS = tuple(f"run{number:02d}" for number in range(1, 21))


def draw(file: Path, character: tuple[int, ...], drawer: int) -> None:
    """Black ink on white, 1 bit: six spots of the character, and three of the drawer's own."""
    ink = np.zeros(SIDE * SIDE, dtype=bool)  # little of it, or its distances take long
    ink[np.random.default_rng(character).integers(0, ink.size, 6)] = True
    ink[np.random.default_rng((*character, drawer, 1)).integers(0, ink.size, 3)] = True
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(~ink.reshape(SIDE, SIDE)).save(file)


def alphabet(root: Path, name: str, characters: int, layout: str = "{}/character{:02d}") -> None:
    for number in range(1, characters + 1):
        for drawer in range(1, DRAWERS + 1):
            folder = root / layout.format(name, number)
            draw(folder / f"{number:04d}_{drawer:02d}.png", (*name.encode(), number), drawer)


def one_run(root: Path, name: str) -> None:
    """20 training and 20 test drawings, which class_labels.txt pairs in another order."""
    place = RUNS.index(name)
    order = np.random.default_rng(place).permutation(20) + 1
    lines = []
    for item, number in enumerate(order, start=1):
        draw(root / name / "training" / f"class{number:02d}.png", (place, int(number)), 1)
        draw(root / name / "test" / f"item{item:02d}.png", (place, int(number)), 2)
        lines.append(f"{name}/test/item{item:02d}.png {name}/training/class{number:02d}.png")
    (root / name / "class_labels.txt").write_text("\n".join(lines) + "\n")


def official_tree(root: Path) -> Path:
    """The whole of it; alphabets in both layouts that the archives have."""
    for name, characters in CHARACTERS.items():
        alphabet(
            root / "background", name, characters, "{}_character{:02d}" if name == "Greek" else "{}/character{:02d}"
        )
    for name in RUNS:
        one_run(root / "one" / "shot", name)
    return root


def copied(tree: Path, root: Path, change: Callable[[Path], object] = lambda root: None) -> Path:
    """The same tree under another root, its files shared on the disk, and something changed there."""
    shutil.copytree(tree, root, copy_function=os.link)
    change(root)
    return root


def rewritten(file: Path, text: str) -> None:
    """A new file in the place of one that another tree shares."""
    file.unlink()
    file.write_text(text)
