"""Names of any script on pictures, where a font has their letters and where none has."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from sandbox.recognition.identify import Named
from sandbox.recognition.picture import draw_named
from sandbox.reporting.plots.contact_sheet import Row, draw_sheet
from sandbox.reporting.plots.fonts import homes, own_font
from sandbox.reporting.plots.lettering import as_ascii, lettering, not_written, one_line
from sandbox.reporting.plots.map import draw_map
from sandbox.reporting.plots.plane import Panel, draw_plane
from sandbox.reporting.plots.style import draw_legend, save

OTHER = own_font().with_name("STIXGeneral.ttf")
"""A font that is there wherever matplotlib is, and no font of names."""

SCRIPTS = {
    "Chinese": "王小明",
    "Japanese": "田中さくら",
    "Korean": "김철수",
    "Thai": "สมชาย ใจดี",
    "Arabic": "محمد علي",
    "Hebrew": "דוד כהן",
    "Devanagari": "राहुल शर्मा",
}

HOSTILE = [
    *SCRIPTS.values(),
    *("_under $x^2$ and $", "\\$", "a\nb\tc\x07\x1b[31m", "😀 👨\u200d👩", "W" * 300, "漢" * 300, "", " "),
    *("\u202egnp.exe", "\ud800x", "𠮷野", "e" + "\u0301" * 50, "\ue000", "\U0010ffff", "$\\frac{1}{$"),
]


@pytest.fixture(scope="module")
def letter() -> str:
    """A letter that DejaVu Sans lacks and `OTHER` has."""
    own, other = (set(map(chr, FT2Font(str(font)).get_charmap())) for font in (own_font(), OTHER))
    return min(each for each in other - own if each.isalpha())


def pixels(texts: list[str], text: str, fonts: list[Path] | None = None, anchor: str = "la") -> np.ndarray:
    known = lettering(texts, fonts)
    image = Image.new("L", (300, 60), 255)
    known.letters(20).draw(ImageDraw.Draw(image), (150, 20), known.written(text), "black", anchor)
    return np.asarray(image)


def test_without_a_font_a_name_is_ascii_beside_a_note() -> None:
    known = lettering(SCRIPTS.values(), fonts=())
    assert known.written("王小明") == "U+738B U+5C0F U+660E"
    assert known.written("田中さくら") == "U+7530 U+4E2D sa-ku-ra"
    assert known.written("김철수") == "gim-ceol-su"
    assert known.written("สม") == "U+0E2A U+0E21"
    assert known.written("Žofie") == "Žofie" and known.written("דוד") == "דוד" and known.written("محمد") == "محمد"
    (note,) = not_written(["Žofie", "王 Wang", "김", "王 Wang"], fonts=())
    assert note.startswith(
        "2 names are written as ASCII, as no font of this machine has the letters, the first '王 Wang' as 'U+738B Wang'"
    )
    assert not_written(["Žofie", "Ελένη", "Олег", ""], fonts=()) == []


@pytest.mark.parametrize("name", ["王", "김철수", "José 王(1)", "\U0010ffff", "é" * 3])
def test_ascii_is_ascii_and_tells_names_apart(name: str) -> None:
    assert as_ascii(name).isascii() and as_ascii(name)
    assert as_ascii(name + "李") != as_ascii(name)


def test_ascii_keeps_what_is_ascii() -> None:
    assert as_ascii("plain name_1 $x$") == "plain name_1 $x$"
    assert as_ascii("José 王(1)") == "Jose U+738B(1)"


def test_a_font_that_has_a_letter_draws_it(letter: str) -> None:
    known = lettering([letter], fonts=[own_font().with_name("nowhere.ttf"), OTHER])
    assert known.homes[letter] == OTHER and known.homes["a"] == own_font()
    assert known.written(letter) == letter and not_written([letter], fonts=[OTHER]) == []
    alone = Image.new("L", (300, 60), 255)
    ascent = ImageFont.truetype(str(own_font()), 20).getmetrics()[0]
    font = ImageFont.truetype(str(OTHER), 20)
    ImageDraw.Draw(alone).text((150, 20 + ascent), letter, fill="black", font=font, anchor="ls")
    assert np.array_equal(pixels([letter], letter, [OTHER]), np.asarray(alone))
    mixed = pixels([letter], f"a{letter}b", [OTHER])
    assert (mixed != 255).any() and not np.array_equal(mixed, pixels([letter], "ab", [OTHER]))


@pytest.mark.filterwarnings("error")
def test_matplotlib_finds_the_letter_in_the_other_font(letter: str, tmp_path: Path) -> None:
    drawn = []
    before = list(matplotlib.rcParams["font.family"])
    for text in (letter, "a"):
        known = lettering([text], fonts=[OTHER])
        with known.for_plots():
            figure = plt.figure(figsize=(1, 1))
            figure.text(0.2, 0.2, known.plotted(text), fontweight="bold")
            save(figure, tmp_path / "out.png")
        drawn.append((tmp_path / "out.png").read_bytes())
    assert drawn[0] != drawn[1]
    assert matplotlib.rcParams["font.family"] == before


@pytest.mark.parametrize("name", SCRIPTS.values(), ids=SCRIPTS)
def test_a_name_is_drawn_as_it_is_where_this_machine_has_its_letters(name: str) -> None:
    known = lettering([name])
    if homes(name).keys() >= set(name):
        assert known.written(name) == name and not_written([name]) == []
    else:
        assert known.written(name) == as_ascii(name) != name and len(not_written([name])) == 1
    assert (pixels([name], name) != 255).any()


@pytest.mark.parametrize("anchor", ["la", "ma", "rm"])
def test_names_that_dejavu_has_are_drawn_by_it_alone(anchor: str) -> None:
    image = Image.new("L", (300, 60), 255)
    font = ImageFont.truetype(str(own_font()), 20)
    ImageDraw.Draw(image).text((150, 20), "Žofie Олег", fill="black", font=font, anchor=anchor)
    assert np.array_equal(pixels(["Žofie Олег"], "Žofie Олег", anchor=anchor), np.asarray(image))


def test_what_cannot_be_seen_does_not_stand_on_a_picture() -> None:
    assert one_line("a\nb\tc\x07\u3000d\u202e\u200be\ud800") == "a b c? de?"
    assert lettering(["$x$"]).plotted("$x$") == r"\$x\$"


def test_a_legend_has_labels_that_matplotlib_would_leave_out() -> None:
    figure = plt.figure()
    draw_legend(figure, [(plt.Line2D([], []), label) for label in ("_hidden", r"\$x\$", "")], loc="upper left")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["_hidden", r"\$x\$", ""]
    plt.close(figure)


@pytest.mark.filterwarnings("error")
def test_names_of_any_kind_are_on_every_picture(tmp_path: Path) -> None:
    Image.new("RGB", (400, 300)).save(tmp_path / "photo.png")
    faces = [Named(str(tmp_path / "photo.png"), name, name, 0.9, None, (9.0, 9.0, 60.0, 60.0), 1.0) for name in HOSTILE]
    notes = draw_named(faces, tmp_path / "named.png")
    assert len(notes) == 1 and "\x1b" not in notes[0]  # no font has the last plane
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(HOSTILE)), 2)
    x = rng.normal(size=(len(labels), 4)).astype(np.float32)
    draw_map(x, labels, HOSTILE, tmp_path / "map.png", name="$王$", coloured=len(HOSTILE))
    draw_plane([[Panel("t", x[:, :2], labels, 0.5)]], HOSTILE, tmp_path / "plane.png", title="$王$")
    sheet = [Row(name, name, np.zeros((1, 8, 8, 1), np.uint8)) for name in HOSTILE]
    draw_sheet(sheet, tmp_path / "sheet.png", "$王$")
    for kind in ("named", "map", "plane", "sheet"):
        with Image.open(tmp_path / f"{kind}.png") as image:
            assert image.width < 4000
