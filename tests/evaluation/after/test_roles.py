"""What comes after the embedding, where rows are queries, gallery or both."""

from __future__ import annotations

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.after.chain import Given, after_figures
from sandbox.evaluation.report import Labelled, Options
from sandbox.evaluation.roles import Roles, stacked
from sandbox.recipe.after import parse_steps
from sandbox.recipe.extra import parse_extra

EXTRA = parse_extra("map")


def rows(count: int = 50) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 8, count)
    x = rng.normal(size=(8, 6))[y] + rng.normal(size=(count, 6))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


@pytest.mark.parametrize("step", ["rerank(k1=6, k2=3)", "aqe(k=4)"])
def test_roles_are_what_a_gallery_apart_is_and_none(step: str) -> None:
    x, y = rows()
    steps = parse_steps(step)
    apart = Given(rows=Labelled(x[:20], y[:20]), gallery=Labelled(x[20:], y[20:]))
    wanted = after_figures(steps, apart, Options(extra=EXTRA, verification=False))
    together = Options(extra=EXTRA, verification=False, roles=stacked(20, 30, None, None))
    got = after_figures(steps, Given(rows=Labelled(x, y)), together)
    assert got.keys() == wanted.keys() and len(got) > 5
    for key, entry in wanted.items():
        assert got[key]["value"] == pytest.approx(entry["value"]), key
    every = np.ones(50, bool)
    plain = after_figures(steps, Given(rows=Labelled(x, y)), Options(extra=EXTRA, verification=False))
    roles = Options(extra=EXTRA, verification=False, roles=Roles(every, every))
    both = after_figures(steps, Given(rows=Labelled(x, y)), roles)
    assert {key: entry["value"] for key, entry in both.items()} == pytest.approx(
        {key: entry["value"] for key, entry in plain.items()}
    )


def test_cameras_are_heeded_after_it_too() -> None:
    x, y = rows()
    camera = np.arange(50) % 3
    steps = parse_steps("rerank(k1=6, k2=3)")
    heeded = after_figures(steps, Given(rows=Labelled(x, y)), Options(roles=Roles.among_all(camera)))
    plain = after_figures(steps, Given(rows=Labelled(x, y)), Options(extra=EXTRA))
    assert heeded["after/retrieval/map"]["value"] != plain["after/retrieval/map"]["value"]


def test_what_is_no_search_is_refused() -> None:
    x, y = rows()
    mixed = Roles(np.arange(50) < 30, np.arange(50) >= 20)
    with pytest.raises(
        SandboxError, match=r"needs queries apart from the gallery, or each image in both, but some are"
    ):
        after_figures(parse_steps("aqe(k=4)"), Given(rows=Labelled(x, y)), Options(roles=mixed))
    with pytest.raises(SandboxError, match="templates stand in the place of images, but which camera"):
        after_figures(parse_steps("templates"), Given(rows=Labelled(x, y)), Options(roles=mixed))
