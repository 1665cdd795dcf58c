from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.data.formats.pairs.pair_lists import read_pair_file
from sandbox.data.formats.pairs.pair_rows import read_pairs
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs

from fuzz import FUZZ, changed, read_or_refused

PATHS = ("faces/Ann/Ann_0001.jpg", "faces/Ann/Ann_0002.png", "faces/Bob/Bob_0003.jpg", "faces/C_D/C_D_0012.jpg")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pairs.txt"


def read(file: Path, text: str, paths: Sequence[str] | None = PATHS, rows: int = 4) -> Pairs:
    file.write_text(text, newline="")
    return read_pairs(file, paths, rows)


def refusal(file: Path, text: str | bytes, paths: Sequence[str] | None = PATHS, rows: int = 4) -> str:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SandboxError) as caught:
        read_pairs(file, paths, rows)
    said = str(caught.value)
    assert str(file) in said
    assert "\n" not in said
    return said.replace(str(file), "F")


def triples(pairs: Pairs) -> list[tuple[int, int, bool]]:
    assert (pairs.left.dtype, pairs.right.dtype, pairs.same.dtype) == (np.int64, np.int64, np.bool_)
    return list(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.same.tolist(), strict=True))


LFW = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t3\nAnn\t2\t1\nBob\t3\tC_D\t12\n"
LINES = (
    "faces/Ann/Ann_0001.jpg faces/Ann/Ann_0002.png 1\n"
    "faces/Ann/Ann_0001.jpg\tfaces/Bob/Bob_0003.jpg\t0\n\n"
    "  Ann_0002.png   Ann/Ann_0001.jpg 1  \n"
    "/home/me/faces/Bob/Bob_0003.jpg C_D_0012.jpg 0"
)
TABLE = (
    "Left, Right,fold,SAME\n"
    "faces/Ann/Ann_0001.jpg, faces/Ann/Ann_0002.png,0, True\n"
    '"faces/Ann/Ann_0001.jpg",faces/Bob/Bob_0003.jpg ,0,FALSE\n'
    "Ann_0002.png,Ann/Ann_0001.jpg,4,1\n\n"
    "faces\\Bob\\Bob_0003.jpg,C_D_0012.jpg,4,0\n"
)
WANTED = [(0, 1, True), (0, 2, False), (1, 0, True), (2, 3, False)]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("text", "fold"),
    [
        (LFW, [1, 1, 2, 2]),
        (LFW.replace("\t", " "), [1, 1, 2, 2]),
        ("2\nAnn 1 2\nAnn 2 1\nAnn 1 Bob 3\nBob 3 C_D 12\n", None),
        (LINES, None),
        (TABLE, [1, 1, 2, 2]),
        (TABLE.replace(",", ";"), [1, 1, 2, 2]),
        (TABLE.replace(", ", ",").replace(",", "\t"), [1, 1, 2, 2]),
        (TABLE.replace("4,", "0,"), None),
        ("\n" + TABLE, [1, 1, 2, 2]),
    ],
)
def test_three_formats_are_told_apart_by_what_they_hold(
    file: Path, mark: str, ending: str, text: str, fold: list[int] | None
) -> None:
    pairs = read(file, mark + text.replace("\n", ending))
    assert sorted(triples(pairs)) == sorted(WANTED)
    assert (pairs.fold if pairs.fold is None else pairs.fold.tolist()) == fold
    if pairs.fold is not None:
        assert pairs.fold.dtype == np.int64


@pytest.mark.parametrize("text", [LINES, TABLE, LFW])
def test_lines_of_the_file_are_kept(file: Path, text: str) -> None:
    file.write_text(text)
    listed = read_pair_file(file)
    written = text.split("\n")
    for left, line in zip(listed.left, listed.line, strict=True):
        assert left.split("/")[0].split("\\")[0] in written[line - 1]
    assert listed.line.tolist() == ([1, 2, 4, 5] if text == LINES else [2, 3, 4, 6] if text == TABLE else [2, 3, 4, 5])


