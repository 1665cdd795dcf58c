from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from image_files import png16
from PIL import Image

from sandbox.data.catalog import load
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

Write = Callable[..., Path]
TEN = {f"c{number}": 4 for number in range(10)}


def read(root: Path, **settings: object) -> Splits:
    return load(DataSpec(name="folder", root=str(root), **settings))  # type: ignore[arg-type]


def everything(splits: Splits) -> set[str]:
    return {*splits.train.paths, *splits.val.paths, *splits.test.paths}


def test_a_folder_per_class_is_split_by_class(tmp_path: Path, write_classes: Write) -> None:
    splits = read(write_classes(tmp_path, TEN))
    assert splits.train.pixels.shape[1:] == (64, 64, 1)
    assert [len(split) for split in (splits.train, splits.val, splits.test)] == [20, 8, 12]
    assert everything(splits) == {f"c{number}/0{image}.png" for number in range(10) for image in range(4)}
    assert splits.notes == ()
    assert not splits.mirror
    assert splits.digest == read(tmp_path).digest
    assert splits.digest != read(tmp_path, split_seed=1).digest


def test_settings_reach_the_images(tmp_path: Path, write_classes: Write) -> None:
    splits = read(write_classes(tmp_path, {"a": 10, "b": 10}), image_size=20, colour="rgb", split="sample")
    assert splits.train.pixels.shape == (12, 20, 20, 3)
    assert splits.closed_set
    assert splits.train.classes == splits.val.classes == splits.test.classes == ("a", "b")


def test_a_second_load_decodes_nothing(tmp_path: Path, cache: Path, write_classes: Write) -> None:
    write_classes(tmp_path, TEN)
    read(tmp_path)
    before = {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in cache.iterdir()}
    read(tmp_path, split_seed=5)
    assert {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in cache.iterdir()} == before


def test_endings_in_any_case_hidden_and_stray_files(tmp_path: Path, write_classes: Write, write_image: Write) -> None:
    write_classes(tmp_path, {"a": 4, "b": 4, "c": 4, "d": 4})
    write_image(tmp_path / "a" / "X.JPEG")
    write_image(tmp_path / "a" / "deep" / "er" / "y.TiF")
    write_image(tmp_path / "a" / ".hidden.png")
    write_image(tmp_path / ".git" / "z.png")
    write_image(tmp_path / "stray.png")
    (tmp_path / "readme.txt").write_text("about")
    (tmp_path / "a" / "notes.txt").write_text("about")
    splits = read(tmp_path)
    extra = {path for path in everything(splits) if not path.endswith((".png",))}
    assert extra == {"a/X.JPEG", "a/deep/er/y.TiF"}
    assert len(everything(splits)) == 18
    assert "1 hidden image or folder passed over: a/.hidden.png" in splits.notes
    assert "1 image lies beside the class folders and left out: stray.png" in splits.notes


def test_a_corrupt_image_is_named(tmp_path: Path, write_classes: Write) -> None:
    write_classes(tmp_path, TEN)
    (tmp_path / "c3" / "bad.jpg").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    splits = read(tmp_path)
    assert splits.notes[0] == "1 unreadable image left out: c3/bad.jpg (empty file)"
    assert splits.notes[1] == "1 folder without readable images left out: empty"
    assert "c3/bad.jpg" not in everything(splits)


def test_small_classes_are_left_out(tmp_path: Path, write_classes: Write) -> None:
    write_classes(tmp_path, TEN | {"small": 2, "tiny": 1})
    splits = read(tmp_path, min_images=3)
    assert splits.notes == ("2 classes with fewer than 3 images left out: small, tiny",)
    assert len(everything(splits)) == 40
    with pytest.raises(SandboxError, match=r"data\.min_images is 9, and 0 of the 12 classes"):
        read(tmp_path, min_images=9)


