"""Trees as they come from anywhere: each is read, with sentences on what was passed over, or refused in one."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from image_files import as_bytes, grey

from sandbox.data.catalog import load
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec


def put(path: Path, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_bytes(grey(seed=seed), "PNG"))
    return path


def classes(root: Path, names: str = "abcdefgh", images: int = 2) -> Path:
    for place, name in enumerate(names):
        for number in range(images):
            put(root / name / f"{number}.png", 100 * place + number)
    return root


def read(root: Path) -> Splits:
    return load(DataSpec(name="folder", root=str(root), image_size=8, split="class"))


def at(*names: str) -> Callable[[Path], None]:
    """Images of those names beside the class folders, or in them."""
    return lambda root: [put(root / name, place + 900) for place, name in enumerate(names)] and None  # type: ignore[func-returns-value]


def link(name: str, to: str) -> Callable[[Path], None]:
    return lambda root: (root / name).symlink_to(to)


def nested(root: Path) -> None:
    deepest = root / "a" / ("d/" * 1500)
    subprocess.run(["mkdir", "-p", str(deepest)], check=True)  # Python's own way recurses, folder by folder
    put(root / "deep.png", 7).rename(deepest / "deep.png")


def folder(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).mkdir(parents=True)


READ: dict[str, tuple[Callable[[Path], None], int, str]] = {
    "a link to itself": (link("a/round", "round"), 16, r"1 file that is no image passed over: a/round \(a link that"),
    "a link to its folder": (link("a/self", "."), 16, ""),
    "a link to the root": (link("a/up", ".."), 16, ""),
    "a link to the disk": (link("a/disk", "/"), 16, ""),
    "a link to another class": (link("a/b", "../b"), 16, ""),
    "a class that is a link": (link("z", "a"), 16, "1 folder without readable images left out: z"),
    "a class that leads nowhere": (link("z", "nothing"), 16, ""),
    "two names of one file": (lambda root: os.link(root / "a/0.png", root / "a/x.png"), 16, "1 file is met under a"),
    "1,500 folders": (nested, 17, ""),
    "a folder with an image's name": (at("a/x.jpg/0.png"), 17, ""),
    "an empty folder": (folder("z"), 16, "1 folder without readable images left out: z"),
    "empty folders in a class": (folder("a/x/y/z"), 16, ""),
    "a class of one image": (at("z/0.png"), 17, ""),
    "a pipe": (lambda root: os.mkfifo(root / "a/pipe.jpg"), 16, r"passed over: a/pipe.jpg \(a pipe or a device\)$"),
    "a disk's thumbnails": (
        at("a/@eaDir/0.png/M.jpg", "@eaDir/b/0.png"),
        16,
        "2 entries .* passed over: @eaDir, a/@ea",
    ),
    "an archiver's halves": (at("__MACOSX/a/._0.png", "a/._0.png"), 16, "1 entry .* passed over: __MACOSX"),
    "hidden images": (at("a/.x.png", ".old/a.png"), 16, r"2 hidden images or folders passed over: \.old, a/\.x\.png"),
    "a tool's hidden folder": (at(".git/a.png"), 16, ""),
    "a stray image": (at("stray"), 16, "1 image lies beside the class folders and left out: stray"),
    "a readme and a list": (lambda root: (root / "pairs.txt").write_text("a b 1") and None, 16, ""),
    "letters that a terminal obeys": (at("z\x1b[2J\u202e/x.txt.png"), 17, ""),
    "such a folder, empty": (folder("z\x1b[2J\u202e"), 16, r"left out: z\\x1b\[2J\\u202e$"),
    "a name of 250 letters": (at("z" * 250 + "/0.png"), 17, ""),
    "names that are no text": (folder(os.fsdecode(b"z\xff")), 16, r"left out: z\\xff$"),
    "names of two cases": (at("A/0.png", "A/1.png"), 18, ""),
    "a class called train": (at("train/0.png", "train/1.png"), 18, "^train/ is taken for a class, for it holds images"),
    "three parts and a heap": (
        lambda root: [classes(root / part) for part in ("train", "val", "test")] and at("extra/0.png")(root),
        48,
        "^beside the parts of the set, and left out: extra/, a/, b/, c/, d/ and 4 more$",
    ),
}


@pytest.mark.parametrize("case", READ)
def test_what_can_be_read_is_read(tmp_path: Path, case: str) -> None:
    make, images, said = READ[case]
    root = classes(tmp_path / "root")
    make(root)
    splits = read(root)
    subprocess.run(["rm", "-rf", str(root)], check=True)  # as above
    assert sum(map(len, splits.image_sets().values())) == images
    assert all(note.isprintable() for note in splits.notes)
    notes = "\n".join(splits.notes)
    assert re.search(said or r"^\Z", notes, re.MULTILINE if said else 0), notes


def only(*parts: str, flat: tuple[str, ...] = ()) -> Callable[[Path], None]:
    """Parts with class folders, and others with images alone."""

    def make(root: Path) -> None:
        for part in parts:
            classes(root / part)
        for part in flat:
            at(f"{part}/0.png", f"{part}/1.png")(root)

    return make


REFUSED: dict[str, tuple[Callable[[Path], None], str]] = {
    "nothing": (lambda root: None, "is empty; a folder per class was looked for"),
    "images alone": (at("0.png", "1.png"), "holds 2 images but no class folders"),
    "set aside alone": (at("@a/0.png", "@b/0.png"), r"is empty.*2 entries whose name starts with @ .*: @a, @b"),
    "no images": (lambda root: [folder(n)(root) for n in "ab"] and None, "none of the 2 folders in .* holds an image$"),
    "texts": (lambda root: (folder("a")(root), (root / "a/x").write_text("x"))[0], r"holds an image \(1 file th"),
    "one class": (at("a/0.png", "a/1.png"), "one class folder with images .'a'., but two are needed"),
    "a container": (only("in"), "is .*in the root that is meant"),
    "train alone": (only("train"), "is .*train the root that is meant"),
    "flat test": (only("train", flat=("test",)), "holds train/ with a folder for each class, but test/ .*/train the"),
    "flat Test": (only("Train", flat=("Test",)), "holds Train/ .*, but Test/ with images .*/Train the data.root"),
    "flat query": (only("bounding_box_train", flat=("query", "gallery")), "gallery/, query/ .*/bounding_box_train the"),
    "flat extra": (
        only("training", "valid", flat=("extra",)),
        "holds training/ .*, but extra/ .*/training the data.root",
    ),
    "as it unpacks": (only("train/train", flat=("test/test",)), "holds train/train/ .*, but test/ .*/train/train the"),
    "all flat": (only(flat=("train", "test")), "test/, train/, the parts of a set, with images but no folder for each"),
    "masks": (only("train", flat=("masks",)), "holds train/ with class folders .* beside masks/; is .*/train the data"),
    "twice train": (only("train", "training", "test"), "train/, training/ in .* are both the train part"),
}


@pytest.mark.parametrize("split", ["auto", "sample"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, case: str, split: str) -> None:
    make, said = REFUSED[case]
    (tmp_path / "root").mkdir()
    make(tmp_path / "root")
    with pytest.raises(SandboxError, match=said):
        load(DataSpec(name="folder", root=str(tmp_path / "root"), image_size=8, split=split))  # type: ignore[arg-type]


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Path]:
    """Folders whose path is longer than the system takes."""
    root = classes(tmp_path / "root")
    before = Path.cwd()
    os.chdir(root / "a")
    try:
        for _ in range(60):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
    finally:
        os.chdir(before)
    yield root
    subprocess.run(["rm", "-rf", str(root)], check=True)


def test_a_path_that_is_too_long_is_refused_in_a_short_sentence(endless: Path) -> None:
    with pytest.raises(SandboxError, match=r"cannot read .*\.\.\.: File name too long$") as refused:
        read(endless)
    assert len(str(refused.value)) < 400


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser reads everything")
def test_a_folder_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    root = classes(tmp_path / "root")
    (root / "a").chmod(0)
    try:
        with pytest.raises(SandboxError, match=r"cannot read .*a: Permission denied"):
            read(root)
    finally:
        (root / "a").chmod(0o755)
