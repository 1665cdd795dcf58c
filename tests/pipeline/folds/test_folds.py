"""A run for each test fold in one folder: what each may see, what they come to, and how they are gone on with."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from sandbox.data.catalog import fold_specs, load
from sandbox.errors import Interrupted, SandboxError
from sandbox.evaluation.figures import threshold_for_test
from sandbox.pipeline.folds.plan import begun, fold_recipes, recipe_of
from sandbox.pipeline.folds.together import conclude
from sandbox.pipeline.folds.work import at_work, folds_of, free_folds, put_together
from sandbox.recipe.specs import DataSpec, OptimizerSpec, Recipe, digest
from sandbox.recipe.text import to_toml
from sandbox.runs.folder import RunFolder, run_folders
from sandbox.runs.folds import fold_folders, fold_lock, folds_in, unfinished_said
from sandbox.runs.lock import Taken, locked

from apart import ended, needs_fork, started
from killed import folds_recipe, work_folds, work_folds_killed_in_write
from trees import face

FOLDS = 4


@dataclass(frozen=True)
class Whole:
    """All folds of a small tree, trained without a break."""

    recipe: Recipe
    folder: RunFolder

    def copied(self, out: Path) -> RunFolder:
        """The same in another place."""
        return RunFolder(Path(shutil.copytree(self.folder.path, out / self.folder.path.name)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    root = tmp_path_factory.mktemp("folds")
    recipe = folds_recipe(root / "tree")
    work_folds(recipe, root / "out")
    (folder,) = run_folders(root / "out")
    return Whole(recipe, folder)


def test_nobody_of_a_tested_fold_is_trained_on_or_chosen_on(whole: Whole) -> None:
    tested: list[tuple[str, str]] = []
    for spec, run in zip(fold_specs(whole.recipe.data), fold_folders(whole.folder), strict=True):
        splits = load(spec)
        assert run.read_json("run.json")["split"] == splits.digest  # so that these are the images that it saw
        others = {*splits.train.classes, *splits.val.classes}
        assert splits.test_pairs is not None and splits.val_pairs is not None
        assert not others & set(splits.test.classes)
        for side in (splits.val_pairs.left, splits.val_pairs.right):
            assert not {splits.val.classes[splits.val.labels[place]] for place in side} & set(splits.test.classes)
        paths = splits.test.paths
        tested += [(paths[a], paths[b]) for a, b in zip(splits.test_pairs.left, splits.test_pairs.right, strict=True)]
    lines = (Path(whole.recipe.data.root) / "pairs.txt").read_text().splitlines()[1:]
    assert len(tested) == len(lines) == 48


def test_the_report_is_the_mean_of_the_runs_and_the_pool_of_their_pairs(whole: Whole) -> None:
    report = whole.folder.read_json("report.json")["test"]
    runs = [one.read_json("report.json") for one in fold_folders(whole.folder)]
    shares = [one["test"]["verification/accuracy@validation"] for one in runs]
    mean = report[f"verification/accuracy@{FOLDS}-fold"]
    assert mean["value"] == pytest.approx(sum(one["value"] for one in shares) / FOLDS)
    assert mean["thresholds"] == [min(one["threshold"] for one in shares), max(one["threshold"] for one in shares)]
    for one, share in zip(runs, shares, strict=True):
        assert share["threshold"] == pytest.approx(threshold_for_test(one["val"]["verification/accuracy"]))
    assert {entry["n"] for entry in report.values()} == {48} == {sum(one["n"] for one in shares)}
    facts = whole.folder.read_json("run.json")
    assert facts["status"] == "done" and facts["digest"] == digest(whole.folder.recipe())
    assert (
        facts["judged_on"].startswith(f"LFW view 2, {FOLDS} folds, unrestricted") and "; 48 pairs" in facts["judged_on"]
    )
    assert "'Unrestricted, Label-Free Outside Data'" in facts["published"]
    raw = whole.folder.read_json("baselines.json")["raw pixels"]["test"]
    assert raw.keys() == {f"verification/accuracy@{FOLDS}-fold"}


def test_a_folder_of_folds_is_one_run_and_its_name_is_that_of_its_recipe(whole: Whole, tmp_path: Path) -> None:
    assert [one.path for one in run_folders(whole.folder.path.parent)] == [whole.folder.path]
    assert [one.path for one in run_folders(whole.folder.path)] == [whole.folder.path]
    again = begun(whole.recipe, out=whole.folder.path.parent, command="a test")
    assert again.path == whole.folder.path
    other = begun(replace(whole.recipe, seed=1), out=tmp_path, command="a test")
    assert other.path.name != whole.folder.path.name  # so that three seeds are three folders of one recipe
    assert other.read_json("run.json")["digest"] == digest(whole.folder.recipe())
    recipes = fold_recipes(whole.recipe)
    assert [one.data.fold for one in recipes] == [1, 2, 3, 4]  # type: ignore[attr-defined]
    runs = [one.read_json("run.json")["digest"] for one in fold_folders(whole.folder)]
    assert len({*runs, digest(whole.folder.recipe())}) == FOLDS + 1


@needs_fork
def test_killed_twice_it_ends_in_the_same_row(whole: Whole, tmp_path: Path) -> None:
    for number in (14, 40):  # inside a checkpoint of the first fold, and inside a later one
        assert ended(started(work_folds_killed_in_write, number, whole.recipe, tmp_path)) == -signal.SIGKILL
        (folder,) = run_folders(tmp_path)
        assert folder.status().startswith("interrupted") and f"of {FOLDS} folds" in unfinished_said(folder)
    work_folds(whole.recipe, tmp_path)
    for name in ("report.json", "baselines.json"):
        assert (folder.path / name).read_bytes() == (whole.folder.path / name).read_bytes()
    assert unfinished_said(folder) == "" and folds_in(folder.path) == FOLDS


@needs_fork
def test_several_processes_share_the_folds_and_the_last_puts_them_together(whole: Whole, tmp_path: Path) -> None:
    begun(whole.recipe, out=tmp_path, command="a test")
    workers = [started(work_folds, whole.recipe, tmp_path) for _ in range(3)]
    assert [ended(each) for each in workers] == [0, 0, 0]
    (folder,) = run_folders(tmp_path)
    for name in ("report.json", "baselines.json"):
        assert (folder.path / name).read_bytes() == (whole.folder.path / name).read_bytes()
    assert folder.status() == "done" and not list(folder.path.glob(".*lock"))


def test_a_fold_that_another_is_at_is_passed_over_and_taken_up_where_it_lets_go(whole: Whole, tmp_path: Path) -> None:
    folder = whole.copied(tmp_path)
    shutil.rmtree(folder.path / "fold-02")
    shutil.rmtree(folder.path / "fold-03")
    with at_work(folder), ExitStack() as other:
        other.enter_context(locked(folder.path, fold_lock(2)))
        with closing(free_folds(folder, recipe_of(folder))) as folds:
            seen = []
            for fold in folds:
                seen.append(fold.number)
                if fold.state == "done":
                    continue
                with pytest.raises(Taken), locked(folder.path, fold_lock(fold.number)):
                    pass
                if fold.number == 3:
                    assert not put_together(folder) and len(folder.holders()) == 2 and folder.status() == "running"
                    other.close()
        assert seen == [1, 3, 4, 2]
    assert folder.status().startswith("interrupted")


def test_what_is_done_is_passed_over(whole: Whole, tmp_path: Path) -> None:
    folder = whole.copied(tmp_path)
    shutil.rmtree(folder.path / "fold-03")
    states = [fold.state for fold in folds_of(folder, recipe_of(folder))]
    assert states == ["done", "done", "absent", "done"]
    before = (folder.path / "fold-01" / "log.jsonl").stat().st_mtime_ns
    work_folds(whole.recipe, tmp_path)
    assert (folder.path / "fold-01" / "log.jsonl").stat().st_mtime_ns == before
    assert (folder.path / "report.json").read_bytes() == (whole.folder.path / "report.json").read_bytes()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


def other_figure(path: Path) -> None:
    report = json.loads(path.read_text())
    report["test"]["verification/accuracy@validation"]["value"] = 0.99
    path.write_text(json.dumps(report))


def other_rate(path: Path) -> None:
    path.write_text(path.read_text().replace("lr = 0.003", "lr = 0.03"))


@pytest.mark.parametrize(
    ("name", "harm", "said"),
    [
        ("embeddings.safetensors", cut, r"embeddings\.safetensors is damaged: .*; take that folder away"),
        ("model.safetensors", cut, r"model\.safetensors is damaged: .*; take that folder away"),
        ("report.json", cut, r"report\.json.*; take that folder away, and the fold is trained anew"),
        ("run.json", cut, r"run\.json is damaged; take that folder away"),
        ("recipe.toml", other_rate, "is of another recipe: optimizer.lr is 0.003, and was 0.03; take that folder away"),
        ("report.json", other_figure, r"says that 0\.9900 of its pairs are right, but by its embeddings"),
    ],
)
def test_a_fold_that_is_damaged_or_of_another_recipe_is_refused(
    whole: Whole, name: str, harm: Callable[[Path], None], said: str, tmp_path: Path
) -> None:
    folder = whole.copied(tmp_path)
    harm(folder.path / "fold-02" / name)
    with pytest.raises(SandboxError, match=said):
        folds_of(folder, recipe_of(folder))
        conclude(folder, pictures=False)


def test_a_changed_recipe_is_refused_and_what_differs_is_named(whole: Whole, tmp_path: Path) -> None:
    folder = whole.copied(tmp_path)
    other_rate(folder.path / "recipe.toml")
    with pytest.raises(SandboxError, match=r"was changed since its runs began: optimizer\.lr is 0\.03, and was 0\.003"):
        recipe_of(folder)
    with pytest.raises(SandboxError, match=r"was begun with another recipe: optimizer\.lr is 0\.003, and was 0\.03"):
        begun(whole.recipe, out=tmp_path, command="a test")
    elsewhere = Path(shutil.copytree(whole.recipe.data.root, tmp_path / "elsewhere"))
    moved = replace(whole.recipe, data=replace(whole.recipe.data, root=str(elsewhere)))
    with pytest.raises(SandboxError, match=r"another recipe: data\.root is .*elsewhere, and was .*tree"):
        begun(moved, out=whole.folder.path.parent, command="a test")
    other = begun(replace(whole.recipe, optimizer=OptimizerSpec(lr=0.1)), out=tmp_path, command="a test")
    assert other.path != folder.path and folds_in(other.path) == FOLDS


def test_folds_to_come_would_be_of_other_images(whole: Whole, tmp_path: Path) -> None:
    folder = whole.copied(tmp_path)
    shutil.rmtree(folder.path / "fold-04")
    added = face(Path(whole.recipe.data.root) / "lfw" / "Person_40" / "Person_40_0099.jpg", 40, 99)
    try:
        with pytest.raises(SandboxError, match=r"the data has changed since the run .*fold-01: its split was"):
            folds_of(folder, recipe_of(folder))
    finally:
        added.unlink()


def test_nothing_is_begun_from_a_network_that_saw_the_same_people(whole: Whole, tmp_path: Path) -> None:
    earlier = fold_folders(whole.folder)[0].path
    weights = replace(whole.recipe.backbone, weights=str(earlier / "model.safetensors"))
    later = RunFolder(Path(shutil.copytree(earlier, tmp_path / "later")))  # on other images, but from the same network
    plain = replace(later.recipe(), data=DataSpec(name="digits"), resume_from=str(earlier))
    later.write_text("recipe.toml", to_toml(plain))
    for recipe in (
        replace(whole.recipe, resume_from=str(earlier)),
        replace(whole.recipe, resume_from=str(later.path)),
        replace(whole.recipe, backbone=weights),
    ):
        with pytest.raises(
            SandboxError, match=rf"nobody who is tested may .*, but {earlier}, .* trained on 'lfw' itself"
        ):
            begun(recipe, out=tmp_path / "out", command="a test")
    assert not (tmp_path / "out").exists()


def test_what_ends_the_work_stands_in_the_status(whole: Whole, tmp_path: Path) -> None:
    folder = whole.copied(tmp_path)
    for error, status in (
        (Interrupted(signal.SIGTERM), "interrupted by SIGTERM"),
        (SandboxError("no"), "failed: no"),
        (ValueError("what"), "failed: ValueError: what"),
    ):
        with pytest.raises(type(error)), at_work(folder):
            raise error
        assert folder.status() == status
        with locked(folder.path, fold_lock(2)):
            with pytest.raises(type(error)), at_work(folder):
                raise error
            assert folder.status() == "running"  # the other process is
