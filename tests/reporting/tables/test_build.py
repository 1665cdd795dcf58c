"""Runs to rows by columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sandbox.errors import SandboxError
from sandbox.recipe.specs import BackboneSpec, DataSpec, EvaluateSpec, OptimizerSpec, Recipe
from sandbox.reporting.records.run import Run
from sandbox.reporting.tables.build import build_table
from sandbox.reporting.tables.layout import COSTS

from table_runs import METRIC, column, finish, runs_of, seeds_of, table_of


@pytest.fixture(scope="module")
def one_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    place = tmp_path_factory.mktemp("one")
    finish(place, Recipe(), 0.5)
    return runs_of(place)[0]


@given(values=st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_seeds_are_one_cell_with_students_interval(one_run: Run, values: list[float]) -> None:
    reports = [{"test": {"retrieval/map@r": {"value": value}}} for value in values]
    table = build_table([replace(one_run, seed=seed, report=report) for seed, report in enumerate(reports)])
    (cell,) = column(table, METRIC)
    assert cell.value == pytest.approx(sum(values) / len(values)) and cell.seeds == tuple(range(len(values)))
    assert cell.half == pytest.approx(stats.t.ppf(0.975, len(values) - 1) * stats.sem(values), abs=1e-12)


def test_settings_that_differ_are_columns_and_the_best_is_first(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(loss="contrastive"), 0.4)
    finish(tmp_path, Recipe(loss="contrastive", optimizer=OptimizerSpec(lr=0.0013654198505578894)), 0.6)
    table = table_of(tmp_path)
    assert [c.name for c in table.columns] == ["objective", "learning rate", "MAP@R"]
    assert [cell.text for cell in column(table, "optimizer.lr")] == ["0.00137", "0.003"]


def test_of_integers_beside_none_none_is_said_and_integers_stay(tmp_path: Path) -> None:
    for size, steps in ((16, None), (None, 60)):
        finish(tmp_path, Recipe(data=DataSpec(image_size=size), max_steps=steps), 0.5)
    texts = {cell.text for key in ("data.image_size", "max_steps") for cell in column(table_of(tmp_path), key)}
    assert texts == {"16", "60", "none"}


def test_settings_that_differ_too_little_to_be_short_keep_more_digits(tmp_path: Path) -> None:
    for lr in (0.0013654, 0.0013655):
        finish(tmp_path, Recipe(optimizer=OptimizerSpec(lr=lr)), 0.5)
    assert {cell.text for cell in column(table_of(tmp_path), "optimizer.lr")} == {"0.0013654", "0.0013655"}


def two_by_two(place: Path) -> None:
    """Two objectives on two data sets that differ in more than their names; arcface on glyphs has a seed less."""
    for data, split in ((DataSpec(name="digits"), "d"), (DataSpec(name="glyphs", min_images=5), "g")):
        for loss, value in (("arcface", 0.5), ("contrastive", 0.4)):
            values = {seed: value + 0.01 * seed + (0.2 if split == "g" else 0) for seed in range(3)}
            if (loss, split) == ("arcface", "g"):
                del values[2]
            seeds_of(place, Recipe(loss=loss, data=data), values, split=split)


def test_data_sets_stand_across_and_what_differs_between_them_goes_into_the_caption(tmp_path: Path) -> None:
    two_by_two(tmp_path)
    table = table_of(tmp_path, columns=("data set",))
    assert [(c.block, c.name) for c in table.columns] == [
        ("", "objective"),
        *[(block, name) for block in ("digits", "glyphs") for name in ("n", "MAP@R")],
    ]
    assert [cell.text for cell in column(table, "loss")] == ["arcface", "contrastive"]
    assert [cell.value for cell in column(table, METRIC, "glyphs")] == pytest.approx([0.705, 0.61])
    assert [cell.text for cell in column(table, "n", "glyphs")] == ["2", "3"]
    assert "images of a class at least 1 (digits), 5 (glyphs)" in table.caption.text


def test_a_setting_that_differs_within_one_data_set_parts_the_rows(tmp_path: Path) -> None:
    for name, lr in (("digits", 0.1), ("digits", 0.2), ("glyphs", 0.1)):
        finish(tmp_path, Recipe(data=DataSpec(name=name), optimizer=OptimizerSpec(lr=lr)), lr, split=name)
    table = table_of(tmp_path, columns=("data.name",))
    assert [cell.text for cell in column(table, "optimizer.lr")] == ["0.2", "0.1"]
    assert [cell.text for cell in column(table, METRIC, "glyphs")] == ["", "0.100"]


def test_rows_may_be_headed_by_another_setting(tmp_path: Path) -> None:
    for name, loss in (("conv4", "arcface"), ("conv6", "arcface"), ("conv4", "contrastive")):
        finish(tmp_path, Recipe(loss=loss, backbone=BackboneSpec(name=name)), 0.5)
    table = table_of(tmp_path, rows=("network",), columns=("objective",))
    assert [c.block for c in table.columns] == ["", "arcface", "contrastive"]
    assert sorted(cell.text for cell in column(table, "backbone.name")) == ["conv4", "conv6"]
    with pytest.raises(SandboxError, match=r"loss is in --rows and in --columns"):
        table_of(tmp_path, rows=("loss",), columns=("loss",))
    with pytest.raises(SandboxError, match=r"no run has the setting 'dat.name'; did you mean 'data.name'"):
        table_of(tmp_path, columns=("dat.name",))


def test_one_recipe_on_two_folders_is_two_columns(tmp_path: Path) -> None:
    for root, split in (("orl", "abc"), ("coil", "def")):
        finish(tmp_path, Recipe(data=DataSpec(root=root)), 0.5, split=split)
    assert [c.block for c in table_of(tmp_path, columns=("data.root",)).columns] == ["", "coil", "orl"]
    mixed = table_of(tmp_path, mixed=True)
    assert sorted(cell.text for cell in column(mixed, "data.root")) == ["coil", "orl"]


def test_one_seed_has_no_interval_and_that_is_said(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.5)
    table = table_of(tmp_path)
    (cell,) = column(table, METRIC)
    assert cell.plain == "0.500" and math.isnan(cell.half)
    assert "One seed each, so that there is no interval over seeds." in table.caption.notes


def test_letters_mark_the_best_and_its_equals(tmp_path: Path) -> None:
    rows = {
        "arcface": (0.80, 0.79, 0.81, 0.80),
        "cosface": (0.81, 0.80, 0.80, 0.80),
        "contrastive": (0.5, 0.51, 0.5, 0.52),
    }
    for loss, values in rows.items():
        seeds_of(tmp_path, Recipe(loss=loss), dict(enumerate(values)))
    seeds_of(tmp_path, Recipe(loss="sup_con"), {s: 0.1 + 0.001 * s for s in (10, 11)})
    table = table_of(tmp_path)
    losses = [cell.text for cell in column(table, "loss")]
    cells = column(table, METRIC)
    assert losses == ["cosface", "arcface", "contrastive", "sup_con"]
    assert [(cell.letters, cell.best) for cell in cells] == [("a", True), ("a", True), ("b", False), ("", False)]
    assert any("fewer than two seeds with the others" in note and "sup_con" in note for note in table.caption.notes)


def test_where_no_row_differs_from_the_best_none_is_bold(tmp_path: Path) -> None:
    recalls = {"arcface": (0.7, 0.72, 0.71), "cosface": (0.4, 0.42, 0.43)}
    for loss, values in {"arcface": (0.80, 0.79, 0.81), "cosface": (0.81, 0.78, 0.80)}.items():
        for seed, value in enumerate(values):
            figures = {"retrieval/map@r": value, "retrieval/recall@1": recalls[loss][seed]}
            finish(tmp_path, Recipe(loss=loss, seed=seed), figures)
    table = table_of(tmp_path)
    assert [(cell.letters, cell.best) for cell in column(table, METRIC)] == [("a", False), ("a", False)]
    recall = column(table, "test/retrieval/recall@1")
    assert [(cell.letters, cell.best) for cell in recall] == [("a", True), ("b", False)]
    assert any("Bold is the best" in note for note in table.caption.notes)
    table = table_of(tmp_path, metrics=("map@r",))
    assert not any("Bold is" in note for note in table.caption.notes)


def test_the_lower_is_the_better_for_an_error_rate(tmp_path: Path) -> None:
    for loss, eer in (("arcface", 0.2), ("contrastive", 0.1)):
        for seed in range(3):
            luck = 0.001 * (seed if loss == "arcface" else seed**2)
            finish(tmp_path, Recipe(loss=loss, seed=seed), {"verification/eer": eer + luck, "retrieval/map@r": 0.5})
    table = table_of(tmp_path, metrics=("EER", "map@r"))
    assert [cell.text for cell in column(table, "loss")] == ["contrastive", "arcface"]
    assert [cell.letters for cell in column(table, "test/verification/eer")] == ["a", "b"]
    assert [c.arrow for c in table.columns] == ["", "↓", "↑"]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (EvaluateSpec(flip=True), "the mean of an image's and its mirror image's"),
        (EvaluateSpec(views=9), "the mean of those of 9 affine versions of an image"),
        (
            EvaluateSpec(views=3, view_strength=0.5, flip=True),
            "the mean of those of 3 affine versions of an image and 3 of its mirror image, changed 0.5 times as far as "
            "by default",
        ),
    ],
    ids=["flip", "views", "both"],
)
def test_what_embeddings_are_the_mean_of_stands_in_the_caption(tmp_path: Path, spec: EvaluateSpec, said: str) -> None:
    finish(tmp_path, Recipe(evaluate=spec), 0.5)
    assert f"glyphs: embeddings are {said}." in table_of(tmp_path).caption.text


def test_folds_are_one_row_and_the_caption_says_so(tmp_path: Path) -> None:
    for seed in (0, 1):
        for k in (1, 2, 3):
            recipe = Recipe(seed=seed, data=DataSpec(name="digits", val_fold=f"{k}/3"))
            finish(tmp_path, recipe, 0.1 * k + 0.02 * seed, split=f"s{k}", test_images="t")
    table = table_of(tmp_path)
    (cell,) = column(table, METRIC)
    assert cell.value == pytest.approx(0.21) and cell.seeds == (0, 1)
    assert "3 of 3 folds, each chosen on one and tested on the same images" in table.caption.text


def test_figures_the_data_cannot_support_are_not_shown(tmp_path: Path) -> None:
    path = finish(tmp_path, Recipe(), {"verification/tar@far=1e-3": 0.25})
    report = path / "report.json"
    report.write_text(report.read_text().replace('"n": 10', '"n": 10, "supported": false'))
    table = table_of(tmp_path, metrics=("tar@far=1e-3",))
    assert column(table, "test/verification/tar@far=1e-3")[0].text == "unsupported"
    assert "Unsupported is what a run has too few pairs for: TAR@FAR=1e-3 of triplet." in table.caption.notes


def test_a_figure_that_some_seeds_lack_is_counted(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), {"retrieval/map@r": 0.5, "verification/auc": 0.9})
    finish(tmp_path, Recipe(seed=1), {"retrieval/map@r": 0.6})
    assert "1 cell is of fewer seeds than the row: AUC of triplet (1)." in table_of(tmp_path).caption.notes


def test_percent_is_of_shares_alone(tmp_path: Path) -> None:
    for seed, value in enumerate((0.5, 0.52)):
        finish(tmp_path, Recipe(seed=seed), {"verification/auc": value, "verification/d_prime": value})
    table = table_of(tmp_path, metrics=("auc", "d_prime"), percent=True)
    (auc,), (d_prime,) = (column(table, f"test/verification/{key}") for key in ("auc", "d_prime"))
    assert auc.plain == "51 ± 13" and d_prime.plain == "0.51 ± 0.13" and auc.value == pytest.approx(0.51)
    assert "In percent, but for d'." in table.caption.notes


def test_without_figures_of_test_those_of_validation_are_shown(tmp_path: Path) -> None:
    path = finish(tmp_path, Recipe(), 0.5)
    report = path / "report.json"
    report.write_text(report.read_text().replace('"test"', '"val"'))
    table = table_of(tmp_path)
    assert column(table, "val/retrieval/map@r")[0].text == "0.500"
    assert table.caption.title == "MAP@R on the validation images of glyphs."


def test_an_unknown_figure_is_refused(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.5)
    with pytest.raises(SandboxError, match=r"no run has the figure 'map' on test; did you mean 'map@r'"):
        table_of(tmp_path, metrics=("map",))
    with pytest.raises(SandboxError, match=r"--sort 'auc' is not among the metrics of the table: MAP@R"):
        table_of(tmp_path, sort="auc")
    with pytest.raises(SandboxError, match="no cost named 'hour'; did you mean 'hours'"):
        table_of(tmp_path, cost=("hour",))
    with pytest.raises(SandboxError, match="there is no run"):
        build_table([])


def test_a_thousand_recipes_are_a_thousand_rows(one_run: Run) -> None:
    recipes = [replace(one_run.recipe, max_steps=k + 1) for k in range(1000)]
    runs = [replace(one_run, digest=f"{k:012x}", recipe=recipe) for k, recipe in enumerate(recipes)]
    assert len(build_table(runs).rows) == 1000


def test_what_tuning_spent_and_what_was_noticed_is_said(tmp_path: Path) -> None:
    study = tmp_path / "margins"
    for number in range(3):
        (study / "runs" / f"trial-{number:04d}").mkdir(parents=True)
    (study / "study.json").write_text("{}")
    finish(
        study / "final" / "tuned-abc-s0", Recipe(loss="arcface"), 0.5, health=["all images have nearly one embedding"]
    )
    finish(study / "final" / "default-abc-s0", Recipe(), 0.4)
    line = "python experiments/run.py --from results/studies/lr:3"
    finish(study / "final" / "default-abc-s1", Recipe(loss="contrastive"), 0.3, command=line)
    said = build_table(
        [
            run
            for kind in ("tuned-abc-s0", "default-abc-s0", "default-abc-s1")
            for run in runs_of(study / "final" / kind)
        ]
    )
    assert (
        "arcface 3 trials of the study margins; contrastive an unknown number of trials of the study lr."
        in said.caption.text
    )
    assert (
        "Noticed in the training of 1 run: arcface seed 0 (all images have nearly one embedding)." in said.caption.text
    )


def test_what_was_noticed_stands_once_for_the_seeds_of_an_objective(tmp_path: Path) -> None:
    said = "all images have nearly one embedding (mean cosine 1.000); the loss stands still: --miner semihard may help"
    for seed in range(3):
        finish(tmp_path, Recipe(seed=seed), 0.5, health=[f"at step {7 + seed} {said}"])
    finish(tmp_path, Recipe(seed=3), 0.5, health=["at step 9 of a batch nothing is left"])
    text = table_of(tmp_path).caption.text
    assert (
        "Noticed in the training of 4 runs: triplet seeds 0 to 2 (all images have nearly one embedding (mean cosine "
        "1.000)), triplet seed 3 (of a batch nothing is left)." in text
    )


@pytest.mark.parametrize("odd", [None, [], {}, "x", 5, {"test": {"images": "x"}, "backbone": [], "total": "1"}, [[]]])
def test_facts_of_another_kind_are_passed_over(tmp_path: Path, odd: Any) -> None:
    names = "data parameters input seconds images_per_second peak_memory stage health trials test_images".split()
    recipe = Recipe(data=DataSpec(name="digits", val_fold="1/4"))
    finish(tmp_path, recipe, 0.5, **dict.fromkeys(names, odd))
    (tmp_path / next(tmp_path.iterdir()).name / "embeddings.safetensors").write_text("no tensors")
    table = table_of(tmp_path, cost=COSTS)
    assert column(table, METRIC)[0].text == "0.500" and column(table, "parameters")[0].text == ""


def test_the_command_writes_a_file_that_names_it(command: Callable[..., Any], tmp_path: Path) -> None:
    finish(tmp_path / "runs", Recipe(), 0.5)
    words = (str(tmp_path / "runs"), "--metrics", METRIC, "--out", str(tmp_path / "t" / "a.md"))
    assert command("table.py", *words).code == 0
    text = (tmp_path / "t" / "a.md").read_text()
    assert text.startswith("<!-- python experiments/table.py") and "0.500" in text
    assert "MAP@R ↑" in command("table.py", str(tmp_path / "runs")).out
    wrong = command("table.py", str(tmp_path / "runs"), "--siunitx")
    assert wrong.code == 2 and "--siunitx is of LaTeX, but the table is written as terminal" in wrong.err


def test_miners_stand_across_although_a_run_keeps_them_inside_its_objective(tmp_path: Path) -> None:
    hard, semihard = "miner=batch_hard", "miner=triplet_margin(type_of_triplets='semihard')"
    for loss, value in (("contrastive", 0.1), (f"contrastive({hard})", 0.2), (f"contrastive({semihard})", 0.3)):
        seeds_of(tmp_path, Recipe(loss=loss), {0: value, 1: value + 0.01})
    seeds_of(tmp_path, Recipe(loss=f"triplet_margin({hard})"), {0: 0.5, 1: 0.6})
    table = table_of(tmp_path, columns=("miner",), baseline="contrastive")
    assert {block for block, _ in table.blocks} == {"", "none", "batch_hard", "semihard"}
    assert [cell.text for cell in column(table, "loss")] == ["triplet_margin", "contrastive"]
    assert [cell.text for cell in column(table, METRIC, "batch_hard", "figure")] == ["0.55", "0.205"]
    assert [cell.text for cell in column(table, METRIC, "none", "figure")] == ["", "0.105"]
    assert [cell.text for cell in column(table, METRIC, "batch_hard", "difference")] == ["+0.34", ""]


@pytest.mark.parametrize("name", ["seed", "device", "threads", "resume_from"])
def test_what_the_runs_of_a_cell_may_differ_in_heads_nothing(tmp_path: Path, name: str) -> None:
    seeds_of(tmp_path, Recipe(), {0: 0.5, 1: 0.6})
    for asked in ({"rows": (name,)}, {"columns": (name,)}):
        with pytest.raises(SandboxError, match=f"{name} heads no rows and no columns"):
            table_of(tmp_path, **asked)


def test_a_setting_that_is_named_twice_heads_once(tmp_path: Path) -> None:
    finish(tmp_path, Recipe(), 0.5)
    table = table_of(tmp_path, rows=("loss", "objective"), columns=("data.name", "data.name"))
    assert [c.name for c in table.columns] == ["objective", "MAP@R"] and table.columns[1].block == "glyphs"
