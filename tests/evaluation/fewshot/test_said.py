"""What stands beside few-shot figures."""

from __future__ import annotations

import pytest

from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.said import check_alike, said

FIVE, TWENTY = "fewshot/accuracy@5-way-1-shot", "fewshot/accuracy@20-way-5-shot"
ENTRY = {"value": 0.5, "n": 1000, "queries": 15, "classes": 107}


def test_what_is_drawn_alike_is_said_once() -> None:
    figures = {"retrieval/map@r": {"value": 0.5, "n": 9}, FIVE: ENTRY, TWENTY: ENTRY}
    drawn = "accuracy: 1,000 episodes of 15 queries a class, drawn from 107 classes"
    assert said(figures, interval=False) == [f"5-way 1-shot, 20-way 5-shot {drawn}"]
    assert said(figures | {TWENTY: ENTRY | {"classes": 90}}, interval=True) == [
        f"5-way 1-shot {drawn}; their interval is over episodes, and says nothing of other classes",
        "20-way 5-shot accuracy: 1,000 episodes of 15 queries a class, drawn from 90 classes; their interval is over "
        "episodes, and says nothing of other classes",
    ]
    assert said({"retrieval/map@r": {"value": 0.5, "n": 9}}, interval=True) == []


def test_figures_of_other_episodes_do_not_stand_side_by_side() -> None:
    key = f"test/{FIVE}"
    check_alike(key, [ENTRY, ENTRY | {"value": 0.7, "classes": 20}])
    check_alike("test/retrieval/map@r", [{"value": 0.5, "n": 9}, {"value": 0.5, "n": 10}])
    with pytest.raises(SandboxError) as refused:
        check_alike(key, [ENTRY, ENTRY | {"n": 600, "queries": 5}])
    assert str(refused.value) == (
        "5-way 1-shot accuracy is over 1,000 episodes of 15 queries a class and 600 episodes of 5 queries a class, "
        "which do not compare: choose runs of the same evaluate.episode_count and evaluate.episode_queries"
    )
