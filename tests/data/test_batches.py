from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.data.batches import Batches, ClassBalanced, Shuffled, batch_shape, make_batches
from sandbox.errors import SandboxError
from sandbox.recipe.specs import BatchSpec


def balanced(labels: np.ndarray, seed: int = 0, **sizes: int) -> Batches:
    return make_batches(labels, BatchSpec(**sizes), repeats_needed=True, seed=seed)[0]


LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(12), 5))


@pytest.mark.parametrize("spec", [BatchSpec(size=12, samples=3), BatchSpec(size=7, sampler="shuffle")])
def test_a_batch_depends_on_seed_and_step_alone(spec: BatchSpec) -> None:
    batches, again, other = (make_batches(LABELS, spec, repeats_needed=True, seed=seed)[0] for seed in (1, 1, 2))
    forwards = [batches.take(step) for step in range(30)]
    backwards = [again.take(step) for step in reversed(range(30))][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert len({batch.tobytes() for batch in forwards}) == 30
    assert not np.array_equal(other.take(0), forwards[0])
    assert {batch.dtype for batch in forwards} == {np.dtype(np.int64)}
    assert {len(batch) for batch in forwards} == {batches.size}


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(1, 9), min_size=3, max_size=14),
    st.integers(2, 5),
    st.integers(2, 6),
    st.integers(0, 99),
)
def test_every_class_comes_once_a_pass_and_no_image_twice_unless_its_class_is_small(
    counts: list[int], p: int, k: int, seed: int
) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    usable = {c for c, count in enumerate(counts) if count > 1}
    if len(usable) < p:
        with pytest.raises(SandboxError):
            balanced(labels, seed, classes=p, samples=k)
        return
    batches = balanced(labels, seed, classes=p, samples=k)
    steps_a_pass = len(usable) // p
    for turn in range(3):
        seen: list[int] = []
        for step in range(turn * steps_a_pass, (turn + 1) * steps_a_pass):
            batch = batches.take(step).reshape(p, k)
            for row in batch:
                (c,) = set(labels[row].tolist())
                seen.append(c)
                assert len(set(row.tolist())) == min(k, counts[c])
                assert np.bincount(row).max() == -(-k // counts[c])
        assert len(set(seen)) == len(seen) == steps_a_pass * p
        assert set(seen) <= usable


def test_no_class_is_left_out_for_good() -> None:
    batches = balanced(LABELS, classes=5, samples=2)  # 12 classes: two are left over in each pass
    seen = {int(c) for step in range(40) for c in LABELS[batches.take(step)]}
    assert seen == set(range(12))


def test_lone_classes_are_left_out_and_said() -> None:
    labels = np.array([0, 0, 1, 2, 2, 3, 4, 4])
    batches, notes = make_batches(labels, BatchSpec(classes=2, samples=2), repeats_needed=True, seed=0)
    assert notes == ["2 of 5 training classes have a single image and are left out of the batches"]
    assert {int(c) for step in range(20) for c in labels[batches.take(step)]} == {0, 2, 4}
    assert batches.steps_per_epoch == 1  # six images that can be used, four a step


@pytest.mark.parametrize(
    ("labels", "spec", "said"),
    [
        (np.arange(9), BatchSpec(), "need two classes with two images; this training set has 0"),
        (np.array([0, 0, 1]), BatchSpec(), "need two classes with two images; this training set has 1"),
        (LABELS, BatchSpec(classes=13), "batch.classes is 13, but only 12 training classes"),
        (LABELS, BatchSpec(classes=1), "batch.classes is 1, but comparing takes at least 2"),
        (LABELS, BatchSpec(samples=1), "batch.samples is 1, but comparing takes at least 2"),
        (LABELS, BatchSpec(size=1), "batch.size is 1, but a batch has at least 2 images"),
    ],
)
def test_sizes_that_cannot_be_filled_are_refused(labels: np.ndarray, spec: BatchSpec, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        make_batches(labels, spec, repeats_needed=True, seed=0)


def test_too_few_classes_are_made_up_for_by_more_images_of_each_and_said() -> None:
    labels = np.repeat(np.arange(3), 20)
    batches, notes = make_batches(labels, BatchSpec(size=24), repeats_needed=True, seed=0)
    assert isinstance(batches, ClassBalanced)
    assert (batches.classes, batches.samples) == (3, 8)
    assert notes == ["batches are 3 classes x 8 images: the training set has no more classes"]


@pytest.mark.parametrize(
    ("spec", "shape"),
    [
        (BatchSpec(), (32, 4)),
        (BatchSpec(size=24), (6, 4)),
        (BatchSpec(size=4), (2, 2)),
        (BatchSpec(size=2), (2, 2)),
        (BatchSpec(size=24, samples=3), (8, 3)),
        (BatchSpec(size=24, classes=4), (4, 6)),
        (BatchSpec(classes=5, samples=7), (5, 7)),
    ],
)
def test_the_shape_follows_the_sizes_that_are_given(spec: BatchSpec, shape: tuple[int, int]) -> None:
    assert batch_shape(spec) == shape


@pytest.mark.parametrize(
    ("spec", "repeats", "kind"),
    [
        (BatchSpec(size=20), True, ClassBalanced),
        (BatchSpec(size=20), False, Shuffled),
        (BatchSpec(size=20, sampler="shuffle"), True, Shuffled),
        (BatchSpec(size=20, sampler="pxk"), False, ClassBalanced),
        (BatchSpec(size=20, samples=2), False, ClassBalanced),
    ],
)
def test_auto_takes_what_the_objective_needs(spec: BatchSpec, repeats: bool, kind: type) -> None:
    assert isinstance(make_batches(LABELS, spec, repeats_needed=repeats, seed=0)[0], kind)


def test_shuffled_shows_each_image_at_most_once_an_epoch_in_a_new_order() -> None:
    batches = Shuffled(images=23, size=5, seed=0)
    assert batches.steps_per_epoch == 4
    epochs = [np.concatenate([batches.take(4 * epoch + step) for step in range(4)]) for epoch in range(30)]
    assert all(len(set(epoch.tolist())) == 20 for epoch in epochs)
    assert len({epoch.tobytes() for epoch in epochs}) == 30
    assert {int(i) for epoch in epochs for i in epoch} == set(range(23))


def test_a_shuffled_batch_is_no_larger_than_the_set() -> None:
    batches, _ = make_batches(np.arange(6), BatchSpec(size=128), repeats_needed=False, seed=0)
    assert (batches.size, batches.steps_per_epoch) == (6, 1)
    assert sorted(batches.take(5)) == list(range(6))
