"""Which tasks labels allow."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.suited import check_possible, passed_over, possible
from sandbox.recipe.episodes import Episodes, Task

Y = np.repeat([4, 1, 7, 9], [20, 6, 5, 1])


def asked(*tasks: tuple[int, int], queries: int = 4) -> Episodes:
    return Episodes(tuple(Task(*task) for task in tasks), 10, queries)


@pytest.mark.parametrize(
    ("episodes", "said"),
    [
        (asked((5, 1)), "5-way 1-shot draws 5 classes of at least 5 images (1 known, 4 asked for) each, but 3 of 4 "
         "classes of test have as many: ask for fewer ways or shots, or for fewer queries (a setting)"),
        (asked((2, 3)), "2-way 3-shot draws 2 classes of at least 7 images (3 known, 4 asked for) each, but 1 of 4 "
         "classes of test has as many"),
        (asked((2, 1), (2, 30)), "2-way 30-shot draws 2 classes of at least 34 images (30 known, 4 asked for) each, "
         "but the largest of 4 classes of test has 20"),
    ],
    ids=["ways", "shots", "more than any class has"],
)  # fmt: skip
def test_too_many_ways_or_shots_are_refused(episodes: Episodes, said: str) -> None:
    with pytest.raises(SandboxError, match=re.escape(said)):
        check_possible(Y, episodes, "test", "a setting")


def test_tasks_that_labels_allow() -> None:
    assert possible(Y, asked((3, 1), (4, 1), (2, 2), (2, 3))) == (Task(3, 1), Task(2, 2))
    check_possible(Y, asked((3, 1), (2, 2)))
    assert possible(Y, asked((4, 1), queries=1)) == ()


def test_classes_that_no_episode_draws_from_are_named() -> None:
    names = [f"c{label}" for label in range(10)]
    assert passed_over(Y, names, asked((3, 1), (2, 2)), "test") == [
        "3-way 1-shot episodes leave out 1 of 4 classes of test, which has fewer than 5 images (1 known, 4 asked for): "
        "c9",
        "2-way 2-shot episodes leave out 2 of 4 classes of test, which have fewer than 6 images (2 known, 4 asked "
        "for): c7, c9",
    ]
    assert passed_over(Y[:26], names, asked((2, 2))) == []
