from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.after.chain import Fit, Given, Marks, after_figures, check_steps
from sandbox.evaluation.after.linear import fit_linear
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.recipe.after import parse_steps
from sandbox.recipe.extra import parse_extra

OPTIONS = Options(recall_at=(1, 3), far=(0.1,), extra=parse_extra("map, ndcg@5, pauc@0.1"))
GAIN = {"gain", "gain_low", "gain_high"}
RNG = np.random.default_rng(8)
CENTRES = 1.4 * RNG.normal(size=(14, 10)) + 1


def drawn(n: int, classes: int = 14) -> Labelled:
    y = RNG.integers(0, classes, n)
    return Labelled((CENTRES[y] + RNG.normal(size=(n, 10))).astype(np.float32), y)


ROWS, GALLERY, HELD = drawn(90), drawn(60), Fit(drawn(120).x)
BY_CLASS = np.argsort(ROWS.y, kind="stable")
LEFT, RIGHT = np.append(BY_CLASS[:-1], np.arange(30)), np.append(BY_CLASS[1:], np.arange(30, 60))
PAIRS = Pairs(LEFT, RIGHT, ROWS.y[LEFT] == ROWS.y[RIGHT], np.arange(len(LEFT)) % 2)


def after(text: str, *, fit: Fit | None = HELD, options: Options = OPTIONS, **given: Any) -> Figures:
    return after_figures(parse_steps(text), Given(rows=given.pop("rows", ROWS), **given), options, fit)


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("pairs", [None, PAIRS], ids=["all pairs", "given pairs"])
@pytest.mark.parametrize("gallery", [None, GALLERY], ids=["alone", "gallery"])
def test_after_a_fitted_step_every_figure_is_that_of_the_rows_it_gives(
    gallery: Labelled | None, pairs: Pairs | None
) -> None:
    linear = fit_linear(parse_steps("whiten(4)")[0], unit(HELD.x), "validation")
    moved = Labelled(linear.apply(unit(ROWS.x)), ROWS.y)
    against = None if gallery is None else Labelled(linear.apply(unit(gallery.x)), gallery.y)
    expected = evaluate(moved, OPTIONS, gallery=against, pairs=pairs).figures
    got = after("whiten(4)", gallery=gallery, pairs=pairs)
    assert got.keys() == {f"after/{key}" for key in expected if key != "retrieval/unmatched"}
    for key, entry in got.items():
        plain = expected[key.removeprefix("after/")] | {"fitted_rows": 120}
        assert entry.keys() - GAIN == plain.keys() and (GAIN <= entry.keys()) == ("retrieval/" in key)
        for name in ("value", "low", "high", "n", "fitted_rows"):
            assert entry[name] == pytest.approx(plain[name], abs=1e-4), (key, name)
    assert {"after/retrieval/map", "after/retrieval/ndcg@5", "after/verification/pauc@far=1e-1"} <= got.keys()


@pytest.mark.parametrize("text", ["whiten(4)", "aqe(k=3)", "whiten(4) + rerank(k1=6, k2=2)"])
def test_a_gain_is_the_difference_to_the_plain_figure_with_classes_drawn_anew_for_both(text: str) -> None:
    plain, got = evaluate(ROWS, OPTIONS).figures, after(text)
    for key, entry in got.items():
        if "retrieval/" in key:
            value = plain[key.removeprefix("after/")]["value"]
            assert entry["gain"] == pytest.approx(entry["value"] - value, abs=1e-9), key
            assert entry["gain_low"] <= entry["gain"] <= entry["gain_high"], key
    entry = got["after/retrieval/map@r"]
    apart = entry["gain_high"] - entry["gain_low"]
    assert 0 < apart < 2 * (entry["high"] - entry["low"])
    nothing = after("rerank(k1=4, k2=2, lambda=1)")["after/retrieval/map@r"]
    assert abs(nothing["gain"]) < 1e-9 and nothing["gain_low"] == nothing["gain_high"] == nothing["gain"]
    assert (
        not GAIN
        & after("templates", marks=Marks(ROWS.y * 2 + np.arange(90) % 2, np.zeros(90, int)))[
            "after/retrieval/recall@1"
        ].keys()
    )


@pytest.mark.parametrize("last", ["aqe(k=3)", "rerank(k1=6, k2=2)"])
@pytest.mark.parametrize("gallery", [None, GALLERY], ids=["alone", "gallery"])
def test_a_step_that_orders_a_gallery_leaves_the_figures_of_pairs_alone(last: str, gallery: Labelled | None) -> None:
    alone, joined, first = (after(text, gallery=gallery) for text in (last, f"whiten(4) + {last}", "whiten(4)"))
    assert not [key for key in alone if "verification" in key] and "fitted_rows" not in alone["after/retrieval/map"]
    assert joined.keys() == first.keys()
    for key in first:
        assert (joined[key] == first[key]) == ("verification" in key or joined[key]["value"] == first[key]["value"])
    assert joined["after/retrieval/map@r"]["value"] != first["after/retrieval/map@r"]["value"]
    for entry in joined.values():
        assert entry["low"] <= entry["value"] <= entry["high"]