@pytest.mark.parametrize(
    "left_right", ["a,b", "img1,img2", "image1,image2", "path1,path2", "file1,file2", "first,second"]
)
@pytest.mark.parametrize("truth", ["same", "Label", "target", "isSame", "is_same", "MATCH"])
def test_columns_go_by_several_names_in_any_order(file: Path, left_right: str, truth: str) -> None:
    left, right = left_right.split(",")
    pairs = read(file, f"{truth},{right},{left}\n1,1,0\n0,3,2\n", None)
    assert triples(pairs) == [(0, 1, True), (2, 3, False)]


def test_rows_stand_for_themselves_where_there_are_no_paths(file: Path) -> None:
    assert triples(read(file, "0 3 1\n2 1 0\n03 3 0\n", None)) == [(0, 3, True), (2, 1, False), (3, 3, False)]


def test_names_with_blanks_are_parted_by_tabs(file: Path) -> None:
    pairs = read(file, "my cat.jpg\ta/b.jpg\t1\na/b.jpg my.jpg 0\n", ("x/my cat.jpg", "a/b.jpg", "my.jpg"))
    assert triples(pairs) == [(0, 1, True), (1, 2, False)]


def test_a_comma_may_stand_in_a_path(file: Path) -> None:
    assert triples(read(file, "a,1.jpg b.jpg 1\nb.jpg a,1.jpg 0\n", ("a,1.jpg", "b.jpg"))) == [
        (0, 1, True),
        (1, 0, False),
    ]
    assert "line 1 must say 1 " in refusal(file, "a,1.jpg b.jpg -1\n", ("a,1.jpg", "b.jpg"))


def test_an_exact_path_wins_over_an_end(file: Path) -> None:
    pairs = read(file, "1.jpg a/1.jpg 1\nx/a/1.jpg 1.jpg 0\n", ("a/1.jpg", "x/a/1.jpg", "1.jpg"))
    assert triples(pairs) == [(2, 0, True), (1, 2, False)]


def test_dots_and_slashes_that_say_nothing_do_not_count(file: Path) -> None:
    pairs = read(file, "./a//1.jpg /b/1.jpg 1\nb\\1.jpg a/./1.jpg 0\n", ("a/1.jpg", "./b/1.jpg"))
    assert triples(pairs) == [(0, 1, True), (1, 0, False)]


@pytest.mark.parametrize(
    ("paths", "word", "said"),
    [
        (("a/1.jpg", "b/1.jpg"), "1.jpg", "which may be row 0 ('a/1.jpg') or row 1 ('b/1.jpg')"),
        (("a/1.jpg", "1.jpg"), "x/a/1.jpg", "which may be row 0 ('a/1.jpg') or row 1 ('1.jpg')"),
        (("y/x/1.jpg", "1.jpg"), "x/1.jpg", "which may be row 0 ('y/x/1.jpg') or row 1 ('1.jpg')"),
        (("a/1.jpg", "a/1.jpg"), "a/1.jpg", "which may be row 0 ('a/1.jpg') or row 1 ('a/1.jpg')"),
        (("aa/1.jpg", "b/2.jpg"), "a/1.jpg", "F names 1 image that is not among the 2 paths"),
        (("a/1.jpg", "b/2.jpg"), "/1.jp", "F names 1 image that is not among the 2 paths"),
        (("u/a/1.jpg", "b/2.jpg"), "v/a/1.jpg", "F names 1 image that is not among the 2 paths"),
    ],
)
def test_an_end_must_be_of_one_image_and_of_whole_folders(
    file: Path, paths: tuple[str, ...], word: str, said: str
) -> None:
    found = refusal(file, f"{word} {word} 1\n", paths, len(paths))
    assert said in found
    assert "line 1" in found
    assert repr(word) in found


