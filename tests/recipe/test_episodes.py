"""Few-shot tasks as they are written."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from sandbox.errors import SandboxError
from sandbox.recipe.episodes import Task, parse_tasks, spell_tasks
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.specs import EvaluateSpec, Recipe, digest
from sandbox.recipe.text import from_toml, to_flags, to_toml

ASKED = Recipe(evaluate=EvaluateSpec(episodes="5-way 1-shot, 20-way 5-shot"))


@pytest.mark.parametrize(
    "text", ["5-way 1-shot", "5w1s", "5-way-1-shot", "5 way 1 shot", "5WAY1SHOT", " 5_way_1_shots ", "1-shot 5-way"]
)
def test_one_task_in_many_spellings(text: str) -> None:
    assert parse_tasks(text) == (Task(5, 1),)
    assert spell_tasks(f"20w5s,{text}") == "5-way 1-shot, 20-way 5-shot"
    assert Task(5, 1).key == "fewshot/accuracy@5-way-1-shot"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (EvaluateSpec(episodes="5-way"), "evaluate.episodes is '5-way', but names ways and shots, such as '5-way 1-sh"),
        (EvaluateSpec(episodes="5w1s,"), "is '5w1s,', which has nothing before or after a comma; leave that comma out"),
        (EvaluateSpec(episodes="; 5w1s"), "which has nothing before or after a comma"),
        (EvaluateSpec(episodes=" "), "but names ways and shots"),
        (EvaluateSpec(episodes="-5w1s"), "but names ways and shots"),
        (EvaluateSpec(episodes="5.5w1s"), "but names ways and shots"),
        (EvaluateSpec(episodes="\uff15w1s"), "but names ways and shots"),  # a wide digit
        (EvaluateSpec(episodes="9" * 5000 + "w1s"), "but names ways and shots"),
        (EvaluateSpec(episodes="1w1s"), "evaluate.episodes is '1w1s', but there are 2 to 1,000 ways and 1 to 1,000"),
        (EvaluateSpec(episodes="5w0s"), "but there are 2 to 1,000 ways and 1 to 1,000 shots"),
        (EvaluateSpec(episodes="5000w1s"), "but there are 2 to 1,000 ways and 1 to 1,000 shots"),
        (EvaluateSpec(episodes="5w1s, 1-shot 5-way"), "which names 5-way 1-shot twice"),
        (EvaluateSpec(episode_count=600), "evaluate.episode_count is 600, but changes nothing without episodes"),
        (EvaluateSpec(episode_queries=5), "evaluate.episode_queries is 5, but changes nothing without episodes"),
        (EvaluateSpec(episodes="5w1s", episode_count=1), "evaluate.episode_count is 1, but lies between 2 and 100000"),
        (EvaluateSpec(episodes="5w1s", episode_queries=0), "evaluate.episode_queries is 0, but lies between 1 and"),
    ],
)
def test_what_is_no_task_is_refused_before_any_data_is_read(spec: EvaluateSpec, said: str) -> None:
    with pytest.raises(SandboxError, match=re.escape(said)) as refused:
        check_ranges(Recipe(evaluate=spec))
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 200


def test_episodes_are_in_the_name_of_a_recipe_that_asks_for_them_in_one_spelling() -> None:
    check_ranges(ASKED)
    assert to_flags(ASKED) == ["--evaluate.episodes", "'5-way 1-shot, 20-way 5-shot'"]
    assert from_toml(to_toml(ASKED)) == ASKED
    again = replace(ASKED, evaluate=EvaluateSpec(episodes="20w5s;5w1s"))
    assert digest(again) == digest(ASKED) != digest(Recipe())
    others = (EvaluateSpec(episodes="5w1s"), EvaluateSpec(episodes="5w1s", episode_count=600))
    assert len({digest(ASKED), *(digest(Recipe(evaluate=one)) for one in others)}) == 3


def test_a_recipe_without_episodes_keeps_the_name_that_it_had() -> None:
    assert digest(Recipe()) == "cd2dbe962748"
