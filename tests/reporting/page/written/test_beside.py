"""Several runs on one page, as numbers and in Debian's Chromium."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.similarity import as_products
from sandbox.reporting.page.found.compared import compare_runs, wins
from sandbox.reporting.page.found.material import Material, Pictured, read_material
from sandbox.reporting.page.written.beside import page_of_runs

from chromium import INSTALL, chromium
from pages import EVIL, around_centres, drawn_images, made_run

LABELS = np.repeat(np.arange(12), 8)
X = [around_centres(LABELS, seed=1), around_centres(LABELS, seed=2, spread=1.2)]


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory) -> list[Material]:
    """Two runs over the same images."""
    place = tmp_path_factory.mktemp("runs")
    images = Pictured(drawn_images(LABELS, (EVIL, *(f"name {k:02d}" for k in range(1, 12)))))
    return [read_material(made_run(place, x, LABELS, seed=seed), images) for seed, x in enumerate(X)]


def right(x: np.ndarray) -> np.ndarray:
    """(N,) bool: whether each row's nearest other is of its class, one by one."""
    hits = []
    for row in range(len(x)):
        scores = x @ x[row]
        scores[row] = -2
        hits.append(LABELS[int(scores.argmax())] == LABELS[row])
    return np.array(hits)


def test_wins_are_those_of_a_loop(materials: list[Material]) -> None:
    a, b = (right(x) for x in X)
    runs = compare_runs(materials)
    expected = ((a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum())
    assert wins(*runs.searched) == expected and min(expected) > 0
    telling = (a != b)[runs.searched[0].rows[runs.shown]]
    assert telling[: telling.sum()].all()  # queries on which they differ come first


def test_who_is_right_alone_is_called_by_its_letter(materials: list[Material]) -> None:
    a, b = (right(x) for x in X)
    two = page_of_runs(materials)
    heads = [re.sub("<[^>]*>", "", cell) for cell in re.findall("<th[^>]*>[^<]*alone</th>", two)]
    assert heads == ["A alone", "B alone"]
    assert f'<td>A and B</td><td class="number">{(a & b).sum()}</td><td class="number">{(a & ~b).sum()}</td>' in two
    three = page_of_runs([*materials, materials[1]])
    heads = [re.sub("<[^>]*>", "", cell) for cell in re.findall("<th[^>]*>[^<]*alone</th>", three)]
    assert heads == ["one alone", "the other alone"]
    assert f"A: {(a & ~b).sum()}</td>" in three and f"C: {(~a & b).sum()}</td>" in three


def test_runs_over_other_images_or_too_many_are_refused(materials: list[Material], tmp_path: Path) -> None:
    other = read_material(made_run(tmp_path, X[0][:80], LABELS[:80]))
    changed = read_material(made_run(tmp_path, X[0], LABELS, split="another"))
    for stranger in (other, changed):
        with pytest.raises(SandboxError, match="were judged on other images, so no query is the same in both"):
            page_of_runs([materials[0], stranger])
    with pytest.raises(SandboxError, match="9 runs are chosen, and a page shows 2 to 8 side by side"):
        page_of_runs(materials[:1] * 9)


@pytest.mark.needs("playwright", INSTALL)
def test_a_person_sees_where_runs_differ(materials: list[Material], tmp_path: Path) -> None:
    file = tmp_path / "compared.html"
    text = page_of_runs(materials)
    file.write_text(text)
    assert EVIL not in text and "Validation has 6 identities" in text and text.count("A, B: Validation has 6") == 1
    a, b = (right(x) for x in X)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 390, "height": 800}, color_scheme="dark")
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for kind, count in (
            ("differ", (a != b).sum()),
            ("first", (a & ~b).sum()),
            ("second", (~a & b).sum()),
            ("neither", (~a & ~b).sum()),
            ("all", len(a)),
        ):
            page.locator("#filter").select_option(kind)
            assert page.locator("#page").inner_text().endswith(f"of {count} queries")
        page.locator("#filter").select_option("first")
        firsts = page.locator(".both .found .hit:nth-child(2)").evaluate_all("all => all.map(one => one.className)")
        assert firsts[::2] == ["hit"] * len(firsts[::2]) and firsts[1::2] == ["hit wrong"] * len(firsts[1::2])
        page.get_by_role("button", name="FAR 1e-1").click()
        _check_operating(page)
        assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()] and said == []


def _check_operating(page: Any) -> None:
    """The table of each run's own threshold holds the counts of a loop over pairs."""
    left, right = np.triu_indices(len(LABELS), 1)
    same = LABELS[left] == LABELS[right]
    for place, x in enumerate(X):
        wide = as_products(x)[0].astype(np.float64)
        scores = np.array([(wide[a] * wide[b]).sum() for a, b in zip(left, right, strict=True)]).astype(np.float32)
        cells = page.locator("#operating tbody tr").nth(place).locator("td").all_inner_texts()
        genuine, impostors = (int(cell.split("\n")[-1].split(" of ")[0].replace(",", "")) for cell in cells[2:])
        best = max(t for t in scores[same] if (scores[~same] >= t).mean() > 0.1)  # the next genuine score is allowed
        reached = scores[same].astype(np.float64) > best
        assert genuine == reached.sum() and impostors <= 0.1 * (~same).sum()