def by_search(word: str, paths: Sequence[str]) -> list[int]:
    """Every row whose path is the word, else every one of which either is an end of the other."""

    def split(path: str) -> list[str]:
        return [part for part in path.split("/") if part]

    def ends(long: list[str], short: list[str]) -> bool:
        return len(short) <= len(long) and long[len(long) - len(short) :] == short

    exact = [row for row, path in enumerate(paths) if path == word]
    return exact or [
        row for row, path in enumerate(paths) if ends(split(path), split(word)) or ends(split(word), split(path))
    ]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pairs") / "pairs.txt"


PATH = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map("/".join)


@settings(max_examples=400)
@given(st.lists(PATH, min_size=1, max_size=6), st.lists(st.tuples(PATH, PATH), min_size=2, max_size=4))
def test_rows_are_those_that_a_search_of_all_paths_finds(
    scratch: Path, paths: list[str], words: list[tuple[str, str]]
) -> None:
    scratch.write_text("".join(f"{a}.x {b}.x {place % 2}\n" for place, (a, b) in enumerate(words)))
    paths = [f"{path}.x" for path in paths]
    found = [by_search(f"{word}.x", paths) for word in itertools.chain.from_iterable(words)]
    if all(len(rows) == 1 for rows in found):
        pairs = read_pairs(scratch, paths, len(paths))
        assert np.stack([pairs.left, pairs.right], 1).ravel().tolist() == [rows[0] for rows in found]
    else:
        with pytest.raises(SandboxError) as caught:
            read_pairs(scratch, paths, len(paths))
        first = next((rows for rows in found if len(rows) > 1), [])
        if first:
            line = 1 + found.index(first) // 2
            assert f"line {line} names" in str(caught.value)
            assert f"row {first[0]} ('{paths[first[0]]}') or row {first[1]} ('{paths[first[1]]}')" in str(caught.value)
        else:
            absent = {word for word, rows in zip(itertools.chain(*words), found, strict=True) if not rows}
            assert f"names {len(absent)} image" in str(caught.value)
            assert f"the first in line {1 + found.index([]) // 2}: " in str(caught.value)


