"""Lists of pairs in the formats that go about: what each is read as, what is told, and what is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest

from sandbox.data.formats.pairs.pair_rows import read_pairs
from sandbox.errors import SandboxError

PATHS = ("x/Ann Lee/Ann Lee_0001.jpg", "x/Ann Lee/Ann Lee_0003.jpg", "x/Bo van Ek/Bo van Ek_0002.jpg", "y/cat.jpg")
WANTED = [(0, 1, True), (0, 2, False)]
Triples = list[tuple[int, int, bool]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pairs.txt"


def read(file: Path, text: str, paths: Sequence[str] = PATHS) -> tuple[Triples, tuple[str, ...]]:
    file.write_bytes(text.encode())
    pairs = read_pairs(file, paths, len(paths))
    return list(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.same.tolist(), strict=True)), pairs.notes


def refusal(file: Path, text: str | bytes, paths: Sequence[str] = PATHS) -> str:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(SandboxError) as caught:
        read_pairs(file, paths, len(paths))
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(file), "F")


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "text",
    [
        "1\t1\nAnn Lee\t1\t3\nAnn Lee\t1\tBo van Ek\t2\n",
        "1\nAnn Lee\t1\t3\t\nAnn Lee\t\t1\t Bo van Ek \t2\n",
        "Ann Lee/Ann Lee_0001.jpg\tAnn Lee_0003.jpg\t1\nAnn Lee_0001.jpg\tBo van Ek_0002.jpg\t0\n",
        "left,right,same\nAnn Lee_0001.jpg,Ann Lee_0003.jpg,1\n\nAnn Lee_0001.jpg,Bo van Ek_0002.jpg,0\n",
    ],
)
def test_where_a_line_holds_tabs_names_may_hold_blanks(file: Path, mark: str, ending: str, text: str) -> None:
    assert read(file, mark + text.replace("\n", ending)) == (WANTED, ())


def test_tabs_and_blanks_may_be_mixed_as_before(file: Path) -> None:
    assert read(file, "a.jpg b.jpg\t1\na.jpg\tc.jpg 0\n", ("a.jpg", "b.jpg", "c.jpg"))[0] == WANTED
    assert read(file, "1\nAnn\t1 2\nAnn 1\tBo 1\n", ("Ann/Ann_0001.x", "Ann/Ann_0002.x", "Bo/Bo_0001.x"))[0] == WANTED


def test_blanks_in_names_without_tabs_are_refused_with_the_way_out(file: Path) -> None:
    assert "F line 2 must read 'name i j' or 'name1 i name2 j', parted by tabs where a name holds blanks" in refusal(
        file, "1\nAnn Lee 1 3\nAnn Lee 1 Bo 2\n"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (",left,right,same\n0,{0},{1},1\n1,{0},{2},0\n", "1 column is passed over: column 1, which has no name"),
        ("Unnamed: 0,left,right,same\n0,{0},{1},1\n1,{0},{2},0\n", "1 column is passed over: 'Unnamed: 0'"),
        ("id;Image_1;IMAGE 2;is same\n0;{0};{1};TRUE\n1;{0};{2};FALSE\n", "1 column is passed over: 'id'"),
        (
            "pair_id\timage_a\timage_b\tscore\tlabel\n9\t{0}\t{1}\t.3\t1\n8\t{0}\t{2}\t.2\t0\n",
            "2 columns are passed over: 'pair_id', 'score'",
        ),
    ],
)
def test_columns_that_mean_nothing_are_passed_over_and_told(file: Path, text: str, told: str) -> None:
    assert read(file, text.format(*PATHS)) == (WANTED, (told,))


def test_an_index_column_may_stand_beside_rows(file: Path) -> None:
    file.write_text("index,a,b,label,fold\n7,0,1,1,2\n8,0,2,0,1\n")
    pairs = read_pairs(file, None, 3)
    assert (pairs.left.tolist(), pairs.right.tolist()) == ([0, 0], [1, 2])
    assert pairs.fold is not None and pairs.fold.tolist() == [2, 1]
    assert pairs.notes == ("1 column is passed over: 'index'",)


@pytest.mark.parametrize(
    ("same", "different"),
    [
        ("same", "Different"),
        ("genuine", "impostor"),
        ("MATCH", "mismatch"),
        ("positive", "negative"),
        ("1", "-1"),
        ("1.0", "0.0"),
    ],
)
@pytest.mark.parametrize("form", ["{0} {1} {2}\n", "{2} {0} {1}\n", "{0},{1},{2}\n", '"{2}";"{0}";"{1}"\n'])
def test_the_truth_is_read_in_other_words_and_in_front(file: Path, same: str, different: str, form: str) -> None:
    text = form.format("a.jpg", "b.jpg", same) + form.format("a.jpg", "cd.jpg", different)
    found, notes = read(file, text, ("a.jpg", "b.jpg", "cd.jpg"))
    assert found == WANTED
    assert notes[-1] == (
        f"the truth of a pair is read as it is written: {same.lower()} as same and {different.lower()} as different"
    )
    assert ("each line begins with the truth of its pair" in notes) == (form[1] == "2" or form[2] == "2")


def test_usual_truth_in_front_and_commas_without_a_header(file: Path) -> None:
    paths = ("a b.jpg", "b.jpg", "c.jpg")
    assert read(file, "a b.jpg,b.jpg,1\r\na b.jpg , c.jpg,0\r\n", paths) == (
        WANTED,
        ("no line names the columns, so that each is read as a pair",),
    )
    assert read(file, "1 x/a.jpg b.jpg\n\n0 x/a.jpg c.jpg\n", ("x/a.jpg", "b.jpg", "c.jpg")) == (
        WANTED,
        ("each line begins with the truth of its pair",),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.jpg b.jpg same\na.jpg c.jpg 0\n", "F line 1 must say 1 for a same pair .* not 'same'"),
        ("a.jpg b.jpg same\na.jpg c.jpg different\na.jpg c.jpg 0", "F line 3 must say same .* not '0'"),
        ("a.jpg b.jpg 1\na.jpg c.jpg -1\na.jpg c.jpg 0\n", "F line 2 must say 1 for a same pair or 0"),
        ("1 5 7\n0 2 9\n", "F line 1 must say 1 for a same pair .* not '7'"),
        ("1 a.jpg 1\n0 b.jpg c.jpg\n", "F line 2 must say 1"),
        ("1 a.jpg b.jpg\n2 b.jpg c.jpg\n", "F line 1 must say 1 .* not 'b.jpg'"),
        ("a.jpg,b.jpg,1\na.jpg,c.jpg,2\n", "F line 1 must name two images"),
        ("0,1,1\n1,2,0\n", "F line 1 must name two images"),
        ("a.jpg,b.jpg,1\na.jpg,c.jpg,0,3\n", "F line 1 must name two images"),
        ("1,a.jpg,1\n0,b.jpg,0\n", "F line 1 must name two images"),
    ],
)
def test_what_may_be_mistaken_is_refused(file: Path, text: str, said: str) -> None:
    assert re.search(said, refusal(file, text, ("a.jpg", "b.jpg", "c.jpg")))


FLAT = ("aligned/Ann_0001.jpg", "aligned/Ann_0002.jpg", "aligned/Bo_B_0001.jpg", "aligned/Cy_3.jpg", "aligned/Cy_4.jpg")


@pytest.mark.parametrize("parting", [" ", "\t", "   "])
def test_two_lines_a_pair_as_cplfw_has_them(file: Path, parting: str) -> None:
    lines = ("Ann_0001.jpg 1", "Ann_0002.jpg 1", "Ann_0001.jpg 0", "Bo_B_0001.jpg 0")
    found, notes = read(file, "\n".join(lines).replace(" ", parting) + "\n", FLAT)
    assert found == WANTED
    assert notes == ("2 pairs of two lines each, an image in each line",)


def test_two_lines_a_pair_with_the_folds_of_same_pairs_as_calfw_has_them(file: Path) -> None:
    text = "Ann_0001.jpg 1\nAnn_0002.jpg 1\nCy_3.jpg 2\nCy_4.jpg 2\nAnn_0001.jpg 0\nBo_B_0001.jpg 0\n"
    found, notes = read(file, text, FLAT)
    assert found == [(0, 1, True), (3, 4, True), (0, 2, False)]
    assert notes[1] == "same pairs are numbered up to 2, different ones are not, so that they are no folds"
    assert read_pairs(file, FLAT, len(FLAT)).fold is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ann_0001.jpg 1\nAnn_0002.jpg 1\nAnn_0001.jpg 0\n", "F has 3 lines of one image each, but a pair takes two"),
        ("Ann_0001.jpg 1\nAnn_0002.jpg 0\n", "F lines 1 and 2 are the two images of a pair, and must end in the same"),
        # Classes of images, which would say the opposite.
        ("Ann_0001.jpg 0\nAnn_0002.jpg 0\nCy_3.jpg 1\nCy_4.jpg 1\n", "1 pair contradicts the names of the images"),
        ("Ann_0001.jpg 1\nBo_B_0001.jpg 1\nAnn_0001.jpg 0\nCy_3.jpg 0\n", "the first in line 1"),
        ("a.jpg 1\nb.jpg 1\na.jpg 0\nc.jpg 0\n", "F line 1 must read 'a b 1'"),
        ("Ann_0001.jpg same\nAnn_0002.jpg same\n", "F line 1 must read 'a b 1'"),
    ],
)
def test_two_lines_that_are_no_pair_are_refused(file: Path, text: str, said: str) -> None:
    assert said in refusal(file, text, FLAT)


def test_one_wrong_pair_among_many_is_followed_and_told(file: Path) -> None:
    pairs = ["Ann_0001.jpg 1\nAnn_0002.jpg 1\n", "Ann_0001.jpg 0\nBo_B_0001.jpg 0\n"] * 100
    found, notes = read(file, "".join([*pairs, "Cy_3.jpg 0\nCy_4.jpg 0\n"]), FLAT)
    assert len(found) == 201 and found[-1] == (3, 4, False)
    assert notes[1] == "1 pair contradicts the names of the images, the first in line 401; the list is followed"


def test_comments_are_passed_over_and_told(file: Path) -> None:
    told = ("2 lines that begin with # are passed over, the first line 1",)
    assert read(file, "# my pairs\na.jpg b.jpg 1\n#\na.jpg #c.jpg 0\n", ("a.jpg", "b.jpg", "#c.jpg")) == (WANTED, told)
    text = "# of view 1\n1\nAnn Lee\t1\t3\n# two people\nAnn Lee\t1\tBo van Ek\t2\n"
    assert read(file, text) == (WANTED, told)
    assert "F line 4 must read" in refusal(file, "# a\n1\nAnn\t1\t3\nAnn\n# b\n")
    assert read(file, "#a.jpg b.jpg 1\n#a.jpg c.jpg 0\n", ("#a.jpg", "b.jpg", "c.jpg")) == (WANTED, ())


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be"])
def test_text_of_two_bytes_a_character_is_refused_by_name(file: Path, code: str) -> None:
    assert refusal(file, "a.jpg b.jpg 1\n".encode(code)).endswith("; it looks like UTF-16: save it as UTF-8")


def spelt(form: str, *texts: str) -> list[str]:
    return [unicodedata.normalize(form, text) for text in texts]  # type: ignore[arg-type]


SPELT = ("x/José_Núñez/José_Núñez_0001.jpg", "x/José_Núñez/José_Núñez_0002.jpg", "x/Zoë/Zoë_0001.jpg")


@pytest.mark.parametrize(("ours", "theirs"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFC", "NFC"), ("NFD", "NFD")])
@pytest.mark.parametrize(
    "text",
    [
        "1\nJosé_Núñez\t1\t2\nJosé_Núñez\t1\tZoë\t1\n",
        "José_Núñez_0001.jpg José_Núñez/José_Núñez_0002.jpg 1\nJosé_Núñez_0001.jpg Zoë_0001.jpg 0\n",
        "José_Núñez_0001.jpg 1\nJosé_Núñez_0002.jpg 1\nJosé_Núñez_0001.jpg 0\nZoë_0001.jpg 0\n",
    ],
)
def test_composed_and_decomposed_spellings_meet(file: Path, text: str, ours: str, theirs: str) -> None:
    found, notes = read(file, *spelt(ours, text), paths=spelt(theirs, *SPELT))
    assert found == WANTED
    told = [note for note in notes if note.startswith("the list names 3 images in another spelling")]
    assert len(told) == (ours != theirs)
    assert all(note.isascii() and "Jose\\u0301_" in note and "Jos\\xe9_" in note for note in told)


def test_blanks_at_the_ends_of_folders_meet_and_inner_ones_do_not(file: Path) -> None:
    paths = ("Ann /Ann _0001.jpg", "Ann /Ann _0002.jpg", "Bo\xa0/Bo_0001.jpg")
    found, notes = read(file, "1\nAnn\t1\t2\nAnn\t1\tBo\t1\n", paths)
    assert found == WANTED
    assert notes[0].startswith("the list names 3 images in another spelling than the paths")
    said = refusal(file, "1\nAnn  Lee\t1\t3\nAnn Lee\t1\tBo van Ek\t2\n")
    assert "names 2 images that are not among the 4 paths" in said


def test_what_looks_the_same_and_is_another_name_is_shown_by_its_characters(file: Path) -> None:
    said = refusal(file, "cat.jpg\u200b cat.jpg 1\n")
    assert said.endswith("did you mean 'y/cat.jpg'?")
    assert r"did you mean 'cat.jpg', which looks the same as 'cat.jpg\u200b'" in refusal(
        file, "cat.jpg\u200b dog.jpg 1\n", ("cat.jpg", "dog.jpg")
    )


def test_an_exact_spelling_wins_over_another(file: Path) -> None:
    composed, decomposed = (spelt(form, "a/Zoë.jpg")[0] for form in ("NFC", "NFD"))
    paths = (composed, decomposed, "b.jpg")
    assert read(file, f"{composed} {decomposed} 1\nZo\xeb.jpg b.jpg 0\n", paths) == (
        [(0, 1, True), (0, 2, False)],
        (),
    )
    assert "which may be row 0" in refusal(file, "a/Zo\xeb.jpg b.jpg 1\n", (f" {composed}", f"{decomposed} ", "b.jpg"))


def test_faces_that_a_tool_cut_out_of_images_are_found_by_the_image(file: Path) -> None:
    text = "1\nAnn\t1\t2\nAnn\t1\tBo_7\t1\n"
    paths = ("Ann/Ann_0001_0.png", "Ann/Ann_0002_1.png", "Bo_7/Bo_7_0001_0.png", "Bo_7/Bo_7_0002_0.png")
    assert read(file, text, paths) == (WANTED, ())
    found, notes = read(file, text, (*paths, "Ann/Ann_0001_1.png", "Bo_7/Bo_7_0001_2.png"))
    assert found == WANTED
    assert notes == (
        "2 images that the list names show several faces, of which the one numbered 0 is taken: "
        "the first is 'Ann/Ann_0001'",
    )
    assert read(file, text, ("Ann/Ann_0001.jpg", *paths[1:], "Ann/Ann_0001_0.png")) == (WANTED, ())
    assert "'Ann/Ann_0001', which may be row 0 ('Ann/Ann_0001_1.png') or row 4" in refusal(
        file, text, ("Ann/Ann_0001_1.png", *paths[1:], "Ann/Ann_0001_2.png")
    )
    assert "which may be row 0 ('Ann/Ann_0001_0.png') or row 4 ('Ann/Ann_0001_0.jpg')" in refusal(
        file, text, (*paths, "Ann/Ann_0001_0.jpg")
    )


def test_numbers_may_have_other_zeros(file: Path) -> None:
    assert read(file, "1\nAnn 1 2\nAnn 1 Bo 1\n", ("Ann/Ann_1.jpg", "Ann/Ann_02.jpg", "Bo/Bo_00001.jpg")) == (
        WANTED,
        (),
    )
