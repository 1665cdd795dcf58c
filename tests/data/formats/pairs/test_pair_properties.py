"""What is written in any format is read back; what is no list ends in a sentence."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.formats.images.image_lists import read_lines
from sandbox.data.formats.pairs.kaggle_pairs import read_lfw
from sandbox.data.formats.pairs.pair_rows import read_pairs
from sandbox.data.names import same_name
from sandbox.errors import SandboxError

Image = tuple[str, int]
Pair = tuple[Image, Image]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists")


def path(image: Image) -> str:
    return f"{image[0]}/{image[0]}_{image[1]:04d}.jpg"


def table(rows: list[list[object]], mark: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator="\n").writerows(rows)
    return text.getvalue()


def in_lfw_s(same: list[Pair], other: list[Pair]) -> dict[str, str]:
    lines = [f"{a[0]}\t{a[1]}\t{b[1]}" for a, b in same] + [f"{a[0]}\t{a[1]}\t{b[0]}\t{b[1]}" for a, b in other]
    return {"pairs.txt": "\n".join([f"{len(same)}", *lines])}


def in_words(same: list[Pair], other: list[Pair]) -> dict[str, str]:
    rows = [(pair, 1) for pair in same] + [(pair, 0) for pair in other]
    return {"pairs.txt": "".join(f"{path(a)}\t{path(b)}\t{truth}\n" for (a, b), truth in rows)}


def in_front(same: list[Pair], other: list[Pair]) -> dict[str, str]:
    rows = [(pair, "genuine") for pair in same] + [(pair, "impostor") for pair in other]
    return {"pairs.txt": "".join(f"{truth}\t{path(a)}\t{path(b)}\n" for (a, b), truth in rows)}


def in_two_lines(same: list[Pair], other: list[Pair]) -> dict[str, str]:
    rows = [(pair, 3) for pair in same] + [(pair, 0) for pair in other]
    return {"pairs.txt": "".join(f"{path(a)}\t{n}\n{path(b)}\t{n}\n" for (a, b), n in rows)}


def in_columns(same: list[Pair], other: list[Pair]) -> dict[str, str]:
    rows = [(pair, "True") for pair in same] + [(pair, "False") for pair in other]
    body = [[at, path(b), truth, "?", path(a)] for at, ((a, b), truth) in enumerate(rows)]
    return {"pairs.csv": table([["", "image_2", "Same", "note", "image_1"], *body], ";")}


def without_header(same: list[Pair], other: list[Pair]) -> dict[str, str]:
    rows = [(pair, 1) for pair in same] + [(pair, -1) for pair in other]
    return {"pairs.csv": table([[path(a), path(b), truth] for (a, b), truth in rows])}


def in_kaggle_s(same: list[Pair], other: list[Pair]) -> dict[str, str]:
    rows: list[list[object]] = [[*a, b[1], ""] for a, b in same] + [[*a, *b] for a, b in other]
    return {"pairs.csv": table([["name", "imagenum1", "imagenum2", ""], *rows])}


def in_two_files(same: list[Pair], other: list[Pair]) -> dict[str, str]:
    return {
        "matchpairs.csv": table([["name", "imagenum1", "imagenum2"], *([*a, b[1]] for a, b in same)]),
        "mismatchpairs.csv": table([["name", "imagenum1", "name", "imagenum2"], *([*a, *b] for a, b in other)]),
    }


FORMATS: list[Callable[[list[Pair], list[Pair]], dict[str, str]]] = [
    *(in_lfw_s, in_words, in_front, in_two_lines, in_columns, without_header, in_kaggle_s, in_two_files),
]
NAMES = st.text(st.sampled_from("ab \u00e9\u0301\u0308,;\"'#._7-\u540d"), max_size=5).map(
    lambda rest: f"A{rest.strip()}"
)
FORMS = st.sampled_from(["NFC", "NFD"])


@st.composite
def known_pairs(draw: st.DrawFn) -> tuple[list[Pair], list[Pair]]:
    """As many pairs of one person as of two; each person has images 1 to 3."""
    names = draw(st.lists(NAMES, min_size=2, max_size=4, unique_by=same_name))
    name, number, count = st.sampled_from(names), st.integers(1, 3), draw(st.integers(1, 4))
    of_one = st.builds(lambda name, one, two: ((name, one), (name, two)), name, number, number)
    of_two = st.tuples(st.tuples(name, number), st.tuples(name, number)).filter(lambda pair: pair[0][0] != pair[1][0])
    same, other = (draw(st.lists(kind, min_size=count, max_size=count)) for kind in (of_one, of_two))
    return same, other


@pytest.mark.parametrize("written", FORMATS)
@given(pairs=known_pairs(), ours=FORMS, theirs=FORMS, mark=st.sampled_from(["", "\ufeff"]), crlf=st.booleans())
def test_what_is_written_is_read_back(
    folder: Path,
    written: Callable[[list[Pair], list[Pair]], dict[str, str]],
    pairs: tuple[list[Pair], list[Pair]],
    ours: str,
    theirs: str,
    mark: str,
    crlf: bool,
) -> None:
    same, other = pairs
    images = sorted({(name, number) for one, two in (*same, *other) for name, _ in (one, two) for number in (1, 2, 3)})
    paths = [unicodedata.normalize(theirs, f"faces/{path(image)}") for image in images]  # type: ignore[arg-type]
    files = written(same, other)
    for name, text in files.items():
        text = mark + unicodedata.normalize(ours, text)  # type: ignore[arg-type]
        (folder / name).write_bytes((text.replace("\n", "\r\n") if crlf else text).encode())
    found = read_pairs(folder / next(iter(files)), paths, len(paths))
    read = [(images[left], images[right]) for left, right in zip(found.left, found.right, strict=True)]
    assert read == [*same, *other]
    assert found.same.tolist() == [True] * len(same) + [False] * len(other)


PIECES = st.sampled_from(
    [
        *(
            "0",
            "1",
            "-1",
            "2",
            "x/a.jpg",
            "Ann",
            "Ann_0001.jpg",
            "Ann_0002.jpg",
            "genuine",
            "same",
            "different",
            "fold",
        ),
        *(
            "left",
            "right",
            "name",
            "imagenum1",
            "imagenum2",
            "name,imagenum1,imagenum2\n",
            "e\u0301",
            "\u00e9",
            "\u2028",
        ),
        *(" ", " ", "\t", "\t", ",", ",", ";", '"', "#", "\n", "\n", "\n", "\r", "\ufeff", "\0", "/", "..", "\u3000"),
    ]
)
GARBAGE = st.lists(PIECES, max_size=40).map(lambda pieces: "".join(pieces).encode()) | st.binary(max_size=60)
ROWS = ("x/a.jpg", "Ann/Ann_0001.jpg", "Ann/Ann_0002_0.png", "e\u0301/e\u0301_0001.jpg", "\u00e9.x")


@given(one=GARBAGE, other=GARBAGE, with_paths=st.booleans(), name=st.sampled_from(["a.txt", "matchpairs.csv"]))
def test_what_is_no_list_of_pairs_ends_in_a_sentence(
    folder: Path, one: bytes, other: bytes, with_paths: bool, name: str
) -> None:
    (folder / name).write_bytes(one)
    (folder / "mismatchpairs.csv").write_bytes(other)
    try:
        pairs = read_pairs(folder / name, ROWS if with_paths else None, len(ROWS))
    except SandboxError as error:
        assert str(error) and "\n" not in str(error)
    else:
        assert pairs.same.any() and not pairs.same.all()
        assert 0 <= min(pairs.left.min(), pairs.right.min()) <= max(pairs.left.max(), pairs.right.max()) < len(ROWS)


@given(one=GARBAGE, other=GARBAGE, words=st.integers(1, 3), name=st.sampled_from(["a.txt", "matchpairs.csv"]))
def test_what_is_no_list_beside_a_tree_ends_in_a_sentence(
    folder: Path, one: bytes, other: bytes, words: int, name: str
) -> None:
    (folder / name).write_bytes(one)
    (folder / "mismatchpairs.csv").write_bytes(other)
    for reader in (read_lfw, lambda file: read_lines(file, words, "a b")):
        try:
            reader(folder / name)
        except SandboxError as error:
            assert str(error) and "\n" not in str(error)
