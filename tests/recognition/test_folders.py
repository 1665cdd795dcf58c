"""What becomes of folders of people: what they are, what is passed over, and at which scale deep files are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from image_files import png16
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.inference.load import load_network
from sandbox.inference.trained import load_trained
from sandbox.recognition.enrol import Options, enrol
from sandbox.recognition.folders import people_in, strangers_in
from sandbox.recognition.identify import identify
from sandbox.recognition.measure import Images, measure_people
from sandbox.recognition.people_file import load_people, save_people
from sandbox.recognition.reader import Reader, find_images
from sandbox.runs.folder import RunFolder

Digits = Callable[..., Path]
TWO = {"Ada": ("2", 3), "Bo": ("3", 3)}


def test_what_is_passed_over_is_said_wherever_folders_are_read(run: Path, digits: Digits, tmp_path: Path) -> None:
    folder, others = digits("people", TWO), digits("others", {"Cy": ("7", 30)})
    for place in (folder / "Ada", others / "Cy"):
        (place / "notes.txt").write_text("about")
        (place / "000.png").rename(place / "zero")
    (folder / "__MACOSX").mkdir()
    (folder / "loose").write_bytes((folder / "Ada" / "zero").read_bytes())
    files, whose, notes = people_in(folder)
    assert (len(files), whose.count("Ada")) == (6, 3)
    assert notes == [
        "1 file that is no image passed over: Ada/notes.txt",
        "1 entry whose name starts with @ or __MACOSX passed over: __MACOSX",
        "1 image lies beside the folders of people and left out: loose",
    ]
    assert find_images([folder])[1][0] == f"1 file that is no image passed over: {folder}/Ada/notes.txt"
    _, _, of_strangers = strangers_in(others)
    assert of_strangers == [f"1 file that is no image passed over: {others}/Cy/notes.txt"]
    network = load_network(run)
    people, said = enrol(network, run, folder, Options(strangers=others))
    assert said[:4] == [*notes, f"strangers: {of_strangers[0]}"]
    told: list[str] = []
    new = digits("new", TWO, first=5)
    (new / "Bo" / "notes").write_text("about")
    measure_people(people, network, Images(new), (0.1,), tell=told.append)
    assert told == ["1 file that is no image passed over: Bo/notes"]


@pytest.mark.parametrize("of", [people_in, strangers_in])
def test_parts_of_a_set_are_not_people(digits: Digits, of: Callable[[Path], object]) -> None:
    folder = digits("set/train", TWO).parent
    with pytest.raises(
        SandboxError, match=r"holds train/ with folders in it, .* is .*set/train the folder that is meant"
    ):
        of(folder)
    digits("set", {"test": ("4", 2)})
    with pytest.raises(SandboxError, match=r"but test/ with images .* is .*set/train the folder that is meant"):
        of(folder)


def test_somebody_called_train_is_somebody(digits: Digits) -> None:
    folder = digits("people", {**TWO, "Train": ("4", 2)})
    _, whose, notes = people_in(folder)
    assert whose.count("Train") == 2
    assert notes == ["Train/ is taken for a class, for it holds images and no class folders"]


def test_one_person_of_many_folders_is_said(digits: Digits) -> None:
    folder = digits("all/lfw", TWO).parent
    assert people_in(folder)[2] == [
        f"one person, 'lfw', whose images lie in 2 folders; if those are people, give {folder / 'lfw'}"
    ]


def deepened(folder: Path, shift: int) -> Path:
    """The same images in files of 16 bits that use 8 + shift of them."""
    for file in sorted(folder.rglob("*.png")):
        file.write_bytes(png16(np.asarray(Image.open(file)).astype(int)[..., None] << shift))
    return folder


def test_deep_files_are_read_at_the_scale_that_people_were_enrolled_at(
    run: Path, digits: Digits, tmp_path: Path
) -> None:
    network = load_network(run)
    plain, _ = enrol(network, run, digits("plain", TWO), Options(threshold=0.5))
    people, notes = enrol(network, run, deepened(digits("deep", TWO), 4), Options(threshold=0.5))
    assert people.bits == 12
    assert np.array_equal(people.gallery.x, plain.gallery.x)
    assert "taken for numbers of 12 bits, so that 4,095 is white" in " ".join(notes)
    save_people(people, tmp_path / "people.npz")
    again = load_people(tmp_path / "people.npz")
    assert again.bits == 12
    (tmp_path / "dark.png").write_bytes(png16(np.full((8, 8, 1), 900)))  # alone it would be taken for 10 bits
    told: list[str] = []
    identify(again, network, [tmp_path / "dark.png"], tell=told.append)
    assert "hold values up to 900: taken for numbers of 12 bits" in told[0]


def test_a_network_reads_at_the_scale_that_it_was_trained_at(run: Path, tmp_path: Path) -> None:
    network = replace(load_trained(RunFolder(run)), bits=12)
    (tmp_path / "x.png").write_bytes(png16(np.full((8, 8, 1), 1000)))
    (tmp_path / "y.png").write_bytes(png16(np.full((8, 8, 1), 60_000)))
    reader = Reader(network, "whole")
    (read,) = reader.read([tmp_path / "x.png", tmp_path / "y.png"])
    assert [one.pixels[0].flat[0] for one in read] == [1000 >> 4, 255]
    assert reader.notes()[1].startswith("values above 4,095, the largest of 12 bits, become white")
    assert reader.notes() == []


def test_a_pipe_is_refused_and_not_waited_for(run: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.jpg")
    (read,) = Reader(load_network(run), "whole").read([tmp_path / "x.jpg"])
    assert read[0].refused == "is a pipe or a device"
    (read,) = Reader(load_network(run), "whole").read([tmp_path / "none.jpg"])
    assert read[0].refused == "is not there"
