from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.data.catalog import data_sets, load
from sandbox.errors import SandboxError
from sandbox.recipe.size import sides
from sandbox.recipe.specs import DataSpec


def test_every_data_set_is_described() -> None:
    assert {"glyphs", "digits", "folder", "omniglot", "lfw", "olivetti", "mnist", "cifar100"} <= set(data_sets())
    for name, data_set in data_sets().items():
        assert data_set.name == name
        assert data_set.line
        assert "\n" not in data_set.line
        assert "auto" in data_set.splits
        assert data_set.image_size is None or min(sides(data_set.image_size)) > 0
        assert data_set.citation or data_set.source == "folder"


def test_the_default_recipe_names_a_data_set() -> None:
    assert not data_sets()[DataSpec().name].has_files


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(SandboxError, match="no data set named 'glyph'; did you mean 'glyphs'"):
        load(DataSpec(name="glyph"))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (DataSpec(image_size=0), "data.image_size is 0"),
        (DataSpec(image_size=-8), "data.image_size is -8"),
        (DataSpec(min_images=0), "data.min_images is 0"),
        (DataSpec(split_seed=-1), "data.split_seed is -1"),
        (
            DataSpec(name="digits", split="given"),
            "data.split is 'given', but data set 'digits' takes auto, class, sample",
        ),
        (DataSpec(name="olivetti", split="given"), "data set 'olivetti' takes auto, class, sample"),
        (DataSpec(root="faces"), "embedded and reads no folder; did you mean data.name=folder"),
        (DataSpec(name="digits", min_images=190), "data.min_images is 190"),
        (DataSpec(name="digits", validation=0.9), "data.validation and data.test together leave nothing to train on"),
    ],
)
def test_settings_that_cannot_be_are_errors(spec: DataSpec, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        load(spec)


DOWNLOADED = [name for name, data_set in data_sets().items() if data_set.source == "downloaded"]
FROM_ROOT = [name for name, data_set in data_sets().items() if data_set.source == "folder" and not data_set.endings]


@pytest.mark.parametrize("name", FROM_ROOT)
def test_a_root_that_is_not_given_is_an_error(name: str) -> None:
    with pytest.raises(SandboxError, match=f"data set '{name}' reads a folder: say which with data.root"):
        load(DataSpec(name=name))


@pytest.mark.parametrize("name", [*FROM_ROOT, *DOWNLOADED])
def test_a_root_that_is_missing_a_file_or_empty_is_an_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    with pytest.raises(SandboxError, match=r"no folder at data\.root '.*pictuers'; did you mean 'pictures'"):
        load(DataSpec(name=name, root=str(tmp_path / "pictuers")))
    with pytest.raises(SandboxError, match=r"no folder at data\.root"):
        load(DataSpec(name=name, root=str(tmp_path / "no" / "such")))
    (tmp_path / "file").touch()
    with pytest.raises(SandboxError, match="is a file, not a folder"):
        load(DataSpec(name=name, root=str(tmp_path / "file")))
    with pytest.raises(SandboxError, match=r"empty|holds neither|holds no"):
        load(DataSpec(name=name, root=str(tmp_path / "pictures")))


def test_listing_the_catalog_imports_nothing_heavy() -> None:
    script = "import sys, sandbox.data.catalog; print({'torch', 'sklearn', 'matplotlib', 'scipy'} & set(sys.modules))"
    source = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=source, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_seed_of_the_folds_turns_them_and_leaves_test_alone() -> None:
    spec = DataSpec(name="digits", split="class", val_fold="1/3")
    parts = [load(replace(spec, fold_seed=seed)) for seed in range(4)]
    assert len({part.test.paths for part in parts}) == 1 and len({part.val.classes for part in parts}) > 1
    tuned, again = (load(replace(spec, test_fold="2/3", fold_seed=1)), load(replace(spec, fold_seed=1)))
    assert tuned.val.classes == again.val.classes and not set(tuned.test.classes) & set(again.test.classes)
    assert tuned.test.classes == load(replace(spec, val_fold="2/3", fold_seed=1)).val.classes
