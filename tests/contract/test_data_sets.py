"""What every data set must do: each that is registered is read from a small tree in its true shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pytest

from sandbox.data.catalog import data_kinds, data_sets, files_of, load
from sandbox.data.checks.splits import check
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec, Recipe, digest, own_settings
from sandbox.recipe.text import from_toml, to_toml

from trees import TREES

NAMES = sorted(data_sets())
READ = [name for name in NAMES if data_sets()[name].source != "embedded"]
SIDE = 12
PLACES = ("images",)
"""Settings that say where the data lies on this machine, as `data.root` does."""


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[str], DataSpec]:
    """Writes the tree of a data set and says how it is read."""

    def write(name: str) -> DataSpec:
        assert name not in READ or name in TREES, f"data set '{name}' has no small tree yet: write it in tests/trees.py"
        spec = TREES[name](tmp_path) if name in READ else DataSpec(name=name)
        if data_sets()[name].rows:
            return spec
        return replace(spec, root=spec.root or (str(tmp_path) if name in READ else ""), image_size=SIDE)

    return write


@pytest.mark.parametrize("name", NAMES)
def test_what_is_registered(name: str) -> None:
    one = data_sets()[name]
    assert one.name == name and one.line and one.splits[0] == "auto"
    assert one.citation or one.source == "folder"
    assert issubclass(one.settings, DataSpec) and one.settings().name in ("glyphs", name)
    own = own_settings(one.settings)
    assert not any(set(own) & set(own_settings(other)) for key, other in data_kinds().items() if key != name)


@pytest.mark.parametrize("name", NAMES)
def test_read_twice_it_is_the_same(name: str, tree: Callable[[str], DataSpec]) -> None:
    spec = tree(name)
    first, second = load(spec), load(spec)
    assert len(first.digest) == 12 and first.digest == second.digest and first.notes == second.notes
    assert min(len(part) for part in (first.train, first.val, first.test)) > 0
    for part, images in first.image_sets().items():
        again = second.image_sets()[part]
        assert images.paths == again.paths and images.classes == again.classes
        assert len(set(images.paths)) == len(images)
        np.testing.assert_array_equal(images.pixels, again.pixels)
        np.testing.assert_array_equal(images.labels, again.labels)
    assert first.closed_set == (first.train.classes == first.test.classes)
    if not first.closed_set:
        train, val, test = (set(part.classes) for part in (first.train, first.val, first.test))
        assert not train & val and not train & test and not val & test
    if name in READ:  # the others are large, and looked through in a test of their own
        check(spec, first)


@pytest.mark.parametrize("name", [name for name in NAMES if not data_sets()[name].rows])
def test_size_and_colour_are_those_asked_for(name: str, tree: Callable[[str], DataSpec]) -> None:
    spec = tree(name)
    plain = load(spec)
    for colour, channels in (("rgb", 3), ("grey", 1)):
        splits = load(replace(spec, colour=colour, resize=20))  # type: ignore[arg-type]
        assert splits.digest == plain.digest  # which images are where does not hang on how they are shown
        for part, images in splits.image_sets().items():
            assert images.pixels.shape[1:] == (SIDE, SIDE, channels)
            assert images.paths == plain.image_sets()[part].paths
        if channels == plain.test.pixels.shape[3]:  # the middle is cut out, where the whole was squeezed in
            assert not np.array_equal(splits.test.pixels, plain.test.pixels)


@pytest.mark.parametrize("name", NAMES)
def test_every_way_to_split_is_read_or_refused_in_a_sentence(name: str, tree: Callable[[str], DataSpec]) -> None:
    spec, ways = tree(name), data_sets()[name].splits
    read = 0
    for split in ("auto", "class", "sample", "given"):
        try:
            splits = load(replace(spec, split=split))  # type: ignore[arg-type]
        except SandboxError as error:
            assert "\n" not in str(error)
            assert split in ways or f"data.split is '{split}', but data set '{name}' takes {', '.join(ways)}" in str(
                error
            )
        else:
            assert split in ways
            assert split != "class" or not splits.closed_set
            assert split != "sample" or splits.closed_set
            read += 1
    assert read


@pytest.mark.parametrize("name", NAMES)
def test_each_class_is_in_one_fold_or_folds_are_refused(name: str, tree: Callable[[str], DataSpec]) -> None:
    spec = tree(name)
    spec = replace(spec, split="class") if "class" in data_sets()[name].splits else spec
    plain = load(spec)
    if plain.closed_set or plain.val_pairs is not None:
        with pytest.raises(SandboxError, match=r"data\.val_fold is '1/2', but [^\n]*; [^\n]*leave data\.val_fold out$"):
            load(replace(spec, val_fold="1/2"))
        return
    first, second = (load(replace(spec, val_fold=fold)) for fold in ("1/2", "2/2"))
    whole = dict(zip((*plain.train.paths, *plain.val.paths), (*plain.train.pixels, *plain.val.pixels), strict=True))
    assert len({plain.digest, first.digest, second.digest}) == 3
    for one, other in ((first, second), (second, first)):
        assert one.val.classes == other.train.classes and not set(one.val.classes) & set(one.train.classes)
        assert one.val.paths == other.train.paths and {*one.val.paths, *one.train.paths} == set(whole)
        assert one.test.paths == plain.test.paths and one.test.classes == plain.test.classes
        np.testing.assert_array_equal(one.test.pixels, plain.test.pixels)
        np.testing.assert_array_equal(one.val.pixels, np.stack([whole[path] for path in one.val.paths]))
        assert one.notes[-1].startswith("validation is fold ")
    assert abs(len(first.val.classes) - len(second.val.classes)) <= 1


def another(kind: type[DataSpec], key: str) -> object:
    """A value of a setting that is not its default."""
    hint, default = get_type_hints(kind)[key], own_settings(kind)[key]
    words = [value for value in get_args(hint) if isinstance(value, str) and value != default]
    return words[0] if words else "other" if isinstance(default, str) else 3


@pytest.mark.parametrize("name", NAMES)
def test_settings_go_through_a_recipe(name: str, tree: Callable[[str], DataSpec]) -> None:
    spec = tree(name)
    recipe = Recipe(data=replace(spec, root="somewhere"))
    assert from_toml(to_toml(recipe), kinds=data_kinds()) == replace(recipe, data=replace(recipe.data))
    plain = replace(recipe, data=replace(recipe.data, **own_settings(data_kinds()[name])))
    for key in own_settings(data_kinds()[name]):  # a setting counts where it is not its default
        other = replace(plain.data, **{key: another(data_kinds()[name], key)})
        assert (digest(plain) == digest(replace(plain, data=other))) == (key in PLACES)


@pytest.mark.parametrize("name", NAMES)
def test_files_behind_the_images(name: str, tree: Callable[[str], DataSpec]) -> None:
    spec = tree(name)
    splits = load(spec)
    files = files_of(spec, splits)
    assert all(file.is_file() for file in files) and len(set(files)) == len(files)
    if data_sets()[name].has_files:
        assert {file.name for file in files} == {
            Path(path).name for images in splits.image_sets().values() for path in images.paths
        }
    else:
        assert not files


@pytest.mark.parametrize("name", NAMES)
def test_roots_that_cannot_be(name: str, tmp_path: Path) -> None:
    where = tmp_path / "nothing"
    if name not in READ:
        with pytest.raises(SandboxError, match=f"data set '{name}' is embedded and reads no folder"):
            load(DataSpec(name=name, root=str(tmp_path)))
        return
    if (endings := data_sets()[name].endings) and not data_sets()[name].or_folder:
        return refused_files(name, where, endings)
    with pytest.raises(SandboxError, match=r"no (folder|file or folder) at data\.root"):
        load(DataSpec(name=name, root=str(where)))
    where.write_text("")
    with pytest.raises(SandboxError, match="is a file, not a folder" if not endings else f"'{name}' reads "):
        load(DataSpec(name=name, root=str(where)))
    where.unlink()
    where.mkdir()
    with pytest.raises(SandboxError) as empty:
        load(DataSpec(name=name, root=str(where)))
    assert "\n" not in str(empty.value) and "nothing" in str(empty.value)
    if data_sets()[name].source == "folder":
        with pytest.raises(SandboxError, match=r"reads a .*folder.*: say which with data"):
            load(DataSpec(name=name))


def refused_files(name: str, where: Path, endings: tuple[str, ...]) -> None:
    """Files that a data set which is one file cannot be."""
    with pytest.raises(SandboxError, match=r"no file at data\.root"):
        load(DataSpec(name=name, root=str(where)))
    where.write_text("")
    with pytest.raises(SandboxError, match=f"but data set '{name}' reads "):
        load(DataSpec(name=name, root=str(where)))
    for ending in endings:
        empty = where.with_suffix(ending)
        empty.write_text("")
        with pytest.raises(SandboxError, match=r"is a folder, but a file is needed; did you mean .*nothing\."):
            load(DataSpec(name=name, root=str(where.parent)))
        with pytest.raises(SandboxError) as refused:
            load(DataSpec(name=name, root=str(empty)))
        assert "\n" not in str(refused.value) and "nothing" in str(refused.value)
    with pytest.raises(SandboxError, match=r"reads a file .*: say which with data"):
        load(DataSpec(name=name))


@pytest.mark.parametrize("name", NAMES)
def test_classes_too_small_for_any_split_are_refused(name: str, tree: Callable[[str], DataSpec]) -> None:
    with pytest.raises(SandboxError) as refused:
        load(replace(tree(name), min_images=1_000_000))
    assert "\n" not in str(refused.value)