def test_faces_go_by_folder_and_number_whatever_the_extension(file: Path) -> None:
    assert "line 2: 'Ann/Ann_0003'" in refusal(file, "1\nAnn 1 3\nAnn 1 Bob 3\n")
    assert "names 3 images" in refusal(file, "1\nAnn 3 4\nAnn 1 Zoe 3\n")
    twice = (*PATHS, "other/Ann/Ann_0001.webp")
    assert "which may be row 0" in (said := refusal(file, "1\nAnn 2 1\nAnn 1 Bob 3\n", twice, 5))
    assert "or row 4 ('other/Ann/Ann_0001.webp')" in said
    many = ("Jo_Jr./Jo_Jr._0001.jpg", r"Jo_Jr.\Jo_Jr._12345.jpg")
    assert triples(read(file, "1\nJo_Jr. 1 12345\nJo_Jr. 1 B 1\n", (*many, "B/B_0001.x"), 3)) == [
        (0, 1, True),
        (0, 2, False),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "F is empty"),
        (" \r\n\n\t", "F is empty"),
        ("\ufeff", "F is empty"),
        (b"\xff\xfea\x00", "F is not a list of pairs in UTF-8 text: byte 0"),
        ("0 1 1\n0 2 0.5\n", "F line 2 must say 1 .* not '0.5'"),
        ("0 1 1\n\n0 2 2\n", "F line 3 must say 1 .* not '2'"),
        ("0 1 -1\n0 2 0\n", "F line 1 must say 1 .* not '-1'"),
        ("0 1 1\n0 2\n", "F line 2 must read 'a b 1' .* because scoring needs the truth, not '0 2'"),
        ("0 1\n0 2\n", "F line 1 must read .* because scoring needs the truth, not '0 1'"),
        ("a.jpg b.jpg\n", "F line 1 must read .* because scoring needs the truth, not 'a.jpg b.jpg'"),
        ("0 1 1\n0 2 3 0\n", "F line 2 must read 'a b 1' .* different one, not '0 2 3 0'"),
        ("0\t\t1 1 1\n", "F line 1 must read"),
        ("0 1 1\n0 4 0\n", "F line 2 names '4', but the embeddings have no paths, .* rows from 0 to 3"),
        ("0 1 1\n-1 2 0\n", "F line 2 names '-1'"),
        ("0 1 1\n1.0 2 0\n", "F line 2 names '1.0'"),
        ("0 ٣ 1\n1 2 0\n", "F line 1 names '٣'"),
        ("0 1 1\n1 " + "9" * 5000 + " 0\n", "F line 2 names '9{77}...'"),
        ("1\nAnn 1 2\nAnn 1 Bob 2\n", "F line 2 names 'Ann/Ann_0001', but the embeddings have no paths"),
        ("1\nAnn 1 2\n", "F line 1 .* promises 2 pairs, but 1 lines follow"),
        ("1\nAnn 1 2\nAnn x\n", "F line 3 must read 'name i j'"),
        ("0 1 1\n2 3 1\n", "F holds no impostor pair among 2"),
        ("0 1 0\n2 3 0\n2 1 0\n", "F holds no genuine pair among 3"),
        ("left,right,same\n", "F has a header but holds no pairs"),
        ("left,right,same\n0,1,1\n0,2\n", "F line 3 has 2 fields, but the header names 3 columns"),
        ("left,right,same\n0,1,1,\n", "F line 2 has 4 fields"),
        ("left,right,same\n0,1,yes\n", "F line 2 must say 1 .* not 'yes'"),
        ("left,right,same\n0,1,\n", "F line 2 must say 1 .* not ''"),
        ("left,right,same\n0,1,1\n,1,0\n", "F line 3 names ''"),
        (
            "left,right,lable\n0,1,1\n",
            r"F line 1 must name two images \(left,right \| .*not 'left,right,lable'; did you mean 'label'",
        ),
        ("left,right,\n0,1,1\n", "F line 1 must name"),
        ("left,right\n0,1\n", "F line 1 must name"),
        ("left,b,same\n0,1,1\n", "F line 1 must name"),
        ("left,right,a,same\n0,1,1,2\n", "F line 1 must name .* not 'left,right,a,same'"),
        ("left,right,img1,img2,same\n0,1,0,1,1\n", "F line 1 must name .* each once and in one way"),
        ("left,right,same,fold,Fold\n0,1,1,1,1\n", "F line 1 must name"),
        ("left,right,same,label\n0,1,1,1\n", "F line 1 must name"),
        ("left,left,right,same\n0,1,1,1\n", "F line 1 must name"),
        ("0,1,1\n2,3,0\n", "F line 1 must name .* not '0,1,1'"),
        ("\nx.jpg, y.jpg, 5\n", "F line 2 must name .* not 'x.jpg,y.jpg,5'"),
        ("left,right,same,fold\n0,1,1,1\n0,2,0,x\n", "F line 3 must give a whole number as its fold, not 'x'"),
        ("left,right,same,fold\n0,1,1,\n0,2,0,1\n", "F line 2 must give a whole number as its fold, not ''"),
        ("left,right,same,fold\n0,1,1,-1\n0,2,0,1\n", "F line 2 must give .* not '-1'"),
        ("left,right,same,fold\n0,1,1,1.5\n0,2,0,1\n", "F line 2 must give .* not '1.5'"),
        ('left,right,same\n0,1,1\n"0,2,0\n', "F line 3 has 1 field, but"),
        ('left,right,same\n0,1,1\n"0\n\n",2,0\n0,2\n', "F line 6 has 2 fields"),
        ('left,right,same\n0,1,1\n"' + "0" * 200_000 + '",2,0\n', "F line 3 is not CSV: field larger"),
    ],
)
def test_what_cannot_be_scored_is_said_in_a_sentence(file: Path, text: str | bytes, said: str) -> None:
    assert re.search(said, refusal(file, text, None))


