from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from sandbox.errors import SandboxError
from sandbox.runs.checkpoints import BEFORE, NEWEST, read_checkpoint, remove_checkpoints, write_checkpoint
from sandbox.runs.folder import RunFolder

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b/c": torch.tensor(3), "empty": torch.empty(0, 4)}


def written(folder: RunFolder, *steps: int) -> None:
    for step in steps:
        write_checkpoint(folder, {**TENSORS, "a": TENSORS["a"] + step}, {"step": step, "x": [None, 0.1]})


def found(folder: RunFolder) -> tuple[int, str]:
    held = read_checkpoint(folder)
    assert held
    tensors, state, note = held
    assert torch.equal(tensors["a"], TENSORS["a"] + state["step"]) and state == {
        "step": state["step"],
        "x": [None, 0.1],
    }
    return state["step"], note


def test_the_last_two_are_kept_and_the_newest_is_read(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert read_checkpoint(folder) is None
    written(folder, 1, 2, 3)
    assert {path.name for path in tmp_path.iterdir()} == {NEWEST, BEFORE}
    assert found(folder) == (3, "")
    (tmp_path / NEWEST).unlink()  # as where a crash falls between two renames
    assert found(folder) == (2, "")
    remove_checkpoints(folder)
    assert not [*tmp_path.iterdir()]


def turned(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("damage", ["cut", "empty", "a bit of a tensor", "a bit of the state", "another's"])
def test_a_damaged_one_falls_back_to_the_one_before_and_says_so(damage: str, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    written(folder, 1, 2)
    content = (tmp_path / NEWEST).read_bytes()
    (tmp_path / NEWEST).write_bytes(
        {
            "cut": content[:-1],
            "empty": b"",
            "a bit of a tensor": turned(content, len(content) - 20),
            "a bit of the state": content.replace(b'\\"step\\": 2', b'\\"step\\": 7'),
            "another's": content.replace(b'"b/c"', b'"b/d"'),
        }[damage]
    )
    step, note = found(folder)
    assert step == 1 and note.startswith(f"{tmp_path / NEWEST} is damaged: ")
    assert note.endswith("going on from the checkpoint before it")
    (tmp_path / BEFORE).write_bytes(b"x")
    with pytest.raises(SandboxError, match=r"is damaged: .*, and so is the one before it; start a new run"):
        read_checkpoint(folder)


def test_one_of_a_run_that_knew_no_checksums_is_read(tmp_path: Path) -> None:
    folder, state = RunFolder(tmp_path), {"step": 4, "x": [None, 0.1]}
    tensors: dict[str, Any] = {**TENSORS, "a": TENSORS["a"] + 4}
    folder.write_tensors(NEWEST, tensors, state)
    assert found(folder) == (4, "")
