"""The dashboard as a person sees it: in Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.tuning.dashboard.artifacts import attach
from sandbox.tuning.dashboard.notes import keep_facts, keep_note, picture_note, study_note, trial_note
from sandbox.tuning.dashboard.pictures import picture_trial, validation_images
from sandbox.tuning.dashboard.serve import Served, make_server
from sandbox.tuning.storage.journal import open_journal

from chromium import INSTALL, chromium
from dashboards import begun, digits_run, study_record, trial_record, tried

pytestmark = pytest.mark.needs("playwright", INSTALL)
LINE = "python experiments/run.py --loss 'triplet_margin(margin=0.11)' --data.name digits --seed 0"


@contextmanager
def browser() -> Iterator[Any]:
    """A page of 1,400 pixels in Chromium."""
    with chromium() as started:
        page = started.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(20_000)
        yield page


@contextmanager
def served(stores: list[Served], *, edit: bool = False) -> Iterator[str]:
    """The address of a dashboard."""
    with make_server(stores, host="127.0.0.1", port=0, edit=edit) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/dashboard"
        finally:
            server.shutdown()
            thread.join()


def made(folder: Path) -> tuple[Served, Callable[[], int]]:
    """A study of four trials in a journal, one of them infeasible, one with a note and pictures, one running.

    Returns:
        The study, and what a worker does to begin another trial.
    """
    folder.mkdir()
    study = begun(open_journal(folder / "journal.log"), folder.name)
    trials = [tried(study, value, constraint=by) for value, by in ((0.5, -3.0), (0.6, -1.0), (0.9, 130.0))]
    record = trial_record(1, value=0.6, line=LINE, seconds=21.4, runs=("trial-0001",))
    drawn = picture_trial(digits_run(), folder / "drawn", validation_images(digits_run()))
    pictures = picture_note(0, trials[1], attach(study._storage, 0, trials[1], drawn, folder))
    keep_note(study._storage, 0, trial_note(record, ["retrieval/map@r"], [digits_run()]) + pictures, trials[1])
    whole = study_record(folder, [record])
    keep_note(study._storage, 0, study_note(whole))
    keep_facts(study._storage, 0, whole)
    reader = open_journal(folder / "journal.log")  # as another process has it
    return Served(folder.name, reader, folder), lambda: tried(study, None)


def loaded(page: Any, selector: str, count: int) -> bool:
    """Whether so many images are there, once they are, each with pixels that came over the net."""
    images = page.locator(selector)
    images.nth(count - 1).wait_for()
    finished = (
        "images => Promise.all(images.map(image => image.decode())).then(() => images.every(i => i.naturalWidth))"
    )
    return images.count() == count and images.evaluate_all(finished)


@pytest.mark.thorough
def test_a_person_sees_studies_history_notes_pictures_and_constraints(tmp_path: Path) -> None:
    (one, begin), (two, _) = made(tmp_path / "margins"), made(tmp_path / "scales")
    with browser() as page:
        with served([one, two]) as address:
            begin()  # what a worker does meanwhile
            asked, wrong = [], []
            page.on("request", lambda request: asked.append(request.method))
            page.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
            page.goto(address)
            page.get_by_text("0. margins").wait_for()
            assert page.get_by_text("Reload").is_visible() and not page.get_by_test_id("DeleteIcon").first.is_visible()
            page.get_by_text("1. scales").click()
            see_study(page)
            go(page, "/studies/1/note")
            page.get_by_text("is no result").wait_for()
            go(page, "/studies/1/trials")
            see_trial(page)
            go(page, "/")
            page.get_by_text("0. margins").click()
            go(page, "/studies/0/trials")
            page.get_by_text("4 Trials").wait_for()
            assert page.get_by_text("Running").first.is_visible()
            assert set(asked) == {"GET"} and not wrong
            refused = page.evaluate("fetch('/api/studies/0', {method: 'DELETE'}).then(answer => answer.status)")
            assert refused == 403 and len(one.storage.get_all_studies()) == 1
        with served([two], edit=True) as address:
            page.goto(address)
            page.get_by_test_id("DeleteIcon").click()
            with page.expect_response(lambda answer: answer.request.method == "DELETE") as answered:
                page.get_by_role("button", name="Yes").click()
            assert answered.value.status == 204 and two.storage.get_all_studies() == []


def go(page: Any, path: str) -> None:
    """Follow a link, which is quicker than to load the page again."""
    page.locator(f"a[href='/dashboard{path}']").first.click()


def see_study(page: Any) -> None:
    page.get_by_text("Best Trial (number=1)").wait_for()  # the best of those that meet the constraint
    page.locator(".plotly .scatterlayer").first.wait_for()
    for said in ("Infeasible", "validation retrieval/map@r", "triplet_margin(margin=tune(0.1, 0.5))"):
        page.get_by_text(said).first.wait_for()


def see_trial(page: Any) -> None:
    page.get_by_text("Trial 1", exact=True).click()
    page.get_by_text("complete in 21.4 s").wait_for()
    assert page.locator("table td").get_by_text("verification/eer").is_visible()
    assert "--data.name digits" in page.locator("pre code").inner_text()
    for name in ("curves.png", "retrievals.png", "scores.png"):
        assert loaded(page, f"img[alt='{name}'][src*='/artifacts/']", 2)  # in the note, and among the artifacts
    assert page.evaluate("document.documentElement.scrollWidth") == 1400
