"""One-shot trials drawn from held-out classes."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from sandbox.data.images.image_set import ImageSet, image_set
from sandbox.data.splits.trials import RUNS, WAYS, drawn_trials, has_trials
from sandbox.evaluation.trials import Trials

SIZES = {"Big": 23, "Just": 20, "Small": 19}


def drawings(drawers: int = 3, without: Collection[str] = (), order: int | None = None) -> ImageSet:
    paths = [
        f"{alphabet}/{character:02d}/{drawer}"
        for alphabet, size in SIZES.items()
        for character in range(size)
        for drawer in range(drawers)
    ]
    paths = [path for path in paths if path not in without]
    if order is not None:
        paths = [paths[place] for place in np.random.default_rng(order).permutation(len(paths))]
    return image_set(np.zeros((len(paths), 2, 2, 1), np.uint8), [path.rpartition("/")[0] for path in paths], paths)


def of(images: ImageSet, seed: int = 0) -> Trials | None:
    return drawn_trials(images, groups(images), people(images), seed)


def groups(images: ImageSet) -> list[str]:
    return [name.split("/")[0] for name in images.classes]


def people(images: ImageSet) -> list[str]:
    return [path.split("/")[2] for path in images.paths]


def named(images: ImageSet, trials: Trials) -> list[tuple[list[str], str, int, int]]:
    at = images.paths
    rows = zip(trials.support, trials.query, trials.answer, trials.run, strict=True)
    return [([at[row] for row in support], at[query], int(answer), int(run)) for support, query, answer, run in rows]


def test_each_run_is_one_alphabet_in_two_hands() -> None:
    images = drawings()
    trials = of(images)
    assert trials is not None and len(trials) == RUNS * WAYS and trials.ways == WAYS
    rows = named(images, trials)
    for number in range(1, RUNS + 1):
        own = [row for row in rows if row[3] == number]
        assert len(own) == WAYS and len({tuple(support) for support, *_ in own}) == 1
        support = own[0][0]
        assert len({path.split("/")[1] for path in support}) == WAYS
        assert {path.split("/")[0] for path in (*support, *(query for _, query, _, _ in own))} == {
            "Big" if number % 2 else "Just"
        }
        (one,), (other,) = {path[-1] for path in support}, {query[-1] for _, query, _, _ in own}
        assert one != other
        for shown, query, answer, _ in own:
            assert shown[answer].rpartition("/")[0] == query.rpartition("/")[0]
        assert len({query for _, query, _, _ in own}) == WAYS
    assert len({tuple(support) for support, *_ in rows}) > 6


def test_the_seed_draws_them_and_the_order_of_the_images_does_not() -> None:
    images, other = drawings(), drawings(order=3)
    first, again, turned, seeded = of(images), of(images), of(other), of(images, seed=1)
    assert first and again and turned and seeded
    assert named(images, first) == named(images, again) == named(other, turned) != named(images, seeded)


def test_who_has_not_drawn_twenty_is_no_drawer() -> None:
    without = {f"Big/{character:02d}/2" for character in range(4)} | {"Just/05/1"}
    images = drawings(without=without)
    trials = of(images)
    assert trials is not None
    used = {tuple(images.paths[row].split("/")[::2]) for row in {*trials.query, *trials.support.ravel()}}
    assert used == {("Big", "0"), ("Big", "1"), ("Just", "0"), ("Just", "2")}


def test_small_alphabets_and_single_drawers_give_none() -> None:
    images = drawings()
    able = [name for name in SIZES if has_trials(images, groups(images), people(images), name)]
    assert able == ["Big", "Just"]
    assert of(drawings(drawers=1)) is None
    assert drawn_trials(images, groups(images), [""] * len(images), 0) is None
