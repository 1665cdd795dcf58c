"""LFW's lists of pairs as Kaggle has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.data.formats.pairs.kaggle_pairs import read_lfw
from sandbox.data.formats.pairs.pair_rows import read_pairs
from sandbox.errors import SandboxError

MATCH = "name,imagenum1,imagenum2\nAnn_Lee,1,2\nBo_Ek,1,2\n"
MISMATCH = "name,imagenum1,name,imagenum2\nAnn_Lee,1,Bo_Ek,1\nBo_Ek,2,Cy,7\nCy,7,Ann_Lee,2\n"
PATHS = ("l/Ann_Lee/Ann_Lee_0001.jpg", "l/Ann_Lee/Ann_Lee_0002.jpg", "l/Bo_Ek/Bo_Ek_0001.jpg", "l/Bo_Ek/Bo_Ek_0002.jpg")
PATHS = (*PATHS, "l/Cy/Cy_0007.jpg")
WANTED = [(0, 1, True), (2, 3, True), (0, 2, False), (3, 4, False), (4, 1, False)]


def triples(file: Path) -> tuple[list[tuple[int, int, bool]], tuple[str, ...]]:
    pairs = read_pairs(file, PATHS, len(PATHS))
    return list(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.same.tolist(), strict=True)), pairs.notes


def both(folder: Path, match: str = MATCH, mismatch: str = MISMATCH, name: str = "matchpairsDevTest.csv") -> Path:
    (folder / name).write_bytes(match.encode())
    (folder / f"mis{name}").write_bytes(mismatch.encode())
    return folder / name


@pytest.mark.parametrize("named", ["matchpairsDevTest.csv", "mismatchpairsDevTest.csv"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("names", ["name,imagenum1,name,imagenum2", '"name1","imagenum1","name2","imagenum2"'])
def test_a_match_list_and_its_mismatch_list_are_one(
    tmp_path: Path, named: str, mark: str, ending: str, names: str
) -> None:
    mismatch = MISMATCH.replace("name,imagenum1,name,imagenum2", names)
    both(tmp_path, *((mark + text).replace("\n", ending) for text in (MATCH, mismatch)))
    found, notes = triples(tmp_path / named)
    assert found == WANTED
    assert notes == (
        "matchpairsDevTest.csv and mismatchpairsDevTest.csv are read as one list: 2 same pairs and 3 different ones",
    )


@pytest.mark.parametrize("mark", [";", "\t"])
def test_other_separators_and_an_index_column(tmp_path: Path, mark: str) -> None:
    match, mismatch = (
        "".join(f"{place - 1 if place else ''},{line}\n" for place, line in enumerate(text.splitlines()))
        for text in (MATCH, MISMATCH.replace("name,imagenum2", "name.1,imagenum2"))
    )
    file = both(tmp_path, *(text.replace(",", mark) for text in (match, mismatch)))
    found, notes = triples(file)
    assert found == WANTED
    assert notes[0] == "1 column is passed over: column 1, which has no name" and len(notes) == 2


@pytest.mark.parametrize("other", ["matchpairsDevTest.csv", "mismatchpairsDevTest.csv"])
def test_a_list_without_its_partner_is_refused_by_the_name_of_the_partner(tmp_path: Path, other: str) -> None:
    both(tmp_path)
    (tmp_path / other).unlink()
    left = ({"matchpairsDevTest.csv", "mismatchpairsDevTest.csv"} - {other}).pop()
    with pytest.raises(SandboxError, match=rf"{left} holds pairs of .* alone, and {other} with the pairs of .* not"):
        triples(tmp_path / left)


def test_a_partner_may_differ_in_case_but_not_hold_the_same_kind(tmp_path: Path) -> None:
    both(tmp_path).rename(tmp_path / "MatchPairsDevTest.csv")
    assert triples(tmp_path / "MatchPairsDevTest.csv")[0] == WANTED
    both(tmp_path, mismatch=MATCH)
    with pytest.raises(SandboxError, match=r"holds pairs of one person alone, and so do lines of mismatchpairs"):
        triples(tmp_path / "matchpairsDevTest.csv")


def test_lines_of_the_partner_are_named(tmp_path: Path) -> None:
    file = both(tmp_path, mismatch=MISMATCH.replace("Cy,7,Ann", "Di,7,Ann"))
    with pytest.raises(SandboxError, match=r"matchpairsDevTest\.csv names 1 image .* in .*mismatchpairsDevTest\.csv l"):
        triples(file)
    file = both(tmp_path, mismatch=MISMATCH.replace("Cy,7,Ann", "Cy,x,Ann"))
    with pytest.raises(SandboxError, match=r"mismatchpairsDevTest\.csv line 4 must read .* not 'Cy,x,Ann_Lee,2'"):
        triples(file)


@pytest.mark.parametrize("end", ["", ",Unnamed: 3"])
@pytest.mark.parametrize("open_line", ["{},{},{},", "{},{},{}"])
def test_one_file_of_both_kinds(tmp_path: Path, end: str, open_line: str) -> None:
    file = tmp_path / "pairs.csv"
    rows = [open_line.format("Ann_Lee", 1, 2), "Ann_Lee,1,Bo_Ek,1", open_line.format("Bo_Ek", 1, 2)]
    file.write_text("\n".join([f"name,imagenum1,imagenum2{end or ','}", *rows]))
    found, notes = triples(file)
    assert (found, notes) == ([(0, 1, True), (0, 2, False), (2, 3, True)], ())
    assert read_pairs(file, PATHS, len(PATHS)).fold is None


@pytest.mark.parametrize("each", [1, 3])
def test_ten_stretches_of_each_kind_are_the_folds_of_view_2(tmp_path: Path, each: int) -> None:
    file = tmp_path / "pairs.csv"
    fold = "Ann_Lee,1,2,\n" * each + "Ann_Lee,1,Cy,7\n" * each
    file.write_text("name,imagenum1,imagenum2,\n" + fold * 10)
    pairs = read_pairs(file, PATHS, len(PATHS))
    assert pairs.fold is not None
    assert pairs.fold.tolist() == [number for number in range(1, 11) for _ in range(2 * each)]
    assert len(pairs.notes) == 1 and pairs.notes[0].startswith("the list is in LFW's 10 folds by its order, ")
    for other in (fold * 9, fold * 10 + "Ann_Lee,1,2,\n"):
        file.write_text("name,imagenum1,imagenum2,\n" + other)
        assert read_pairs(file, PATHS, len(PATHS)).fold is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,imagenum1,imagenum2\n", "has a header but holds no pairs"),
        ("imagenum1,imagenum2\n1,2\n", "line 1 must name the columns name,imagenum1,imagenum2 or name,imagenum1,name"),
        ("name,name,name,imagenum1,imagenum2\na,b,c,1,2\n", "line 1 must name the columns"),
        ("name,imagenum1,imagenum1,imagenum2\na,1,1,2\n", "line 1 must name the columns"),
        ("name,imagenum1,imagenum2,\nAnn_Lee,1\n", "line 2 has 2 fields, but the header names 4 columns"),
        ("name,imagenum1,imagenum2,\n,1,2,\n", "line 2 must read 'name i j'"),
        ("name,imagenum1,imagenum2,\nAnn_Lee,1,Bo_Ek,1\n", "holds no genuine pair among 1"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(SandboxError, match=said):
        triples(tmp_path / "pairs.csv")
    if "genuine" not in said:
        with pytest.raises(SandboxError, match=said):
            read_lfw(tmp_path / "pairs.csv")


def test_a_csv_of_something_else_beside_a_tree_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pairs.csv").write_text("left,right,same\na,b,1\n")
    with pytest.raises(SandboxError, match=r"pairs\.csv line 1 must name the columns .* not 'left,right,same'"):
        read_lfw(tmp_path / "pairs.csv")
