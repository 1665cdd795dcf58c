"""Every data set by name, and the one way to load them."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import sandbox.data.datasets as package
from sandbox.data.datasets.dataset import DataSet
from sandbox.data.datasets.download import kept
from sandbox.data.splits.folds import in_fold
from sandbox.data.splits.rotations import rotated
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError, near, unknown
from sandbox.files import reading
from sandbox.recipe.fold import parse_fold
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.specs import DataKinds, DataSpec, Recipe, as_kind

_SOURCES = ("embedded", "downloaded", "folder")


@cache
def data_sets() -> dict[str, DataSet]:
    """Data sets by name: those that need nothing first, then those that are downloaded, each group sorted."""
    modules = (importlib.import_module(f"{package.__name__}.{m.name}") for m in pkgutil.iter_modules(package.__path__))
    found = [module.DATA_SET for module in modules if hasattr(module, "DATA_SET")]
    return {one.name: one for one in sorted(found, key=lambda one: (_SOURCES.index(one.source), one.name))}


def data_kinds() -> DataKinds:
    """The class of settings that each data set takes."""
    return {name: data_set.settings for name, data_set in data_sets().items()}


def load(spec: DataSpec) -> Splits:
    """Read, resize and split a data set.

    Args:
        spec: which, from where, and how.

    Returns:
        The splits; their `notes` say what was left out and are meant to be printed.

    Raises:
        SandboxError: no such data set, a setting it does not take, or data that is missing or cannot be used.
    """
    if spec.name not in data_sets():
        raise unknown("data set", spec.name, data_sets(), "--list data tells what each holds")
    data_set = data_sets()[spec.name]
    check_ranges(Recipe(data=spec))
    with reading("", Path(spec.root)):
        _check_settings(spec, data_set)
        splits = data_set.load(
            replace(as_kind(spec, data_set.settings), image_size=spec.image_size or data_set.image_size)
        )
        fold = parse_fold(spec.val_fold)
        if fold is not None and spec.split not in data_set.own_folds:
            tested = parse_fold(spec.test_fold, "data.test_fold")
            splits = in_fold(splits, *fold, spec.fold_seed, test_fold=tested[0] if tested else 0)
        return rotated(splits, spec.rotations)


def in_all_folds(spec: DataSpec) -> bool:
    """Whether settings stand for a run of each test fold: their `fold` is ``all``."""
    return getattr(spec, "fold", None) == "all"


def fold_specs(spec: DataSpec) -> tuple[DataSpec, ...]:
    """The settings of each test fold, by settings that ask for all.

    Raises:
        SandboxError: a setting that the data set does not take, or data that is missing or has no folds.
    """
    data_set = data_sets()[spec.name]
    if data_set.folds is None:
        raise SandboxError(f"data.fold is all, but data set '{spec.name}' has no test folds")
    for name in ("test_fold", "val_fold"):
        if given := getattr(spec, name):
            raise SandboxError(
                f"data.{name} is '{given}', but has no place beside data.fold=all, which tests and validates on the "
                f"folds of '{spec.name}' itself"
            )
    with reading("", Path(spec.root)):
        _check_settings(spec, data_set)
        return tuple(replace(spec, fold=fold) for fold in range(1, data_set.folds.count(spec) + 1))  # type: ignore[call-arg]


def root_of(spec: DataSpec) -> Path | None:
    """The folder that paths of the images are relative to; None where the images are no files of their own."""
    if not data_sets()[spec.name].has_files:
        return None
    return Path(spec.root).expanduser() if spec.root else kept(spec.name)


def files_of(spec: DataSpec, splits: Splits) -> list[Path]:
    """The files behind the images of a split, each once; none where the images are no files of their own."""
    root = root_of(spec)
    if root is None:
        return []
    paths = dict.fromkeys(path for images in splits.image_sets().values() for path in images.paths)
    return [root / path for path in paths]


def _check_settings(spec: DataSpec, data_set: DataSet) -> None:
    if spec.split not in data_set.splits:
        allowed = ", ".join(data_set.splits)
        raise SandboxError(f"data.split is '{spec.split}', but data set '{spec.name}' takes {allowed}")
    if spec.root and data_set.source == "embedded":
        raise SandboxError(
            f"data.root is '{spec.root}', but data set '{spec.name}' is embedded and reads no folder; "
            "did you mean data.name=folder?"
        )
    if not spec.root and data_set.source == "folder":
        what = f"a file ({', '.join(data_set.endings)})" if data_set.endings else "a folder"
        raise SandboxError(f"data set '{spec.name}' reads {what}: say which with data.root")
    if spec.root and data_set.endings:
        _check_file(spec, data_set.endings)
    elif spec.root:
        _check_root(spec)


def _check_file(spec: DataSpec, endings: tuple[str, ...]) -> None:
    file = Path(spec.root).expanduser()
    if file.is_dir():
        inside = sorted(entry.name for entry in file.iterdir() if entry.suffix.lower() in endings)
        meant = f"; did you mean {file / inside[0]}?" if inside else ""
        raise SandboxError(f"data.root '{spec.root}' is a folder, but a file is needed{meant}")
    if not file.exists():
        beside = [entry.name for entry in file.parent.iterdir() if entry.is_file()] if file.parent.is_dir() else []
        raise SandboxError(f"no file at data.root '{spec.root}'{near(file.name, beside)}")
    if file.suffix.lower() not in endings:
        raise SandboxError(f"data.root is '{spec.root}', but data set '{spec.name}' reads {', '.join(endings)}")


def _check_root(spec: DataSpec) -> None:
    root = Path(spec.root).expanduser()
    if not root.exists():
        beside = [entry.name for entry in root.parent.iterdir() if entry.is_dir()] if root.parent.is_dir() else []
        raise SandboxError(f"no folder at data.root '{spec.root}'{near(root.name, beside)}")
    if not root.is_dir():
        raise SandboxError(f"data.root '{spec.root}' is a file, not a folder")
