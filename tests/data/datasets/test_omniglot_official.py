"""Omniglot as its authors split it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.data.catalog import load
from sandbox.data.checks.splits import check
from sandbox.data.datasets.omniglot import OmniglotSpec
from sandbox.data.datasets.omniglot_alphabets import BACKGROUND, EVALUATION, background
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError

from omniglot_trees import RUNS, alphabet, copied, draw, official_tree, rewritten

ONE = Path("one", "shot")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return official_tree(tmp_path_factory.mktemp("omniglot"))


def read(root: Path, **settings: object) -> Splits:
    settings = {"split": "official", "image_size": 8, **settings}
    return load(OmniglotSpec(name="omniglot", root=str(root), **settings))  # type: ignore[arg-type]


def alphabets(classes: tuple[str, ...]) -> set[str]:
    return {name.split("/")[0] for name in classes}


def test_the_published_alphabets() -> None:
    assert (len(BACKGROUND), len(EVALUATION)) == (30, 20)
    assert (sum(BACKGROUND.values()), sum(EVALUATION.values())) == (964, 659)
    assert not set(BACKGROUND) & set(EVALUATION)
    one, two = background("small1"), background("small2")
    assert len(one) == len(two) == 5 and {*one, *two} <= set(BACKGROUND)
    assert (sum(BACKGROUND[name] for name in one), sum(BACKGROUND[name] for name in two)) == (136, 156)
    assert sum(BACKGROUND[name] for name in {*one, *two}) == 242


def test_whole_alphabets_are_held_out_and_the_runs_are_test(tree: Path) -> None:
    splits = read(tree)
    trained, held = alphabets(splits.train.classes), alphabets(splits.val.classes)
    assert trained | held == {"Greek", "Latin", "Tagalog"} and not trained & held
    assert len(splits.test) == 0 and not splits.closed_set
    assert "Tagalog" in trained  # of three characters no trial can be made
    task = splits.test_oneshot
    assert task is not None and task.images is not None and task.drawings is not None
    assert (len(task.trials), task.trials.ways, len(task.images), len(task.drawings)) == (400, 20, 800, 800)
    assert task.drawings.pixels.shape[1:] == (105, 105, 1) and task.images.pixels.shape[1:] == (8, 8, 1)
    assert task.images.paths == task.drawings.paths
    assert splits.val_oneshot is not None and splits.val_oneshot.images is None
    used = splits.val.labels[splits.val_oneshot.trials.support]
    assert (np.sort(used, axis=1) == np.arange(20)).all()
    assert any(
        note.startswith("learnt from and chosen on: 3 of the 30 background alphabets: ") for note in splits.notes
    )
    assert any("test holds the official one-shot trials alone" in note for note in splits.notes)
    assert any("3 alphabets are not as published" in note for note in splits.notes)
    assert any("not those that were published" in note for note in splits.notes)


def test_each_trial_is_a_line_of_its_run(tree: Path) -> None:
    task = read(tree).test_oneshot
    assert task is not None and task.images is not None
    asked = set()
    for support, query, answer in zip(task.trials.support, task.trials.query, task.trials.answer, strict=True):
        paths = [task.images.paths[row] for row in support]
        assert len(set(paths)) == 20 and len({Path(path).parent for path in paths}) == 1
        asked.add((task.images.paths[query], paths[answer]))
        assert task.images.labels[query] == task.images.labels[support[answer]]
    lines = set()
    for file in tree.glob("one/shot/*/class_labels.txt"):
        for line in file.read_text().splitlines():
            test, training = line.split()
            lines.add((f"one/shot/{test}", f"one/shot/{training}"))
    assert asked == lines and len(lines) == 400


def test_it_is_the_same_each_time_and_seeds_hold_out_others(tree: Path) -> None:
    assert read(tree).digest == read(tree).digest
    held = {tuple(alphabets(read(tree, split_seed=seed).val.classes)) for seed in range(6)}
    assert held == {("Greek",), ("Latin",)}


def test_evaluation_alphabets_are_tested_and_others_left_out(tree: Path, tmp_path: Path) -> None:
    def more(root: Path) -> None:
        alphabet(root / "deep" / "er", "Angelic", 3)
        alphabet(root, "Klingon", 2)

    splits = read(copied(tree, tmp_path / "more", more))
    assert alphabets(splits.test.classes) == {"Angelic"}
    assert alphabets((*splits.train.classes, *splits.val.classes)) == {"Greek", "Latin", "Tagalog"}
    assert splits.test_oneshot is not None and len(splits.test_oneshot.trials) == 400
    assert "1 alphabet that is not Omniglot's left out: Klingon" in splits.notes
    assert not any("alone" in note for note in splits.notes)


def test_run_drawings_that_are_copies_of_tested_ones_are_no_twins(tree: Path, tmp_path: Path) -> None:
    def copies(root: Path) -> None:
        alphabet(root, "Angelic", 2)
        for place, character in ((1, 1), (2, 2)):
            own = root / "Angelic" / f"character{character:02d}" / f"{character:04d}_01.png"
            other = root / ONE / "run01" / "training" / f"class{place:02d}.png"
            other.unlink()
            shutil.copyfile(own, other)

    spec = OmniglotSpec(name="omniglot", root=str(copied(tree, tmp_path / "copies", copies)), split="official")
    rules = {one.rule for one in check(spec, load(spec)).findings}
    assert rules and not any("twins" in rule for rule in rules)


def test_alphabets_are_held_out_in_turn(tree: Path) -> None:
    held = [alphabets(read(tree, val_fold=f"{fold}/3").val.classes) for fold in (1, 2, 3)]
    assert held == [{"Greek"}, {"Latin"}, {"Tagalog"}]
    last = read(tree, val_fold="3/3")
    assert last.val_oneshot is None and last.test_oneshot is not None
    assert "validation has no one-shot trials: no alphabet in it has 20 characters that two people drew" in last.notes
    drawn, turned = (read(tree, val_fold="1/3", split_seed=seed).val_oneshot for seed in (0, 1))
    assert drawn and turned and not np.array_equal(drawn.trials.query, turned.trials.query)
    with pytest.raises(SandboxError, match="in 3 groups that stay together, make 3 folds at most"):
        read(tree, val_fold="1/4")


def test_a_fold_in_the_place_of_test_leaves_the_official_trials_alone(tree: Path) -> None:
    splits = read(tree, val_fold="1/3", test_fold="2/3")
    assert alphabets(splits.test.classes) == {"Latin"} and alphabets(splits.train.classes) == {"Tagalog"}
    assert splits.test_oneshot is not None and splits.test_oneshot.images is None
    assert {path.split("/")[1] for path in splits.test.paths} == {"Latin"}


def test_a_minimal_set_needs_all_of_its_alphabets(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"data.background is small1, .* has no Balinese, Early_Aramaic, Korean$"):
        read(tree, background="small1")

    def whole(root: Path) -> None:
        for name in ("Balinese", "Early_Aramaic", "Korean"):
            alphabet(root, name, 2)

    splits = read(copied(tree, tmp_path / "whole", whole), background="small1")
    assert alphabets((*splits.train.classes, *splits.val.classes)) == set(background("small1"))


def test_a_background_on_another_split_is_refused(tree: Path) -> None:
    with pytest.raises(SandboxError, match=r"data\.background is small2, but is of the official split alone"):
        read(tree, split="class", background="small2")
    with pytest.raises(SandboxError, match=r"data\.validation is 0, which holds out two of .*, but here 2 people drew"):
        read(tree, validation=0.0)


def test_copies_that_are_alike_are_read_once(tree: Path, tmp_path: Path) -> None:
    def again(root: Path) -> None:
        for name in RUNS[:2]:
            shutil.copytree(root / ONE / name, root / "backup" / name)

    splits = read(copied(tree, tmp_path / "twice", again))
    assert splits.test_oneshot is not None and len(splits.test_oneshot.trials) == 400
    assert "2 one-shot runs lie there twice, alike, and read once: run01, run02" in splits.notes


def _other_copy(root: Path) -> None:
    shutil.copytree(root / ONE / "run03", root / "backup" / "run03")
    draw(root / "backup" / "run03" / "test" / "item01.png", (7, 7), 7)


def _labels(run: str, change: Callable[[list[str]], list[str]]) -> Callable[[Path], None]:
    def written(root: Path) -> None:
        file = root / ONE / run / "class_labels.txt"
        rewritten(file, "\n".join(change(file.read_text().splitlines())))

    return written


def _unreadable(root: Path) -> None:
    rewritten(root / ONE / "run05" / "training" / "class09.png", "no image")


def _one_alphabet(root: Path) -> None:
    shutil.rmtree(root / "background" / "Latin")
    shutil.rmtree(root / "background" / "Tagalog")


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "no runs": (lambda root: shutil.rmtree(root / ONE), "holds none; it needs the 20 folders run01 to run20"),
    "19 runs": (lambda root: shutil.rmtree(root / ONE / "run07"), "holds 19 one-shot runs and not the 20 .* no run07$"),
    "no labels": (lambda root: (root / ONE / "run08" / "class_labels.txt").unlink(), "holds 19 one-shot runs .* run08"),
    "a run renamed": (
        lambda root: (root / ONE / "run07").rename(root / ONE / "run70"),
        "line 1 of .*run70.* names run07/test/item01.png, which is no drawing in run70/test/",
    ),
    "a missing query": (
        lambda root: (root / ONE / "run04" / "test" / "item11.png").unlink(),
        "line 11 of .* names run04/test/item11.png, which is no drawing in run04/test/",
    ),
    "a missing example": (
        lambda root: (root / ONE / "run04" / "training" / "class02.png").unlink(),
        "names run04/training/class02.png, which is no drawing in run04/training/",
    ),
    "a drawing too many": (
        lambda root: draw(root / ONE / "run02" / "test" / "item21.png", (1, 1), 1),
        "pairs 20 of 21 test drawings in 20 lines, but a one-shot run has 20 of each",
    ),
    "19 lines": (_labels("run09", lambda lines: lines[:-1]), "pairs 19 of 20 test drawings in 19 lines"),
    "a line of one word": (
        _labels("run09", lambda lines: [*lines[:4], lines[4].split()[0], *lines[5:]]),
        "line 5 of .* is 'run09/test/item05.png', but names two drawings",
    ),
    "labels of another run": (
        _labels("run09", lambda lines: [line.replace("run09", "run10") for line in lines]),
        "line 1 of .* names run10/test/item01.png, which is no drawing in run09/test/",
    ),
    "a way out of the folder": (
        _labels("run09", lambda lines: [lines[0].replace("test/", "test/../test/"), *lines[1:]]),
        "which is no drawing in run09/test/",
    ),
    "copies that differ": (_other_copy, "run03 lies in .* and in .*, and the two differ; leave one of them"),
    "an unreadable drawing": (
        _unreadable,
        "1 drawing of the one-shot runs cannot be read .*run05/training/class09",
    ),
    "one alphabet": (_one_alphabet, "holds 1 background alphabet of Omniglot's 30, and two are needed"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_task_that_is_not_the_official_one_is_refused(wrong: str, tree: Path, tmp_path: Path) -> None:
    change, said = WRONG[wrong]
    root = copied(tree, tmp_path / "root", change)
    with pytest.raises(SandboxError, match=said) as error:
        read(root)
    assert "\n" not in str(error.value)


def test_ink_is_white_in_the_runs_as_it_is_in_training(tree: Path) -> None:
    task = read(tree, image_size=105).test_oneshot
    assert task is not None and task.images is not None and task.drawings is not None
    np.testing.assert_array_equal(task.images.pixels, task.drawings.pixels)
    with Image.open(tree / task.images.paths[0]) as image:
        ink = 1 - np.asarray(image, dtype=np.uint8).mean()
    assert (task.drawings.pixels[0] / 255).mean() == pytest.approx(ink, abs=0.02)


def more_drawers(root: Path) -> None:
    for folder in (root / "background").rglob("*character*"):
        for drawer in (3, 4):
            draw(folder / f"0001_{drawer:02d}.png", (*folder.name.encode(),), drawer)


def test_without_validation_every_alphabet_is_learnt_from_and_two_drawers_of_each_are_watched(
    tree: Path, tmp_path: Path
) -> None:
    root = copied(tree, tmp_path / "wide", more_drawers)
    splits = read(root, validation=0.0, rotations=4)
    turned = {name for name in splits.train.classes if "@" in name}
    assert alphabets(splits.train.classes) == {"Greek", "Latin", "Tagalog"}
    assert set(splits.val.classes) == set(splits.train.classes) - turned and not splits.closed_set
    drew = {
        name: {Path(path).stem.partition("_")[2] for path in getattr(splits, name).paths} for name in ("train", "val")
    }
    assert len(drew["val"]) == 2 and not drew["val"] & drew["train"]
    assert splits.val_oneshot is not None and splits.test_oneshot is not None
    assert any("is nothing to choose settings by" in note for note in splits.notes)
    again = read(root, validation=0.0, split_seed=3)
    assert again.test_oneshot is not None and again.digest != splits.digest