def test_links_list_no_file_twice(tmp_path: Path, write_classes: Write) -> None:
    root = write_classes(tmp_path / "root", {"a": 4, "b": 4, "c": 4, "d": 4})
    (root / "a" / "self").symlink_to(root / "a")
    (root / "a" / "up").symlink_to(root)
    (root / "a" / "above").symlink_to(tmp_path)
    (root / "a" / "sister").symlink_to(root / "b")
    (root / "a" / "round").symlink_to(root / "a" / "round")
    (root / "b" / "broken.png").symlink_to(root / "nothing.png")
    (root / "b" / "again.png").symlink_to(root / "c" / "00.png")
    (root / "e").symlink_to(root / "d")
    os.link(root / "d" / "00.png", root / "d" / "hard.png")
    splits = read(root)
    assert len(everything(splits)) == 16
    assert {path.split("/")[0] for path in everything(splits)} == {"a", "b", "c", "d"}
    assert splits.notes[0] == "2 files are met under a second name and counted once"
    assert splits.notes[1] == "1 folder without readable images left out: e"


def test_links_to_files_elsewhere_are_followed(tmp_path: Path, write_classes: Write) -> None:
    store = write_classes(tmp_path / "store", TEN)
    for file in sorted(store.glob("*/*.png")):
        link = tmp_path / "root" / file.parent.name / file.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    assert len(everything(read(tmp_path / "root"))) == 40


def three(root: Path, write_classes: Write, parts: dict[str, list[str]], count: int = 3) -> Path:
    for place, (part, classes) in enumerate(parts.items()):
        write_classes(root / part, {name: count + place for name in classes})
    return root


@pytest.mark.parametrize("val", ["val", "valid", "Validation"])
def test_a_given_split_is_taken(tmp_path: Path, write_classes: Write, val: str) -> None:
    root = three(tmp_path, write_classes, {"train": ["a", "b", "c"], val: ["a", "b", "c"], "test": ["a", "b", "c"]})
    splits = read(root)
    assert splits.closed_set
    assert splits.notes == ()
    assert [len(split) for split in (splits.train, splits.val, splits.test)] == [9, 12, 15]
    assert {path.split("/")[0] for path in splits.val.paths} == {val}
    assert read(root, split="given").digest == splits.digest


def test_a_given_split_may_be_open_or_overlap(tmp_path: Path, write_classes: Write) -> None:
    opened = three(tmp_path / "1", write_classes, {"train": ["a", "b"], "val": ["c"], "test": ["d", "e"]})
    assert not read(opened).closed_set
    assert read(opened).notes == ()
    mixed = three(tmp_path / "2", write_classes, {"train": ["a", "b"], "val": ["c"], "test": ["b", "e"]})
    assert not read(mixed).closed_set
    assert read(mixed).notes == ("trained on as well: 1 of the 2 test classes",)


def test_a_given_split_can_be_drawn_anew(tmp_path: Path, write_classes: Write) -> None:
    names = ["a", "b", "c", "d"]
    root = three(tmp_path, write_classes, {"train": names, "val": names, "test": names})
    by_class, by_sample = read(root, split="class"), read(root, split="sample")
    assert sorted((*by_class.train.classes, *by_class.val.classes, *by_class.test.classes)) == names
    assert by_sample.train.classes == tuple(names)
    assert len(everything(by_class)) == len(everything(by_sample)) == 48


def test_half_a_given_split_is_an_error(tmp_path: Path, write_classes: Write) -> None:
    root = three(tmp_path, write_classes, {"train": ["a", "b"], "val": ["a", "b"]})
    with pytest.raises(SandboxError, match="has train/, val/ but no test/ or testing/"):
        read(root)
    with pytest.raises(SandboxError, match=r"has no train/ .*val/.*test/"):
        read(write_classes(tmp_path / "plain", TEN), split="given")


@pytest.mark.parametrize("classes", ["abcd", "abcx", "wxyz"])  # all trained on, some, none
def test_validation_is_drawn_out_of_training_where_there_is_none(
    tmp_path: Path, write_classes: Write, classes: str
) -> None:
    root = three(tmp_path, write_classes, {"train": list("abcd"), "test": list(classes)}, count=10)
    splits = read(root, validation=0.3)
    said = next(note for note in splits.notes if note.startswith("no part of the set is for validation"))
    assert {path.split("/")[0] for path in (*splits.train.paths, *splits.val.paths)} == {"train"}
    assert {path for path in splits.test.paths} == {f"test/{name}/{k:02d}.png" for name in classes for k in range(11)}
    if classes == "wxyz":  # nothing that is tested is trained on, and nothing that is validated on
        assert not set(splits.train.classes) & set(splits.val.classes) and "1 whole class, are" in said
    else:
        assert splits.val.counts.tolist() == [3] * 4 and "12 of its 40 training images, images of each class" in said
    assert splits.closed_set == (classes == "abcd")
    assert read(root, validation=0.3, split="given").digest == splits.digest
    assert read(root, validation=0.3, split_seed=1).digest != splits.digest
    with pytest.raises(SandboxError, match=r"data\.validation is 0, but"):
        read(root, validation=0)


