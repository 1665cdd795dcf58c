"""The file of enrolled people: what it keeps, and what it refuses to read."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.recognition.gallery import Gallery
from sandbox.recognition.people import Calibrated, NetworkFacts, People, Threshold
from sandbox.recognition.people_file import load_people, save_people

from fuzz import FUZZ, changed, read_or_refused


@pytest.fixture
def people(some_rows: Callable[..., Gallery]) -> People:
    rng = np.random.default_rng(0)
    rows = some_rows(rng, 5, 3)
    rows = replace(
        rows,
        names=("Anna", "Bö\udcff", "C\nD", "[red]", "二人"),
        files=tuple(f"{place}.png" for place in range(len(rows))),
        digests=("0123456789abcdef",) * len(rows),
        dates=("2026-11-22",) * len(rows),
    )
    return People(
        gallery=rows,
        strangers=some_rows(rng, 7, 2),
        network=NetworkFacts("/runs/a", "a", "0" * 12, 6, 16, 1),
        faces="whole",
        template="best",
        threshold=Threshold(0.25, "strangers", 0.01, 0.0, 9, 7),
        calibration=Calibrated(3.5, -1.0, 4, 40),
    )


def same(one: Gallery | None, other: Gallery | None) -> bool:
    if one is None or other is None:
        return one is other
    texts = [(rows.names, rows.files, rows.digests, rows.dates) for rows in (one, other)]
    return texts[0] == texts[1] and np.array_equal(one.x, other.x) and np.array_equal(one.person, other.person)


@pytest.mark.parametrize(
    "change",
    [{}, {"strangers": None, "calibration": None, "threshold": Threshold(0.5, "by hand", None, None, 0, 0)}],
    ids=["all", "bare"],
)
def test_what_is_written_is_read(people: People, tmp_path: Path, change: dict[str, Any]) -> None:
    file = tmp_path / "new" / "people.npz"
    people = replace(people, **change)
    save_people(people, file)
    read = load_people(file)
    assert same(read.gallery, people.gallery) and same(read.strangers, people.strangers)
    for part in ("network", "faces", "template", "threshold", "calibration"):
        assert getattr(read, part) == getattr(people, part)
    assert [path.name for path in file.parent.iterdir()] == ["people.npz"]
    assert not any(np.load(file)[name].dtype.hasobject for name in np.load(file).files)  # nothing is pickled


def test_a_file_that_cannot_be_written_leaves_the_one_before(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "people.npz"
    save_people(people, file)
    before = file.read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(SandboxError, match=r"cannot write .*No space left"):
        save_people(replace(people, strangers=None), file)
    assert file.read_bytes() == before and [path.name for path in tmp_path.iterdir()] == ["people.npz"]


def rewritten(file: Path, about: Callable[[dict[str, Any]], Any] = lambda it: it, **arrays: Any) -> None:
    held = dict(np.load(file))
    said = about(json.loads(held["about"].tobytes()))
    held["about"] = np.frombuffer(json.dumps(said).encode(), np.uint8)
    np.savez(file, **{name: array for name, array in (held | arrays).items() if array is not None})


def lengthened(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in held.items():
            archive.writestr(name, data + b"more" * (name == "x.npy"))


def put(*path: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    def change(about: dict[str, Any]) -> dict[str, Any]:
        inner = about
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        return about

    return change


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda f: f.unlink(), "there is no file"),
        (lambda f: f.write_bytes(b""), "is damaged, or no file of enrolled people"),
        (lambda f: f.write_text("hello"), "is damaged, or no file of enrolled people"),
        (lambda f: f.write_bytes(f.read_bytes()[:-200]), "is damaged"),
        (lambda f: np.savez(f, embeddings=np.eye(3)), "no file of enrolled people: there is no about"),
        (lambda f: np.savez(f, about=np.array([{"a": 1}])), "holds Python objects"),
        (lambda f: rewritten(f, put("version", value=2)), "has version 2, but this reads version 1"),
        (lambda f: rewritten(f, lambda _: []), "is damaged"),
        (lambda f: rewritten(f, put("faces", value="half")), "'half' stands where one of whole, detect"),
        (lambda f: rewritten(f, put("template", value=["mean"])), "is damaged"),
        (lambda f: rewritten(f, put("network", "digest", value=5)), "digest is 5"),
        (lambda f: rewritten(f, put("network", "dim", value=7)), "wide, its network's 7"),
        (lambda f: rewritten(f, put("network", value={})), "NetworkFacts has"),
        (lambda f: rewritten(f, put("threshold", "value", value=float("nan"))), "value is nan"),
        (lambda f: rewritten(f, put("threshold", "value", value=True)), "value is True"),
        (lambda f: rewritten(f, put("threshold", "source", value="a guess")), "'a guess' stands where"),
        (lambda f: rewritten(f, put("calibration", "slope", value=-1.0)), "falls where similarities rise"),
        (lambda f: rewritten(f, put("enrolled", "names", value=["b", "a", "c", "d", "e"])), "not in order"),
        (lambda f: rewritten(f, put("enrolled", "names", value=["a"])), "its people do not fit"),
        (lambda f: rewritten(f, put("enrolled", "files", value=["a"])), "and 1 images"),
        (lambda f: rewritten(f, put("enrolled", "dates", value=[5])), "a list of texts is something else"),
        (lambda f: rewritten(f, x=np.load(f)["x"].astype(np.float64)), "float64"),
        (lambda f: rewritten(f, x=np.load(f)["x"] * np.nan), "not of unit length"),
        (lambda f: rewritten(f, x=np.load(f)["x"] * 3), "not of unit length"),
        (lambda f: rewritten(f, x=np.empty((0, 6), np.float32)), "do not fit"),
        (lambda f: rewritten(f, owner=np.load(f)["owner"][::-1]), "its people do not fit"),
        (lengthened, "x.npy goes on after its last number"),
        (lambda f: rewritten(f, strangers_x=None), "there is no strangers_x"),
    ],
)
def test_another_file_is_refused_in_a_sentence(
    people: People, tmp_path: Path, harm: Callable[[Path], Any], words: str
) -> None:
    file = tmp_path / "people.npz"
    save_people(people, file)
    load_people(file)
    harm(file)
    with pytest.raises(SandboxError, match=words) as error:
        load_people(file)
    assert "\n" not in str(error.value) and str(file) in str(error.value)


def test_a_changed_byte_is_noticed(people: People, tmp_path: Path) -> None:
    file = tmp_path / "people.npz"
    save_people(people, file)
    whole = file.read_bytes()
    with zipfile.ZipFile(file) as archive:
        start = archive.getinfo("x.npy").header_offset + 300  # among the numbers
    for place in (start, start + 20):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(SandboxError, match="is damaged"):
            load_people(file)


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("about", np.frombuffer(b"[" * 100_000, np.uint8), "nested deeper than 50"),
        ("about", np.frombuffer(b'{"version": ' + b"9" * 400 + b"}", np.uint8), "400 digits"),
        ("about", np.frombuffer(b'{"version": 1, "version": 1}', np.uint8), "stands twice"),
        ("about", np.zeros(2**22, np.uint8), r"it says 4,194,304 bytes of \d+ rows"),
        ("about", np.zeros(5, "<U9"), "about is <U9"),
        ("owner", np.zeros(10**6, np.int64), "1,000,000 owners do not fit"),
    ],
)
def test_what_a_stranger_wrote_is_refused_before_it_costs(
    people: People, tmp_path: Path, name: str, array: np.ndarray, words: str
) -> None:
    file = tmp_path / "people.npz"
    save_people(people, file)
    with np.load(file) as held:
        np.savez(file, **{**held, name: array})
    with pytest.raises(SandboxError, match=words):
        load_people(file)


@FUZZ
@given(data=st.data())
def test_bytes_put_in_taken_out_and_turned_are_read_or_refused(
    people: People, tmp_path: Path, data: st.DataObject
) -> None:
    file = tmp_path / "people.npz"
    save_people(people, file)
    file.write_bytes(data.draw(changed(file.read_bytes())))
    read_or_refused(lambda: load_people(file))
