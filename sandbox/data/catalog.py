"""Every data set by name, and the one way to load them."""

from __future__ import annotations

from pathlib import Path

from sandbox.data.datasets import (
    cars196,
    cifar100,
    cub200,
    digits,
    folder,
    glyphs,
    homework,
    in_shop,
    lfw,
    mnist,
    olivetti,
    omniglot,
    sop,
)
from sandbox.data.datasets.dataset import DataSet
from sandbox.data.datasets.download import kept
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError, near, unknown
from sandbox.recipe.specs import DataSpec
from sandbox.wording import reason

DATA_SETS: dict[str, DataSet] = {
    data_set.name: data_set
    for data_set in (
        glyphs.DATA_SET,
        digits.DATA_SET,
        olivetti.DATA_SET,
        mnist.DATA_SET,
        cifar100.DATA_SET,
        folder.DATA_SET,
        omniglot.DATA_SET,
        lfw.DATA_SET,
        homework.DATA_SET,
        cub200.DATA_SET,
        cars196.DATA_SET,
        sop.DATA_SET,
        in_shop.DATA_SET,
    )
}


def load(spec: DataSpec) -> Splits:
    """Read, resize and split a data set.

    Args:
        spec: which, from where, and how.

    Returns:
        The splits; their `notes` say what was left out and are meant to be printed.

    Raises:
        SandboxError: no such data set, a setting it does not take, or data that is missing or cannot be used.
    """
    if spec.name not in DATA_SETS:
        raise unknown("data set", spec.name, DATA_SETS, "--list data tells what each holds")
    data_set = DATA_SETS[spec.name]
    _check_numbers(spec)
    try:
        _check_settings(spec, data_set)
        return data_set.load(spec)
    except OSError as error:
        raise SandboxError(f"cannot read {error.filename or spec.root}: {reason(error)}") from None


def _check_numbers(spec: DataSpec) -> None:
    if spec.image_size is not None and not 4 <= spec.image_size <= 4096:
        raise SandboxError(f"data.image_size is {spec.image_size}, but must be 4 to 4096 pixels")
    if spec.min_images < 1:
        raise SandboxError(f"data.min_images is {spec.min_images}, but must be 1 or more")
    if spec.split_seed < 0:
        raise SandboxError(f"data.split_seed is {spec.split_seed}, but must be 0 or more")


def _check_settings(spec: DataSpec, data_set: DataSet) -> None:
    if spec.split not in data_set.splits:
        allowed = ", ".join(data_set.splits)
        raise SandboxError(f"data.split is '{spec.split}', but data set '{spec.name}' takes {allowed}")
    if spec.name != lfw.DATA_SET.name and (spec.view != DataSpec.view or spec.fold is not None):
        raise SandboxError(f"data.view and data.fold are settings of data set 'lfw'; '{spec.name}' has none")
    if spec.name != homework.DATA_SET.name and spec.part:
        raise SandboxError(f"data.part is a setting of data set 'homework'; '{spec.name}' has none")
    if spec.root and not data_set.needs_root and not data_set.downloads:
        raise SandboxError(
            f"data.root is '{spec.root}', but data set '{spec.name}' is embedded and reads no folder; "
            "did you mean data.name=folder?"
        )
    if not spec.root and data_set.needs_root and not data_set.downloads:
        raise SandboxError(f"data set '{spec.name}' reads a folder: say which with data.root")
    if spec.root:
        _check_root(spec)


def _check_root(spec: DataSpec) -> None:
    root = Path(spec.root).expanduser()
    if not root.exists():
        beside = [entry.name for entry in root.parent.iterdir() if entry.is_dir()] if root.parent.is_dir() else []
        raise SandboxError(f"no folder at data.root '{spec.root}'{near(root.name, beside)}")
    if not root.is_dir():
        raise SandboxError(f"data.root '{spec.root}' is a file, not a folder")


def root_of(spec: DataSpec) -> Path | None:
    """The folder that paths of the images are relative to; None for an embedded data set, which has no files."""
    if not DATA_SETS[spec.name].needs_root:
        return None
    return Path(spec.root).expanduser() if spec.root else kept(spec.name)


def files_of(spec: DataSpec, splits: Splits) -> list[Path]:
    """The files behind the images of a split, each once, in the order of `parts`; none for an embedded data set."""
    root = root_of(spec)
    if root is None:
        return []
    paths = dict.fromkeys(path for images in splits.image_sets().values() for path in images.paths)
    return [root / path for path in paths]
