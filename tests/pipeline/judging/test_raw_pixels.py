"""Raw pixels as a baseline, against plain NumPy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sandbox.data.catalog import load
from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.splits import Splits, ToVerify, given
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.evaluation.verification.metrics import score_pairs
from sandbox.pipeline.judging.raw_pixels import score_raw_pixels
from sandbox.recipe.specs import DataSpec, EvaluateSpec

SPEC = EvaluateSpec(far=(0.1,))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METRIC_LEARNING_SANDBOX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def noise(seed: int, prefix: str, classes: int = 4, each: int = 5) -> ImageSet:
    """Small grey images, somewhat alike within a class."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    grey = rng.integers(0, 200, (classes, 6, 6, 1))[labels] + rng.integers(0, 56, (len(labels), 6, 6, 1))
    names = tuple(f"{prefix}{number}" for number in range(classes))
    paths = tuple(f"{prefix}-{place}" for place in range(len(labels)))
    return ImageSet(grey.astype(np.uint8), labels.astype(np.int64), names, paths)


def small() -> Splits:
    return given(noise(0, "a"), noise(1, "b"), noise(2, "c"))


def map_at_r(images: ImageSet) -> float:
    """MAP@R of cosines between pixels, image by image."""
    x = images.pixels.reshape(len(images), -1).astype(np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    scores, values = (x @ x.T).astype(np.float32), []
    for place, label in enumerate(images.labels):
        order = [other for other in np.argsort(-scores[place], kind="stable") if other != place]
        matches = int((images.labels == label).sum()) - 1
        hit = images.labels[order[:matches]] == label
        values.append(float((hit * np.cumsum(hit) / np.arange(1, matches + 1)).sum() / matches))
    return float(np.mean(values))


def test_on_digits_split_by_class_it_is_what_was_measured_by_hand(cache: Path) -> None:
    splits = load(DataSpec(name="digits", split="class"))
    found = score_raw_pixels(splits, ("val", "test"), EvaluateSpec())
    assert found["test"]["retrieval/map@r"]["value"] == pytest.approx(0.719, abs=5e-4)
    for name, images in (("val", splits.val), ("test", splits.test)):
        assert found[name]["retrieval/map@r"]["value"] == pytest.approx(map_at_r(images), abs=1e-6)
    chosen = found["val"]["verification/balanced_accuracy"]["threshold"]
    assert found["test"]["verification/balanced_accuracy@validation"]["threshold"] == chosen


def test_what_was_scored_once_is_kept_and_what_is_damaged_is_scored_again(cache: Path) -> None:
    splits = small()
    first = score_raw_pixels(splits, ("val", "test"), SPEC)
    files = sorted(cache.glob("raw-pixels-*.json"))
    assert len(files) == 2
    held = json.loads(files[0].read_text())
    files[0].write_text(json.dumps(held | {"retrieval/mrr": {"value": 0.125, "n": 1}}))
    again = score_raw_pixels(splits, ("val", "test"), SPEC)
    assert [figures["retrieval/mrr"]["value"] for figures in again.values()].count(0.125) == 1  # it was read
    for damage in ("", "{", "[1]", '{"retrieval/map@r": 3}', "\x00" * 40):
        files[0].write_text(damage)
        assert score_raw_pixels(splits, ("val", "test"), SPEC) == first
        assert json.loads(files[0].read_text()) == held


@pytest.mark.parametrize("change", ["pixels", "labels", "options"])
def test_other_images_labels_or_options_are_scored_anew(cache: Path, change: str) -> None:
    splits, spec = small(), SPEC
    score_raw_pixels(splits, ("val",), spec)
    if change == "options":
        spec = replace(spec, recall_at=(1, 2))
    elif change == "labels":
        splits = replace(splits, val=replace(splits.val, labels=np.roll(splits.val.labels, 1)))
    else:
        pixels = splits.val.pixels.copy()
        pixels[0, 0, 0, 0] ^= 1
        splits = replace(splits, val=replace(splits.val, pixels=pixels))
    score_raw_pixels(splits, ("val",), spec)
    assert len(list(cache.glob("raw-pixels-*.json"))) == 2


def test_given_pairs_and_images_to_verify_are_those_of_the_split(cache: Path) -> None:
    apart = noise(5, "d")
    pairs = Pairs(np.array([0, 5, 1, 7]), np.array([1, 6, 12, 13]), np.array([True, True, False, False]))
    splits = replace(small(), val_verify=ToVerify(apart, pairs))
    rows = lambda images: images.pixels.reshape(len(images), -1).astype(np.float32)  # noqa: E731
    found = score_raw_pixels(splits, ("val",), SPEC)["val"]
    own, verified = Labelled(rows(splits.val), splits.val.labels), Labelled(rows(apart), apart.labels)
    assert found == evaluate(own, Options(far=SPEC.far), pairs=pairs, verified=verified).figures
    assert found["verification/accuracy"]["n"] == 4


def test_a_threshold_is_chosen_for_the_share_of_genuine_pairs_that_test_has(cache: Path) -> None:
    rng, plain = np.random.default_rng(0), small()
    pixels = (plain.val.pixels * 0.45 + rng.integers(0, 110, plain.val.pixels.shape)).astype(np.uint8)
    plain = replace(plain, val=replace(plain.val, pixels=pixels))  # where kinds overlap, a mix moves the threshold
    every = np.stack(np.triu_indices(len(plain.val), 1))
    kind = plain.val.labels[every[0]] == plain.val.labels[every[1]]
    genuine, impostors = rng.permutation(np.flatnonzero(kind)), rng.permutation(np.flatnonzero(~kind))
    few = min(len(genuine), len(impostors) // 3)

    def listed(some: int, others: int) -> Pairs:
        chosen = np.concatenate([genuine[:some], impostors[:others]])
        return Pairs(*every[:, chosen], kind[chosen])

    splits = replace(plain, test=plain.val, val_pairs=listed(few, 3 * few), test_pairs=listed(few, few))
    found = score_raw_pixels(splits, ("val", "test"), SPEC)
    x = plain.val.pixels.reshape(len(plain.val), -1).astype(np.float32)
    scores = score_pairs(x, splits.val_pairs.left, splits.val_pairs.right)
    same, entry = splits.val_pairs.same, found["val"]["verification/accuracy"]
    right = {t: (scores[same] >= t).mean() + (scores[~same] < t).mean() for t in scores}
    assert entry["test_share"] == 0.5
    assert right[np.float32(entry["test_threshold"])] == pytest.approx(max(right.values()))
    assert entry["value"] == pytest.approx(max(((scores >= t) == same).mean() for t in [*scores, np.inf]))
    there = found["test"]["verification/accuracy@validation"]
    assert there["threshold"] == entry["test_threshold"] != entry["threshold"]
    alike = score_raw_pixels(replace(splits, test_pairs=splits.val_pairs), ("val", "test"), SPEC)
    assert "test_share" not in alike["val"]["verification/accuracy"]
    assert alike["test"]["verification/accuracy@validation"]["threshold"] == entry["threshold"]
    assert "test_share" not in score_raw_pixels(splits, ("val",), SPEC)["val"]["verification/accuracy"]


def test_images_that_are_too_many_are_not_compared(cache: Path) -> None:
    labels = np.arange(70_000) // 2
    names = tuple(map(str, range(35_000)))
    wide = ImageSet(np.broadcast_to(np.uint8(7), (70_000, 64, 64, 3)), labels, names, tuple(map(str, labels)))
    with pytest.raises(SandboxError, match="70,000 images of 12,288 numbers each are too many to compare all pairs of"):
        score_raw_pixels(replace(small(), val=wide), ("val",), SPEC)


def test_a_cache_that_cannot_be_written_costs_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("METRIC_LEARNING_SANDBOX_CACHE", str(tmp_path / "file" / "cache"))
    assert score_raw_pixels(small(), ("val",), SPEC)["val"]["retrieval/map@r"]["value"] > 0.5