def test_a_class_called_train_is_a_class(tmp_path: Path, write_classes: Write) -> None:
    splits = read(write_classes(tmp_path, {"boat": 3, "car": 3, "plane": 3, "train": 3, "test": 3}))
    assert len(everything(splits)) == 15
    assert splits.notes[-1] == "test/, train/ are taken for classes, for they hold images and no class folders"


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, "is empty; a folder per class was looked for"),
        ({"a": 0}, "none of the 1 folders in .* holds an image"),
        ({"a": 3}, r"holds one class folder with images \('a'\), but two are needed$"),
        ({"x/in/a": 3, "x/in/b": 3}, r"holds one class folder .*\('x'\).*; is .*/x/in the root that is meant\?"),
        ({"x/train/a": 3, "x/test/b": 3}, r"holds one class folder .*\('x'\).*; is .*/x the root that is meant\?"),
        ({"in/a": 3, "in/b": 3}, r"holds one class folder with images \('in'\).*; is .*in the root that is meant"),
        ({".": 3}, "holds 3 images but no class folders with images; give each class a folder of its own"),
        ({"a": 3, "b": 3, "c": 3}, "3 classes are too few"),
        ({f"c{number}": 1 for number in range(10)}, "no two of the 2 images of the validation split"),
    ],
)
def test_folders_that_hold_no_data_set(tmp_path: Path, write_classes: Write, counts: dict[str, int], said: str) -> None:
    write_classes(tmp_path, counts)
    if counts == {"a": 0}:
        (tmp_path / "a").mkdir()
    with pytest.raises(SandboxError, match=said):
        read(tmp_path)


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz"])
def test_an_archive_is_refused_and_the_folder_meant_is_named(tmp_path: Path, write_classes: Write, ending: str) -> None:
    write_classes(tmp_path / "made" / "birds", {"a": 1, "b": 1})
    kind = {"tar.gz": "gztar"}.get(ending, ending)
    file = Path(shutil.make_archive(str(tmp_path / "in" / "set"), kind, tmp_path / "made"))
    reads = "; data.name=shards reads such a file" if ending == "tar" else ""
    folder = tmp_path / "in" / "birds"
    with pytest.raises(SandboxError, match=re.escape(f"unpack it and give its folder, {folder}{reads}") + "$"):
        read(file)
    with pytest.raises(SandboxError, match=re.escape(f"the archive set.{ending}; unpack it, and give {folder}")):
        read(tmp_path / "in")
    folder.mkdir()
    with pytest.raises(SandboxError, match=re.escape(f"is an archive; is {folder} the folder that is meant?{reads}")):
        read(file)
    file.write_bytes(b"none")
    with pytest.raises(SandboxError, match=re.escape(f"its folder, {tmp_path / 'in' / 'set'}{reads}")):
        read(file)


