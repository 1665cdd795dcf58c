"""Tables parted into pieces that fit: every cell is there once, beside the name of its row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.reporting.tables.written.folded import Texts, cell_lines, column_width, fold, head_lines, width, wrapped

LOSSES = ("triplet_margin(margin=0.4, miner=batch_hard)", "arcface", "cross_entropy + 0.01*center", "二つの損失")


def texts(settings: int, figures: int, rows: int = 3, *, size: int = 15, blocks: tuple[str, ...] = ("",)) -> Texts:
    """A table of numbers that tell their place."""
    heads = [*("objective", "learning rate", "batch size", "decay factor of the schedule", "rotation")[:settings]]
    heads += [f"figure {k}" for k in range(figures)] * len(blocks)
    cells = [
        [*(f"{LOSSES[row % 4]}{s or ''}" for s in range(settings))]
        + [f"{row}.{k}".rjust(size, "0") for k in range(figures * len(blocks))]
        for row in range(rows)
    ]
    of = [""] * settings + [block for block in blocks for _ in range(figures)]
    words = [True] * settings + [False] * figures * len(blocks)
    return Texts(tuple(heads), tuple(map(tuple, cells)), tuple(of), tuple(words))


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 120), st.sampled_from([("",), ("glyphs", "folder")]))
def test_every_column_stands_once_beside_the_names_and_no_piece_is_too_wide(
    settings: int, figures: int, fit: int, blocks: tuple[str, ...]
) -> None:
    plain = texts(settings, figures, blocks=blocks)
    shown, pieces = fold(plain, fit)
    numbered = shown.heads[0] == "row"
    assert [row[numbered:] for row in shown.rows] == list(plain.rows)
    names = [0] if numbered else [k for k, words in enumerate(shown.words) if words]
    assert all(list(piece.places[: len(names)]) == names for piece in pieces)
    rest = [k for piece in pieces for k in piece.places[len(names) :]]
    assert rest == [k for k in range(len(shown.heads)) if k not in names]
    for piece in pieces:
        size = sum(column_width(shown, k, piece.limit) + 2 for k in piece.places) - 2
        assert not fit or size <= fit or len(piece.places) == len(names) + 1


def test_a_table_that_fits_is_in_one_piece_and_its_names_are_whole() -> None:
    plain = texts(1, 2)
    (piece,) = fold(plain, 80)[1]
    assert piece.places == (0, 1, 2) and piece.limit == 0
    assert len(fold(plain, 50)[1]) > 1 or fold(plain, 50)[1][0].limit  # 44 + 2 * 17 columns


def test_long_names_are_wrapped_where_that_saves_lines() -> None:
    shown, pieces = fold(texts(1, 4, rows=2, size=20), 80)
    assert len(pieces) == 2 and pieces[0].limit  # 44 + 22 columns would be four pieces
    assert "\n".join(cell_lines(shown, 0, LOSSES[0], 28)) == "triplet_margin(margin=0.4,\n  miner=batch_hard)"


def test_rows_are_numbered_where_names_alone_are_too_wide() -> None:
    shown, pieces = fold(texts(5, 2), 80)
    assert shown.heads[:2] == ("row", "objective") and [row[0] for row in shown.rows] == ["1", "2", "3"]
    assert len(pieces) > 1 and pieces[0].places[:2] == (0, 1) and all(piece.places[0] == 0 for piece in pieces)


def test_a_data_set_that_fits_is_not_parted() -> None:
    plain = texts(1, 2, size=10, blocks=("glyphs", "folder"))
    shown, pieces = fold(replace(plain, rows=(plain.rows[1],)), 50)  # 9 + 4 * 12 columns; three figures would fit
    assert [[shown.blocks[k] for k in piece.places[1:]] for piece in pieces] == [["glyphs"] * 2, ["folder"] * 2]


def test_a_head_is_as_narrow_as_its_cells() -> None:
    table = Texts(("learning rate of the loss", "n"), (("0.003", "1"),), ("", ""), (True, False))
    assert head_lines(table, 0, 20) == ["learning", "rate of", "the loss"] and column_width(table, 0, 20) == 8
    assert head_lines(table, 0, 0) == ["learning rate of the loss"] and head_lines(table, 1, 20) == ["n"]


@pytest.mark.parametrize("text", [*LOSSES, "a" * 90, "", "  ", "(" * 40, "{1: 2, 3: [4, 5]}"])
@pytest.mark.parametrize("limit", [16, 23, 60])
def test_a_wrapped_name_loses_nothing(text: str, limit: int) -> None:
    lines = wrapped(text, limit)
    assert all(width(line) <= limit for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
