from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sandbox.data.homework.submission import Task, combined_score, lists, read_images, write
from sandbox.data.images.decode import decode
from sandbox.data.images.form import Form
from sandbox.errors import SandboxError

Tree = Callable[[str], Path]


def only(root: Path, kind: str) -> Task:
    (task,) = (task for task in lists(root) if task.kind == kind)
    return task


def rows(file: Path) -> list[list[str]]:
    with file.open(newline="") as stream:
        return list(csv.reader(stream))


def test_what_each_era_asks_for(tree: Tree, tmp_path: Path) -> None:
    expected = {
        "s20": {"classification": ("id", "label"), "verification": ("trial", "score")},
        "f20": {"verification": ("Id", "Category")},
        "s22": {"classification": ("id", "label"), "verification": ("id", "match")},
        "f22": {"classification": ("id", "label"), "identification": ("id", "label")},
        "f24": {"verification": ("ID", "Label")},
    }
    for era, wanted in expected.items():
        root = tree(era)
        assert {task.kind: task.header for task in lists(root)} == wanted
        root.rename(tmp_path / era)


VERIFIED = {
    "s20": ("test_trials_verification_student.txt", "test_verification"),
    "f20": ("verification_pairs_test.txt", "."),
    "s22": ("verification/verification/verification_test.csv", "verification/verification"),
    "f24": ("test_pairs.txt", "ver_data"),
}


@pytest.mark.parametrize("era", VERIFIED)
def test_one_row_for_each_pair_in_order(tree: Tree, era: str, tmp_path: Path) -> None:
    root = tree(era)
    name, base = VERIFIED[era]
    lines = (root / name).read_text().splitlines()[1 if era == "s22" else 0 :]
    task = only(root, "verification")
    assert task.source == root / name
    sides = [[task.images[left], task.images[right]] for left, right in zip(task.left, task.right, strict=True)]
    assert sides == [[root / base / image for image in line.replace(",", " ").split()] for line in lines]
    assert len(set(task.images)) == len(task.images)
    scores = np.linspace(-1, 1, len(lines)).astype(np.float32)
    written = rows(write(task, scores, tmp_path / "out.csv"))
    ids = lines if era in ("s20", "f20") else [str(row) for row in range(len(lines))]
    assert written[0] == list(task.header)
    assert [row[0] for row in written[1:]] == ids
    assert np.array_equal(np.array([row[1] for row in written[1:]], dtype=np.float64), scores.astype(np.float64))


def test_classification_in_the_order_of_the_list(tree: Tree, tmp_path: Path) -> None:
    root = tree("s20")
    task = only(root, "classification")
    order = ["3.jpg", "0.jpg", "4.jpg", "2.jpg", "1.jpg"]
    assert [image.relative_to(root).as_posix() for image in task.images] == [
        f"test_classification/medium/{name}" for name in order
    ]
    assert task.classes == ("0", "1", "10", "2")
    written = rows(write(task, ["10", "2", "0", "1", "1"], tmp_path / "out.csv"))
    assert written == [["id", "label"], *([name, who] for name, who in zip(order, "10 2 0 1 1".split(), strict=True))]


@pytest.mark.parametrize("era", ["s22", "f22"])
def test_classification_without_a_list_in_the_order_of_names_with_numbers(tree: Tree, era: str, tmp_path: Path) -> None:
    task = only(tree(era), "classification")
    out = write(task, np.array(["n3", "n1", "n2", "n3"]), tmp_path / "out.csv")
    assert out.read_text() == "id,label\n000000.jpg,2\n000001.jpg,0\n000002.jpg,1\n000003.jpg,2\n"


def test_a_list_may_name_an_image_twice(tree: Tree) -> None:
    root = tree("s20")
    (root / "test_order_classification.txt").write_text("1.jpg\n0.jpg\n1.jpg\n")
    task = only(root, "classification")
    assert [task.images[place].name for place in task.left] == ["1.jpg", "0.jpg", "1.jpg"]
    assert len(task) == 3