def test_a_file_that_another_data_set_reads_is_told_to_it(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("label,path")
    with pytest.raises(SandboxError, match=r"list\.csv' is a file, not a folder; data\.name=table reads such a file$"):
        read(tmp_path / "list.csv")


def test_a_name_that_is_not_text_does_not_stop_it(tmp_path: Path, write_classes: Write) -> None:
    write_classes(tmp_path, TEN)
    odd = os.fsdecode(b"\xff.png")
    try:
        (tmp_path / "c0" / odd).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes only names that are text")
    (note,) = read(tmp_path).notes
    note.encode("utf-8")


def test_folders_of_one_name_in_several_spellings_are_one_class(tmp_path: Path, write_classes: Write) -> None:
    spellings = ("Zo\xeb", "Zoe\u0308", "Zo\xeb ")
    write_classes(tmp_path, {**dict.fromkeys(spellings, 4), **dict.fromkeys(("Zoe", "zo\xeb", "A  B", "A B"), 10)})
    if len(list(tmp_path.iterdir())) < 7:
        pytest.skip("this file system composes names itself")
    splits = read(tmp_path, split="sample")
    assert splits.train.classes == ("A  B", "A B", "Zoe", "Zo\xeb", "zo\xeb")
    assert splits.notes[0] == (r"1 name is spelt in several ways and taken for one: 'Zoe\u0308' = 'Zo\xeb' = 'Zo\xeb '")
    parts = (splits.train, splits.val, splits.test)
    shown = {path for part in parts for path, label in zip(part.paths, part.labels, strict=True) if label == 3}
    assert shown == {f"{name}/{number:02d}.png" for name in spellings for number in range(4)}


def test_parts_meet_in_any_spelling_and_files_keep_their_own(tmp_path: Path, write_classes: Write) -> None:
    for part, name in (("train", "Zo\xeb"), ("val", "Zoe\u0308"), ("test", " Zo\xeb")):
        write_classes(tmp_path / part, {name: 3, "Bo": 3})
    splits = read(tmp_path)
    assert splits.closed_set
    assert splits.train.classes == splits.val.classes == splits.test.classes == ("Bo", "Zo\xeb")
    assert len(splits.notes) == 1 and splits.notes[0].startswith("1 name is spelt in several ways")
    assert all((tmp_path / path).is_file() for path in everything(splits))


def test_one_spelling_of_its_own_is_not_worth_a_note(tmp_path: Path, write_classes: Write) -> None:
    composed, decomposed = (
        read(write_classes(tmp_path / form, {**TEN, name: 4})) for form, name in (("c", "Zo\xeb"), ("d", "Zoe\u0308"))
    )
    assert decomposed.notes == () == composed.notes
    assert {*decomposed.train.classes, *decomposed.val.classes, *decomposed.test.classes} == {*TEN, "Zo\xeb"}


def test_what_is_passed_over_is_said(tmp_path: Path, write_classes: Write, write_image: Write) -> None:
    root = write_classes(tmp_path, TEN)
    plain = read(root)
    write_image(root / "c0" / "@eaDir" / "00.png" / "M.png")
    write_image(root / "__MACOSX" / "c0" / "00.png")
    (root / "c1" / "notes.txt").write_text("about")
    splits = read(root)
    assert splits.digest == plain.digest
    assert splits.notes == (
        "1 file that is no image passed over: c1/notes.txt",
        "2 entries whose name starts with @ or __MACOSX passed over: __MACOSX, c0/@eaDir",
    )


def test_files_of_16_bits_are_one_scale_in_every_split(tmp_path: Path) -> None:
    for place in range(10):
        for number in range(4):
            (tmp_path / f"c{place}").mkdir(exist_ok=True)
            noise = np.random.default_rng(4 * place + number).integers(0, 400 * (place + 1), (64, 64, 1))
            (tmp_path / f"c{place}" / f"{number}.png").write_bytes(png16(noise))
    splits = read(tmp_path)
    assert splits.bits == 12
    for images in (splits.train, splits.val, splits.test):
        for pixels, path in zip(images.pixels, images.paths, strict=True):
            assert np.array_equal(pixels[..., 0], np.asarray(Image.open(tmp_path / path)) >> 4)


def test_images_that_hold_hardly_anything_are_said(tmp_path: Path) -> None:
    for place in range(10):
        for number in range(4):
            (tmp_path / f"c{place}").mkdir(exist_ok=True)
            grey = np.random.default_rng(4 * place + number).integers(0, 16, (64, 64)).astype(np.uint8)
            Image.fromarray(grey).save(tmp_path / f"c{place}" / f"{number}.png")
    assert read(tmp_path).notes == (
        "the images of this set hold 16 grey levels at most; were they saved with fewer bits, or thresholded?",
    )


def test_parts_with_class_folders_are_pooled_where_asked(tmp_path: Path, write_classes: Write) -> None:
    root = three(tmp_path, write_classes, {"train": ["a", "b", "c"], "gallery": ["d", "e", "f"]})
    (root / "images.csv").write_text("path,class\n")
    splits = read(root, split="class")
    assert len(everything(splits)) == 21
    assert "train/, gallery/ are pooled, and parted anew" in splits.notes
    with pytest.raises(SandboxError, match="has train/, gallery/ but no val/"):
        read(root)
