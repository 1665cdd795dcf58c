"""The page of a run as a person sees it, in Debian's Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sandbox.evaluation.similarity import as_products
from sandbox.reporting.page.found.material import Pictured, read_material
from sandbox.reporting.page.written.write import page_of

from chromium import INSTALL, chromium
from pages import EVIL, around_centres, drawn_images, made_run

pytestmark = pytest.mark.needs("playwright", INSTALL)
LABELS = np.repeat(np.arange(15), 8)
NAMES = (EVIL, *(f"name {k:02d}" for k in range(1, 15)))
X = around_centres(LABELS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One for all tests here."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of fifteen classes, one of whose names is a script."""
    place = tmp_path_factory.mktemp("page")
    run = made_run(place / "runs", X, LABELS)
    (place / "page.html").write_text(page_of(read_material(run, Pictured(drawn_images(LABELS, NAMES)))))
    return place / "page.html"


@contextmanager
def opened(browser: Any, file: Path, *, width: int = 1280, scheme: str = "light") -> Iterator[Any]:
    """The page, which neither complains nor asks for anything beside itself."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, has_touch=width < 500)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.goto(file.as_uri())
    yield page
    context.close()
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()] and said == []


def told(page: Any) -> tuple[np.float32, int, int]:
    """(threshold, genuine pairs accepted, impostors accepted) that stand beside the slider."""
    found = page.locator("#numbers").evaluate("box => ({...box.dataset})")
    return np.float32(found["threshold"]), int(found["genuine"]), int(found["impostors"])


def test_the_threshold_moves_and_its_numbers_are_counted(browser: Any, file: Path) -> None:
    wide = as_products(X)[0].astype(np.float64)
    left, right = np.triu_indices(len(X), 1)
    scores = np.array([(wide[a] * wide[b]).sum() for a, b in zip(left, right, strict=True)]).astype(np.float32)
    same = LABELS[left] == LABELS[right]
    seen = []
    with opened(browser, file) as page:
        dial = page.locator("#threshold")
        most = int(dial.get_attribute("max"))
        for move in (
            lambda: None,
            lambda: page.get_by_role("button", name="FAR 1e-2").click(),
            lambda: dial.press("ArrowRight"),
            lambda: dial.press("Home"),
            lambda: dial.press("End"),
            lambda: dial.fill(str(most // 3)),
            lambda: page.locator("#scores").click(position={"x": 200, "y": 100}),
            lambda: page.locator("#roc").click(position={"x": 300, "y": 100}),
        ):
            move()
            threshold, genuine, impostors = told(page)
            reached = scores >= threshold
            assert (genuine, impostors) == ((reached & same).sum(), (reached & ~same).sum())
            text = page.locator("#numbers").inner_text()
            assert (
                f"{genuine:,} of {same.sum():,} genuine" in text and f"{impostors:,} of {(~same).sum():,} imp" in text
            )
            for name, share in (
                ("TAR", genuine / same.sum()),
                ("FAR", impostors / (~same).sum()),
                ("FRR", 1 - genuine / same.sum()),
                ("balanced accuracy", (genuine / same.sum() + 1 - impostors / (~same).sum()) / 2),
            ):
                shown = page.locator(f'#numbers [data-figure="{name}"] dd').first.inner_text()
                assert float(shown.removesuffix("%")) == pytest.approx(100 * share, rel=1e-3, abs=1e-9)
            seen.append(float(threshold))
        assert len(set(seen)) >= 7
        page.get_by_role("button", name="EER", exact=True).click()
        assert page.locator("#near .pair").count() == 12 and page.locator("#near .tile.own").count() == 24


def test_queries_are_filtered_searched_and_paged(browser: Any, file: Path) -> None:
    ids = np.argsort(-(X @ X.T) + 9 * np.eye(len(X)), axis=1, kind="stable")[:, :6]
    wrong = LABELS[ids] != LABELS[:, None]
    with opened(browser, file) as page:
        count, queries = page.locator("#page"), page.locator(".query")
        assert count.inner_text() == "1 to 10 of 120 queries" and queries.count() == 10
        page.locator("#filter").select_option("wrong")
        assert count.inner_text().endswith(f"of {wrong[:, 0].sum()} queries")
        assert page.locator(".query .hit:first-child:not(.wrong)").count() == 0
        page.locator("#filter").select_option("any")
        assert count.inner_text().endswith(f"of {wrong.any(1).sum()} queries")
        page.locator("#filter").select_option("all")
        page.locator("#search").fill("NAME 03")
        assert count.inner_text() == "1 to 8 of 8 queries" and page.locator("#after").is_disabled()
        assert page.locator(".hit.wrong").count() == wrong[LABELS == 3].sum()
        assert page.locator(".hit.wrong .name").first.inner_text() in NAMES
        page.locator("#search").fill("<script>")
        assert count.inner_text() == "1 to 8 of 8 queries" and EVIL in queries.first.inner_text()
        page.locator("#search").fill("")
        page.get_by_role("button", name="Next").click()
        assert count.inner_text() == "11 to 20 of 120 queries" and page.locator("#before").is_enabled()


def test_right_and_wrong_differ_without_colour(browser: Any, file: Path) -> None:
    with opened(browser, file) as page:
        page.locator("#order").select_option("class")
        for kind, style in ((":not(.wrong)", "solid"), (".wrong", "dashed")):
            frame = page.locator(f".hit{kind} .frame").first
            assert frame.evaluate("box => getComputedStyle(box).borderTopStyle") == style
        cross = "box => getComputedStyle(box, '::after').content"
        assert "✕" in page.locator(".hit.wrong .frame").first.evaluate(cross)
        label = page.locator(".hit.wrong .tile").first.get_attribute("aria-label")
        assert label.startswith("wrong: ")


def test_pointer_and_keys_show_an_image_on_the_map(browser: Any, file: Path) -> None:
    with opened(browser, file) as page:
        canvas, tip = page.locator("#map"), page.locator("#tip")
        canvas.scroll_into_view_if_needed()
        assert not tip.is_visible()
        canvas.focus()
        page.keyboard.press("ArrowRight")
        assert tip.is_visible() and tip.locator(".tile.own").count() == 1 and tip.inner_text().strip() in NAMES
        page.keyboard.press("Escape")
        assert not tip.is_visible()
        box = canvas.bounding_box()
        for across in range(20, int(box["width"]), 12):
            page.mouse.move(box["x"] + across, box["y"] + box["height"] / 2)
            if tip.is_visible():
                break
        assert tip.is_visible() and tip.locator(".tile.own").count() == 1


def test_classes_are_sorted_and_searched(browser: Any, file: Path) -> None:
    with opened(browser, file) as page:
        body = page.locator("#difficulty tbody tr")
        values = [float(text) for text in body.locator("td:nth-child(3)").all_inner_texts()]
        assert len(values) == 15 and values == sorted(values)
        page.get_by_role("button", name="MAP@R").click()
        assert [float(text) for text in body.locator("td:nth-child(3)").all_inner_texts()] == sorted(values)[::-1]
        page.locator("#find-class").fill("name 1")
        assert body.count() == 5 and page.locator("#class-count").inner_text() == "5 of 5 classes"


def test_phone_and_dark(browser: Any, file: Path) -> None:
    with opened(browser, file, width=390, scheme="dark") as page:
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        numbers = "name => getComputedStyle(document.body)[name].match(/[0-9]+/g).map(Number)"
        ground, ink = (page.evaluate(numbers, name) for name in ("backgroundColor", "color"))
        assert max(ground) < 60 and min(ink) > 180
        page.locator("#map").scroll_into_view_if_needed()
        box = page.locator("#map").bounding_box()
        for across in range(20, int(box["width"]), 20):
            page.touchscreen.tap(box["x"] + across, box["y"] + box["height"] / 2)
            if page.locator("#tip").is_visible():
                break
        assert page.locator("#tip .tile.own").is_visible()
        assert page.locator("#retrieval .query").count() == 10


def test_the_line_is_copied_or_selected(browser: Any, file: Path) -> None:
    with opened(browser, file) as page:
        page.get_by_role("button", name="Copy the line").click()
        page.get_by_role("button", name="Cop").wait_for()
        assert (
            page.evaluate("getSelection().toString().trim()") == "python experiments/run.py --loss triplet --miner hard"
        )


@pytest.mark.thorough
def test_5459_noisy_images_stay_below_6_mb_and_are_quick(browser: Any, tmp_path: Path) -> None:
    labels = np.arange(5459) % 432
    report = {"test": {"retrieval/map@r": {"value": 0.5, "n": 5459}}}
    run = made_run(tmp_path, around_centres(labels, dim=16), labels, report=report)
    images = drawn_images(labels, tuple(f"GREEK SMALL LETTER {k}" for k in range(432)), side=32, noise=255)
    file = tmp_path / "page.html"
    file.write_text(page_of(read_material(run, Pictured(images))))
    assert 2e6 < file.stat().st_size < 6e6
    with opened(browser, file) as page:
        assert page.locator("#page").inner_text() == "1 to 10 of 5,459 queries" and page.locator(".query").count() == 10
        page.locator("#order").select_option("class")
        assert page.locator(".query .tile.own").count() == 70