def test_identification_answers_with_names(tree: Tree, tmp_path: Path) -> None:
    root = tree("f22")
    task = only(root, "identification")
    assert [image.parent.name for image in task.images] == ["unknown_test"] * 5 + ["n5", "n6", "n7"]
    assert [image.name for image in task.images[:5]] == [f"{number:06d}.jpg" for number in range(5)]
    assert task.known == ("n5", "n6", "n7")
    out = write(task, ["n7", "n000000", "n5", "n5", "n6"], tmp_path / "out.csv")
    assert out.read_text() == "id,label\n0,n7\n1,n000000\n2,n5\n3,n5\n4,n6\n"


@pytest.mark.parametrize(
    ("era", "kind"), [("s20", "classification"), ("f24", "verification"), ("f22", "identification")]
)
def test_the_pixels_are_those_of_the_images(tree: Tree, era: str, kind: str) -> None:
    task = only(tree(era), kind)
    pixels = read_images(task, Form(12, "rgb"))
    assert np.array_equal(pixels, np.stack([decode(image, 12, 3) for image in task.images]))
    assert read_images(task, Form(8, "grey")).shape == (len(task.images), 8, 8, 1)


def test_an_unreadable_image_is_refused(tree: Tree) -> None:
    root = tree("s22")
    (root / "classification" / "classification" / "test" / "000002.jpg").write_bytes(b"no image")
    with pytest.raises(SandboxError, match=r"asks for 1 image that cannot be read: .*test/000002\.jpg$"):
        read_images(only(root, "classification"), Form(8))


@pytest.mark.parametrize("era", VERIFIED)
def test_absent_images_are_refused_with_their_lines(tree: Tree, era: str) -> None:
    root = tree(era)
    name, base = VERIFIED[era]
    lines = [line.replace(",", " ").split() for line in (root / name).read_text().splitlines()]
    gone = lines[1][1]
    (root / base / gone).unlink()
    first = next(number for number, line in enumerate(lines, start=1) if gone in line)
    with pytest.raises(SandboxError, match=rf"names 1 image that is not in .*: {gone} \(line {first}\)"):
        lists(root)


def test_an_absent_image_of_the_order_is_refused_with_its_line(tree: Tree) -> None:
    root = tree("s20")
    (root / "test_classification" / "medium" / "4.jpg").unlink()
    with pytest.raises(SandboxError, match=r"test_order_classification\.txt names 1 image .*: 4\.jpg \(line 3\)"):
        lists(root)


def test_a_list_with_answers_in_place_of_one_without_is_refused(tree: Tree) -> None:
    root = tree("f24")
    (root / "test_pairs.txt").write_text("000000.jpg 000001.jpg 1\n")
    with pytest.raises(SandboxError, match=r"test_pairs\.txt line 1 must read like 'a\.jpg b\.jpg', not '0000"):
        lists(root)


def test_nothing_to_hand_in(tree: Tree) -> None:
    root = tree("f24")
    (root / "test_pairs.txt").unlink()
    with pytest.raises(SandboxError, match="neither test images without labels nor a list of pairs without answers"):
        lists(root)


def test_values_that_do_not_fit_are_refused_and_nothing_is_written(tree: Tree, tmp_path: Path) -> None:
    root = tree("s20")
    kind, pairs = only(root, "classification"), only(root, "verification")
    out = tmp_path / "out.csv"
    out.write_text("before")
    with pytest.raises(SandboxError, match="asks for 5 rows, but there are 4 values"):
        write(kind, ["0"] * 4, out)
    with pytest.raises(SandboxError, match=r"row 1 \('0.jpg'\) says '100', who is nobody here; did you mean '10'\?"):
        write(kind, ["0", "100", "0", "0", "0"], out)
    with pytest.raises(SandboxError, match=r"the score of row 6 \('.*'\) is nan"):
        write(pairs, [0.0] * 6 + [float("nan")], out)
    assert out.read_text() == "before"
    with pytest.raises(SandboxError, match=r"cannot write .*no/out\.csv: No such file"):
        write(kind, ["0"] * 5, tmp_path / "no" / "out.csv")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["homework", "out.csv"]


def test_the_combined_score() -> None:
    assert combined_score(1.0, 0.0) == 1.0
    assert combined_score(0.0, 1.0) == 0.0
    assert combined_score(0.5, 0.25) == 0.625
    with pytest.raises(SandboxError, match=r"the EER is 12, but must be a share"):
        combined_score(0.5, 12)
    with pytest.raises(SandboxError, match=r"the accuracy is nan"):
        combined_score(float("nan"), 0.1)
