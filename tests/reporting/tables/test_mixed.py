"""What may not stand in one column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.data.datasets.lfw import LfwSpec
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec, EvaluateSpec, OptimizerSpec, Recipe

from table_runs import MAP, METRIC, column, finish, seeds_of, table_of


def test_two_data_sets_in_one_column_are_one_sentence(command: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("digits", "glyphs"):
        finish(tmp_path, Recipe(data=DataSpec(name=name)), 0.5, split=name)
    said = command("table.py", str(tmp_path))
    assert said.code == 2 and said.err.splitlines()[-1] == (
        "error: the column MAP@R would hold figures of 2 data sets (data.name digits, glyphs), which do not compare: "
        'give each a column with --columns data.name, choose with --where "data.name = digits", or give --mixed'
    )
    assert command("table.py", str(tmp_path), "--columns", "data.name").code == 0


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        (Recipe(data=DataSpec(split_seed=0)), Recipe(data=DataSpec(split_seed=1)), "2 splits (data.split_seed 0, 1)"),
        (Recipe(data=DataSpec(test=0.25)), Recipe(data=DataSpec(test=0.5)), "2 splits (data.test 0.25, 0.5)"),
        (Recipe(), Recipe(data=DataSpec(val_fold="1/4")), "2 splits (data.val_fold none, 1 of 4 in turn)"),
        (Recipe(), Recipe(evaluate=EvaluateSpec(flip=True)), "2 ways of embedding (evaluate.flip no, yes)"),
        (Recipe(), Recipe(evaluate=EvaluateSpec(views=9)), "2 ways of embedding (evaluate.views 1, 9)"),
        (
            Recipe(evaluate=EvaluateSpec(views=9)),
            Recipe(evaluate=EvaluateSpec(views=9, view_strength=0.5)),
            "2 ways of embedding (evaluate.view_strength 1, 0.5)",
        ),
        (
            Recipe(data=LfwSpec(name="lfw", view="view1")),
            Recipe(data=LfwSpec(name="lfw", view="view2", fold=1)),
            "2 splits (data.fold none, 1)",
        ),
    ],
    ids=["seed", "share", "folds", "flip", "views", "strength", "pairs"],
)
def test_other_splits_and_rules_are_refused_and_named(tmp_path: Path, one: Recipe, other: Recipe, said: str) -> None:
    finish(tmp_path, one, 0.5, split="a")
    same = other.evaluate != EvaluateSpec() or other.data.name == "lfw"
    finish(tmp_path, other, 0.5, split="a" if same else "b")
    with pytest.raises(SandboxError) as refused:
        table_of(tmp_path)
    assert said in str(refused.value)
    assert len(table_of(tmp_path, mixed=True).rows) == 2


def test_the_same_recipe_on_images_that_changed_is_refused(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.5, split="aaa")
    finish(tmp_path, Recipe(seed=1), 0.5, split="bbb")
    with pytest.raises(SandboxError, match=r"2 sets of images under one recipe \(splits aaa, bbb\)"):
        table_of(tmp_path)


def test_what_merely_trains_may_differ(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(data=DataSpec(image_size=32)), 0.5)
    finish(tmp_path, Recipe(data=DataSpec(image_size=64), optimizer=OptimizerSpec(lr=0.1)), 0.6)
    finish(tmp_path, Recipe(evaluate=EvaluateSpec(patience=3, monitor="verification/auc")), 0.4)
    assert len(table_of(tmp_path).rows) == 3


def test_mixed_columns_have_no_letters_and_say_so(tmp_path: Path) -> None:
    for seed, loss in ((0, "arcface"), (1, "contrastive")):
        recipe = Recipe(loss=loss, data=DataSpec(split_seed=seed))
        seeds_of(tmp_path, recipe, {s: 0.5 + seed + 0.001 * s**2 for s in range(4)}, split=f"s{seed}")
    table = table_of(tmp_path, mixed=True, baseline="arcface")
    assert not any(cell.letters or cell.best for cell in column(table, METRIC, kind="figure"))
    assert {cell.plain for cell in column(table, METRIC, kind="difference")} == {""}
    assert (
        "Mixed by request: figures of the rows are of several splits or rules and do not compare."
        in table.caption.notes
    )


def test_where_the_images_are_the_same_the_rule_is_named_and_no_setting_of_the_data(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(data=DataSpec(name="digits")), 0.5, split="same")
    mirrored = Recipe(data=DataSpec(name="digits", split="sample"), evaluate=EvaluateSpec(flip=True))
    finish(tmp_path, mirrored, 0.5, split="same")
    with pytest.raises(SandboxError, match=r"2 ways of embedding \(evaluate\.flip no, yes\)"):
        table_of(tmp_path)


def test_figures_after_other_steps_do_not_share_a_column_and_the_plain_ones_may(tmp_path: Path) -> None:
    for after, value in (("whiten(8)", 0.4), ("rerank", 0.6)):
        finish(tmp_path, Recipe(evaluate=EvaluateSpec(after=after)), {"retrieval/map@r": 0.5, f"after/{MAP}": value})
    assert len(table_of(tmp_path, metrics=("MAP@R",)).rows) == 2
    with pytest.raises(SandboxError, match=r"2 ways of embedding \(evaluate\.after whiten\(8\), rerank\)|rerank, whi"):
        table_of(tmp_path, metrics=("MAP@R", "MAP@R, after"))
    assert len(table_of(tmp_path, metrics=("MAP@R, after",), mixed=True).rows) == 2