def test_reranking_by_the_distance_alone_changes_no_figure_and_neither_does_expansion_by_nothing() -> None:
    plain = evaluate(ROWS, OPTIONS).figures
    for text in ("rerank(k1=4, k2=2, lambda=1)", "aqe(k=1, alpha=100)"):
        got = after(text)
        for key, entry in got.items():
            assert entry["value"] == pytest.approx(plain[key.removeprefix("after/")]["value"], abs=1e-3), (text, key)


def test_steps_follow_each_other_and_a_later_one_is_fitted_on_what_the_earlier_ones_give() -> None:
    first, second = parse_steps("pca(6) + whiten(3)")
    held, rows = unit(HELD.x), unit(ROWS.x)
    one = fit_linear(first, held, "validation")
    two = fit_linear(second, one.apply(held), "validation")
    moved = Labelled(two.apply(one.apply(rows)), ROWS.y)
    value = evaluate(moved, OPTIONS).figures["retrieval/map@r"]["value"]
    assert after("pca(6) + whiten(3)")["after/retrieval/map@r"]["value"] == value


def test_templates_take_the_place_of_images_on_both_sides() -> None:
    marks, of_gallery = Marks(ROWS.y * 2 + np.arange(90) % 2, np.arange(90) % 5), Marks(GALLERY.y, np.zeros(60, int))
    got = after("templates", marks=marks)
    of_class = np.bincount(np.unique(marks.template) // 2)
    assert got["after/retrieval/map@r"]["n"] == 2 * (of_class == 2).sum()
    both = after("templates", gallery=GALLERY, marks=marks, gallery_marks=of_gallery)
    assert both["after/retrieval/map@r"]["value"] == both["after/retrieval/recall@1"]["value"]  # one for each class
    with pytest.raises(SandboxError, match="templates needs data that say of which template and medium each image is"):
        after("templates")
    with pytest.raises(SandboxError, match="templates needs data that say"):
        after("templates", marks=marks, gallery=GALLERY)
    with pytest.raises(SandboxError, match="templates stand in the place of images, but the pairs are of images"):
        after("templates", marks=marks, pairs=PAIRS)


def test_the_length_of_embeddings_says_nothing() -> None:
    longer = Labelled(ROWS.x * RNG.uniform(1e-20, 1e18, (90, 1)).astype(np.float32), ROWS.y)
    for text in ("whiten(4) + aqe(k=2)", "rerank(k1=5, k2=2)"):
        one, other = after(text), after(text, rows=longer)
        for key, entry in one.items():
            assert other[key]["value"] == pytest.approx(entry["value"], abs=1e-3), key


@pytest.mark.parametrize(
    ("text", "changed", "said"),
    [
        ("whiten(11)", {}, "whiten(11) keeps 11 dimensions, but the embeddings have 10 before it"),
        ("pca(4) + whiten(5)", {}, "whiten(5) keeps 5 dimensions, but the embeddings have 4 before it"),
        ("whiten(4)", {"fit": Fit(HELD.x[:4], "mine.npz")}, "whiten(4) is fitted on mine.npz, whose 4 rows allow 3"),
        ("center", {"fit": None}, "center is fitted on embeddings that are in no test, and there are none"),
        ("rerank(k1=90)", {}, "k1 of rerank is 90, but a query is compared with 89 rows"),
        ("rerank(k1=61)", {"gallery": GALLERY}, "k1 of rerank is 61, but a query is compared with 60 rows"),
        ("aqe(k=90)", {}, "k of aqe is 90, but a query is compared with 89 rows"),
        ("center", {"options": replace(OPTIONS, metric="l2")}, "center is of unit vectors and their cosines, but"),
        ("rerank", {"options": replace(OPTIONS, retrieval=False)}, "rerank changes the order of a gallery, but no row"),
    ],
)
def test_what_the_data_do_not_allow_is_refused(text: str, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(SandboxError, match=re.escape(said)):
        after(text, **changed)


def test_sizes_are_checked_before_anything_is_embedded() -> None:
    check_steps(parse_steps("pca(8) + whiten(4) + rerank(k1=20)"), rows=50, columns=10, searched=20)
    for text, said in (("pca(4) + whiten(5)", "have 4 before it"), ("rerank(k1=21)", "k1 of rerank is 21, but a")):
        with pytest.raises(SandboxError, match=said):
            check_steps(parse_steps(text), rows=50, columns=10, searched=20)