def test_no_paths_at_all_have_no_image(file: Path) -> None:
    assert "names 2 images that are not among the 0 paths" in refusal(file, "a b 1\nb a 0\n", (), 0)


def test_absent_images_are_counted_once_and_the_nearest_named(file: Path) -> None:
    said = refusal(file, "Ann_0001.jpg Ann_0002.png 1\nBob_0003.jpg Bob_0004.jpg 0\nBob_0004.jpg x 0\n")
    assert (
        "names 2 images that are not among the 4 paths of the embeddings, the first in line 2: 'Bob_0004.jpg'" in said
    )
    assert "did you mean 'faces/Bob/Bob_0003.jpg'" in said


def test_folds_may_differ_by_one_pair(file: Path) -> None:
    pairs = read(file, "a,b,same,fold\n0,1,1,9\n0,2,0,9\n1,2,0,4\n", None)
    assert pairs.fold is not None
    assert pairs.fold.tolist() == [2, 2, 1]


def test_a_list_that_is_not_there_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"cannot read the list of pairs .*none\.txt: no such file"):
        read_pairs(tmp_path / "none.txt", None, 4)
    with pytest.raises(SandboxError, match="is a directory"):
        read_pairs(tmp_path, None, 4)
    with pytest.raises(SandboxError, match="null"):
        read_pairs(tmp_path / "a\0b", None, 4)


PIECES = st.sampled_from(
    [
        "0",
        "1",
        "2",
        "a.jpg",
        "left",
        "right",
        "same",
        "fold",
        " ",
        " ",
        "\t",
        ",",
        ";",
        '"',
        "\n",
        "\n",
        "\r\n",
        "\ufeff",
        "\0",
    ]
)


@FUZZ
@given(
    st.lists(PIECES, max_size=30).map(lambda pieces: "".join(pieces).encode()) | st.binary(max_size=40),
    st.booleans(),
)
def test_garbage_never_ends_in_a_traceback(scratch: Path, content: bytes, with_paths: bool) -> None:
    scratch.write_bytes(content)
    try:
        pairs = read_pairs(scratch, ("a.jpg", "x/0", "1") if with_paths else None, 3)
    except SandboxError as error:
        assert "\n" not in str(error)
    else:
        assert pairs.same.any() and not pairs.same.all()
        assert 0 <= min(pairs.left.min(), pairs.right.min()) <= max(pairs.left.max(), pairs.right.max()) < 3


def test_many_lines_and_paths(file: Path) -> None:
    paths = [f"data/{place % 100:03d}/{place:06d}.jpg" for place in range(20_000)]
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 20_000, (2, 30_000))
    text = "".join(
        f"/mnt/data/{a % 100:03d}/{a:06d}.jpg {b % 100:03d}/{b:06d}.jpg {(a + b) % 2}\n"
        for a, b in zip(left, right, strict=True)
    )
    pairs = read(file, text, paths, len(paths))
    assert np.array_equal(pairs.left, left)
    assert np.array_equal(pairs.right, right)
    assert np.array_equal(pairs.same, (left + right) % 2 == 1)


def test_uneven_folds_are_read_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("left,right,same,fold\n0,1,1,7\n0,1,1,7\n0,2,0,3\n")
    fold = read_pairs(file, None, 3).fold
    assert fold is not None and fold.tolist() == [2, 2, 1]


@FUZZ
@given(data=st.data(), text=st.sampled_from([LFW, LINES, TABLE]))
def test_a_list_with_bytes_turned_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, text: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "changed.txt"
    file.write_bytes(data.draw(changed(text.encode())))
    read_or_refused(lambda: read_pairs(file, PATHS, 4))
