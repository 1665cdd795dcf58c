from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.data.images.parts import parts_of
from sandbox.errors import SandboxError


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.mark.parametrize(
    ("files", "whole", "flat", "called_so", "others"),
    [
        (["a/1.png", "b/1.png"], "", "", "", ""),
        (["train/a/1.png", "val/a/1.png", "test/a/1.png"], "train/ val/ test/", "", "", ""),
        (["TRAIN/a/1.png", "Testing/1.png"], "TRAIN/", "Testing/", "", ""),
        (["train/a/1.png", "train/stray.png", "val/a/1.png"], "train/ val/", "", "", ""),
        (["train/train/a/1.png", "test/test/1.png"], "train/train/", "test/", "", ""),
        (["gallery/a/1.png", "query/a/1.png", "train/a/1.png"], "train/ gallery/ query/", "", "", ""),
        (["distractors/1.png", "bounding_box_train/a/1.png"], "bounding_box_train/", "distractors/", "", ""),
        (["boat/1.png", "train/1.png"], "", "", "train/", "boat/"),
        (["boat/1.png", "train/1.png", "train/steam/1.png"], "", "", "train/", "boat/"),
        (["boat/1.png", "train/steam/1.png"], "train/", "", "", "boat/"),
        (["boat/1.png", "train/1.png", "test/1.png"], "", "", "test/ train/", "boat/"),
        (["train/a/1.png", "test/readme.txt"], "train/", "", "", ""),
        (["train/a/1.png", "@test/1.png", "notes/readme.txt"], "train/", "", "", ""),
    ],
)
def test_folders_are_told_apart(
    tmp_path: Path, files: list[str], whole: str, flat: str, called_so: str, others: str
) -> None:
    put(tmp_path, *files)
    parts = parts_of(tmp_path)
    found = [" ".join(map(parts.name, folders)) for folders in (parts.whole, parts.flat, parts.called_so, parts.others)]
    assert found == [whole, flat, called_so, others]


def test_the_part_that_is_meant_is_the_one_to_train_on(tmp_path: Path) -> None:
    put(tmp_path, "gallery/a/1.png", "bounding_box_train/a/1.png", "query/1.png")
    parts = parts_of(tmp_path)
    assert parts.meant == tmp_path / "bounding_box_train"
    with pytest.raises(
        SandboxError, match=r"query/ with images and no such folders.*bounding_box_train the data\.root"
    ):
        parts.refuse_unlabelled("data.root")


def test_two_parts_of_one_role_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "train/a/1.png", "Training/a/1.png")
    with pytest.raises(SandboxError, match=r"Training/, train/ in .* are both the train part, and one is meant"):
        parts_of(tmp_path).roles  # noqa: B018


def test_folders_in_a_ring_hold_no_image(tmp_path: Path) -> None:
    put(tmp_path, "train/a/notes.txt", "other/notes.txt")
    (tmp_path / "other" / "round").symlink_to(tmp_path)
    assert parts_of(tmp_path).others == ()
