"""What must agree before anything is compared: seeds in words."""

from __future__ import annotations

import pytest

from sandbox.reporting.compare.fit import spell_seeds


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ((3,), "seed 3"),
        ((0, 1), "seeds 0, 1"),
        ((0, 1, 2, 3, 4), "seeds 0 to 4"),
        ((0, 2, 5), "seeds 0, 2, 5"),
        (tuple(range(0, 40, 2)), "seeds 0, 2, 4, 6, 8, 10, 12, 14 and 12 more"),
    ],
)
def test_seeds_in_words(seeds: tuple[int, ...], said: str) -> None:
    assert spell_seeds(seeds) == said
