"""The shares of images that are named rightly, against counting them one by one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.inference.load import load_network
from sandbox.recognition.enrol import Options, enrol
from sandbox.recognition.identify import identify
from sandbox.recognition.measure import Images, Trial, figures, measure_people
from sandbox.recognition.people import People


@pytest.mark.parametrize("seed", range(5))
def test_every_share_is_counted(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = np.array(["ann", "bo", "cy", "dee", "stranger 1", "stranger 2"], object)
    truth = names[rng.integers(0, 6, 60)]
    named = names[rng.integers(0, 3, 60)]
    scores = rng.integers(0, 8, 60).astype(np.float32) / 8  # with ties, also with the threshold
    lost = rng.random(60) < 0.1
    named[lost], scores[lost] = None, -np.inf
    fitted_on = rng.integers(0, 8, 40).astype(np.float32) / 8
    enrolled = ("ann", "bo", "cy", "dee")
    found = figures(Trial(truth, named, scores), enrolled, fitted_on, (0.3, 0.05))

    mated = [name in enrolled for name in truth]
    right = [a == b for a, b in zip(truth, named, strict=True)]
    hits = [r for r, m in zip(right, mated, strict=True) if m]
    assert found["identification/rank@1"]["value"] == pytest.approx(np.mean(hits))
    for key, rate in (("3e-1", 0.3), ("5e-2", 0.05)):
        # the lowest of all thresholds that let no more than that share of the others in
        levels = sorted({*fitted_on.tolist(), 2.0})
        fits = [level for level in levels if np.mean(fitted_on >= level) <= rate]
        taken = scores > max([level for level in levels if level < fits[0]], default=-1)
        strangers = [t for t, m in zip(taken, mated, strict=True) if not m]
        assert found[f"identification/strangers@fpir={key}"]["value"] == pytest.approx(np.mean(strangers))
        both = [r and t for r, t, m in zip(right, taken, mated, strict=True) if m]
        assert found[f"identification/dir@fpir={key}"]["value"] == pytest.approx(np.mean(both))
        good = sum(both) + len(strangers) - sum(strangers)
        assert found[f"identification/accuracy@fpir={key}"]["value"] == pytest.approx(good / 60)
        assert found[f"identification/accuracy@fpir={key}"]["n"] == 60
        assert found[f"identification/dir@fpir={key}"]["supported"] is False
    for entry in found.values():
        assert 0 <= entry["low"] <= entry["value"] <= entry["high"] <= 1


@pytest.fixture
def album(run: Path, digits: Callable[..., Path]) -> People:
    """Twos and threes enrolled; fours and sixes are who the threshold was fitted on."""
    folder = digits("people", {"two": ("2", 5), "three": ("3", 5)})
    strangers = digits("others", {"four": ("4", 40), "six": ("6", 40)})
    return enrol(load_network(run), run, folder, Options(strangers=strangers))[0]


def test_people_are_measured_as_they_are_identified(
    run: Path, digits: Callable[..., Path], album: People, tmp_path: Path
) -> None:
    folder = digits("new", {"two": ("2", 20), "three": ("3", 20)}, first=5)
    strangers = digits("odd", {"seven": ("7", 30)})
    found = measure_people(album, load_network(run), Images(folder, strangers), (0.1,))
    named = identify(album, load_network(run), sorted(folder.rglob("*.png")))
    right = [row.most_alike == Path(row.image).parent.name for row in named]
    assert found["identification/rank@1"]["value"] == pytest.approx(np.mean(right))
    entry = found["identification/strangers@fpir=1e-1"]
    odd = identify(album, load_network(run), sorted(strangers.rglob("*.png")), threshold=entry["threshold"])
    assert entry["value"] == pytest.approx(np.mean([row.name is not None for row in odd]))
    assert entry["n"] == 30 and entry["fitted_on"] == 80


def test_what_was_used_before_is_no_test(run: Path, digits: Callable[..., Path], album: People, tmp_path: Path) -> None:
    network, folder = load_network(run), tmp_path / "new"
    shutil.copytree(tmp_path / "people" / "two", folder / "two")
    with pytest.raises(SandboxError, match=r"5 images are no test: .*two/000\.png is, byte by byte, among enrolled"):
        measure_people(album, network, Images(folder, None), (0.1,))
    fresh = digits("fresh", {"two": ("2", 5)}, first=5)
    shutil.copytree(tmp_path / "others" / "four", tmp_path / "again" / "fourth")
    with pytest.raises(SandboxError, match=r"40 images are no test: .*among what the threshold was fitted on"):
        measure_people(album, network, Images(fresh, tmp_path / "again"), (0.1,))
    others = digits("others again", {"four": ("4", 5)}, first=50)
    with pytest.raises(SandboxError, match="fitted on four, who cannot be strangers in a test"):
        measure_people(album, network, Images(fresh, others), (0.1,))
    known = digits("known", {"two": ("2", 5)}, first=20)
    with pytest.raises(SandboxError, match=r"two in .* can be named, and so is no stranger"):
        measure_people(album, network, Images(fresh, known), (0.1,))
    with pytest.raises(SandboxError, match="none of the images is of somebody who can be named"):
        measure_people(album, network, Images(digits("nobody", {"seven": ("7", 5)}), None), (0.1,))
    with pytest.raises(SandboxError, match="above 0 and below 1"):
        measure_people(album, network, Images(fresh, None), (1.0,))
