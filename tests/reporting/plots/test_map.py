"""The map: which images, where they come to lie, and that none hides another."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.reporting.plots.map import _draw_leader, _short, draw_map
from sandbox.reporting.plots.map_layout import choose, free_spot, move_apart, take, tsne


def groups(classes: int, each: int, noise: float = 0.2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows of classes that lie apart."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(classes), each)
    x = rng.normal(size=(classes, 16))[y] + noise * rng.normal(size=(len(y), 16))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


@given(
    sizes=st.lists(st.integers(0, 40), min_size=2, max_size=12).filter(lambda s: sum(s) > 4 and sum(map(bool, s)) > 1),
    images=st.integers(5, 120),
    classes=st.integers(1, 24),
    seed=st.integers(0, 5),
)
def test_the_most_frequent_are_coloured_and_shown_evenly(
    sizes: list[int], images: int, classes: int, seed: int
) -> None:
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    chosen = choose(y, images=images, classes=classes, seed=seed)
    again = choose(y, images=images, classes=classes, seed=seed)
    assert np.array_equal(chosen.rows, again.rows) and chosen.coloured == again.coloured
    assert len(chosen.rows) == len(set(chosen.rows.tolist())) == min(images, len(y))
    assert (
        len(chosen.coloured) == min(classes, np.count_nonzero(sizes)) and 0 not in np.array(sizes)[[*chosen.coloured]]
    )
    others = [size for label, size in enumerate(sizes) if label not in chosen.coloured]
    assert not others or min(sizes[label] for label in chosen.coloured) >= max(others)
    shown = np.bincount(y[chosen.rows], minlength=len(sizes))
    most = max(shown[label] for label in chosen.coloured)
    for label in chosen.coloured:  # one has fewer than another by two only where it has no more
        assert shown[label] >= most - 1 or shown[label] == sizes[label]
    ours = sum(shown[label] for label in chosen.coloured)
    if len(y) > images and sum(others):
        assert ours == min(sum(sizes) - sum(others), max(-(-images * 3 // 5), images - sum(others)))


def test_another_seed_chooses_other_images() -> None:
    _, y = groups(4, 50)
    rows = [choose(y, images=40, classes=2, seed=seed).rows for seed in (0, 1)]
    assert not np.array_equal(*rows)


def test_a_seed_gives_one_map_and_neighbours_stay_neighbours() -> None:
    x, y = groups(5, 20)
    places, perplexity = tsne(x, 3)
    assert np.array_equal(places, tsne(x, 3)[0])
    assert places.shape == (100, 2) and places.min() >= 0 and places.max() <= 1 and perplexity == 30
    away = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(away, np.inf)
    assert (y[away.argmin(1)] == y).all()


@pytest.mark.parametrize("n", [5, 6, 20])
def test_few_images_have_a_perplexity_below_a_third(n: int) -> None:
    x, _ = groups(1, n)
    assert tsne(x, 0)[1] == (n - 1) / 3
    assert np.isfinite(tsne(x[:, :1], 0)[0]).all()  # embeddings of one number


@settings(max_examples=30)
@given(places=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=60), side=st.floats(0.01, 0.2))
def test_squares_are_pushed_apart(places: list[tuple[float, float]], side: float) -> None:
    moved = move_apart(np.array(places), side)
    assert np.array_equal(moved, move_apart(np.array(places), side))
    apart = np.abs(moved[:, None] - moved[None]).max(-1)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() >= 0.979 * side


def test_what_is_far_apart_stays() -> None:
    places = np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.5], [0.01, 0.0]])
    moved = move_apart(places, 0.1)
    assert np.abs(moved - places)[1:3].max() < 1e-3 and np.abs(moved - places)[[0, 3]].max() > 0.03


@given(seed=st.integers(0, 1000))
def test_a_free_spot_is_the_nearest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    taken = rng.random((24, 60)) < 0.03
    wanted, wide, high = rng.uniform(0, 24, 2), 5, 3
    corners = [
        (across, down)
        for down in range(24 - high + 1)
        for across in range(60 - wide + 1)
        if not taken[down : down + high, across : across + wide].any()
    ]
    away = [float(np.hypot(a + wide / 2 - wanted[0], d + high / 2 - wanted[1])) for a, d in corners]
    found = free_spot(taken, wanted, wide, high)
    if not away or min(away) > 60 / 6:
        assert found is None
    else:
        assert found is not None and np.isclose(np.hypot(found[0] - wanted[0], found[1] - wanted[1]), min(away))
        left, top = round(found[0] - wide / 2), round(found[1] - high / 2)
        assert not taken[top : top + high, left : left + wide].any()


def test_a_box_is_taken_as_far_as_it_is_inside() -> None:
    taken = np.zeros((4, 5), bool)
    take(taken, -3, 2, 4, 9)
    assert taken[2:, :2].all() and taken.sum() == 4


def test_every_thumbnail_is_seen_whole(tmp_path: Path) -> None:
    x, y = groups(3, 12)
    colours = np.stack([np.arange(36) * 7, 255 - np.arange(36) * 5, np.full(36, 128)], 1).astype(np.uint8)

    def image(row: int) -> Image.Image:
        return Image.new("RGB", (20, 20), tuple(colours[row].tolist()))

    out = tmp_path / "deep" / "map.png"
    said = draw_map(x, y, ("ann", "bob", "cy"), out, name="faces", image=image)
    assert said == "t-SNE of 36 images, perplexity 11.7; all 3 classes in colour"
    with Image.open(out) as opened:
        assert opened.format == "PNG"
        drawn = np.asarray(opened.convert("RGB")).astype(np.int32)
    keys, areas = np.unique((drawn * [65536, 256, 1]).sum(-1), return_counts=True)
    wanted = (colours.astype(np.int32) * [65536, 256, 1]).sum(1)
    seen = dict(zip(keys.tolist(), areas.tolist(), strict=True))
    found = [seen.get(key, 0) for key in wanted.tolist()]
    assert min(found) > 0.9 * max(found) and max(found) > 40**2
    assert [path.name for path in out.parent.iterdir()] == ["map.png"]


def test_points_where_there_is_no_image(tmp_path: Path) -> None:
    x, y = groups(30, 4)
    first, second, mixed = (tmp_path / name for name in ("a.png", "b.png", "c.png"))
    names = [f"person {label}" for label in range(30)]
    said = draw_map(x, y, names, first, name="faces", images=60, coloured=24)
    assert (
        said == "t-SNE of 60 of 120 images, perplexity 19.7; the 24 most frequent of 30 classes in colour, others grey"
    )
    draw_map(x, y, names, second, name="faces", images=60, coloured=24)
    assert first.read_bytes() == second.read_bytes()
    some = draw_map(x, y, names, mixed, name="faces", image=lambda row: None if row % 2 else Image.new("L", (9, 5)))
    assert some.startswith("t-SNE of 120 images") and mixed.read_bytes() != first.read_bytes()


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    x, y = groups(3, 4)
    names, out = ("a", "b", "c"), tmp_path / "map.png"
    for rows, labels, sentence in (
        (x[:4], y[:4], "a map needs 5 images; here are 4"),
        (x, np.zeros_like(y), "all 12 images show one class"),
        (np.ones_like(x), y, "all 12 embeddings are alike"),
    ):
        with pytest.raises(SandboxError, match=sentence):
            draw_map(rows, labels, names, out, name="faces")
    for flags, sentence in (
        ({"images": 4}, "--images is 4, but lies between 5 and 5,000"),
        ({"coloured": 25}, "--classes is 25, but lies between 1 and 24"),
    ):
        with pytest.raises(SandboxError, match=sentence):
            draw_map(x, y, names, out, name="faces", **flags)
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError, match="cannot write"):
        draw_map(x, y, names, tmp_path / "file" / "map.png", name="faces")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_name_that_stands_away_has_a_line_to_its_class() -> None:
    _, axes = plt.subplots()
    images = np.array([[100.0, 100.0], [140.0, 100.0]])
    _draw_leader(axes, np.array([160.0, 100.0]), (10.0, 5.0), images, 20, "black")  # right beside one
    assert not axes.lines
    _draw_leader(axes, np.array([300.0, 100.0]), (10.0, 5.0), images, 20, "black")
    assert axes.lines[-1].get_xydata().tolist() == [[290.0, 100.0], [140.0, 100.0]]


def test_a_long_name_keeps_both_ends() -> None:
    assert _short("CYRILLIC CAPITAL LETTER NJE", 26) == "CYRILLIC CAPI…L LETTER NJE"
