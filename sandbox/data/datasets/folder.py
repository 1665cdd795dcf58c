"""A person's own images: a folder per class under a root."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.images.files import ENDINGS, Listing, is_image, subfolders, visible
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import ImageSet, read_rows, without_small
from sandbox.data.names import joined_notes, same_name
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.splits import Splits, given, refuse_lone_images
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import counted, first_names

_PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}


def load(spec: DataSpec) -> Splits:
    """Read a folder per class; a class folder may hold folders of its own, which belong to it.

    Where the root holds train/, val/ (valid/, validation/) and test/ with class folders in them, that split is taken,
    unless `data.split` says class or sample: then the three are pooled and parted anew.

    Raises:
        SandboxError: no class folders, no images, or too few of either.
    """
    root = Path(spec.root).expanduser()
    parts = _given_parts(root)
    if spec.split == "given" or (spec.split == "auto" and parts):
        return _load_given(root, spec, parts)
    images, notes = _read(root, list(parts.values()) or [root], spec)
    part = sample_disjoint if spec.split == "sample" else class_disjoint
    return part(images, spec.validation, spec.test, spec.split_seed, notes=notes)


def _read(root: Path, tops: list[Path], spec: DataSpec) -> tuple[ImageSet, list[str]]:
    classes = [(folder.name, folder) for top in tops for folder in subfolders(top)]
    return read_classes(root, classes, Form.of(spec), spec.min_images)


def read_classes(
    root: Path,
    classes: list[tuple[str, Path]],
    form: Form,
    least: int,
) -> tuple[ImageSet, list[str]]:
    """Read class folders; images of folders with one class name become one class.

    Args:
        root: what paths are relative to.
        classes: class name and folder.
        form: what images are brought to.
        least: classes with fewer readable images are left out.

    Returns:
        The images, sorted by class and path, and sentences on what was left out.

    Raises:
        SandboxError: fewer than two classes have enough readable images.
    """
    joined = joined_notes(name for name, _ in classes)
    classes = [(same_name(name) or name, folder) for name, folder in classes]
    folders = [folder for _, folder in classes]
    listing = Listing.below(root, *folders, *(folder.parent for folder in folders))
    found = {folder: listing.images(folder) for folder in folders}
    rows = sorted((name, file) for name, folder in classes for file in found[folder])
    if not rows:
        raise SandboxError(_nothing_found(root, len(classes)))
    images, notes = read_rows(root, rows, form)
    if listing.repeated:
        notes.append(f"{counted(listing.repeated, 'file is', 'files are')} met under a second name and counted once")
    empty = sorted({name for name, _ in classes} - set(images.classes))
    if empty:
        folders_left = counted(len(empty), "folder", "folders")
        notes.append(f"{folders_left} without readable images left out: {first_names(empty)}")
    if len(images.classes) < 2:
        raise SandboxError(_one_class(root, images))
    images, small = without_small(images, least)
    return images, [*joined, *notes, *small]


def _load_given(root: Path, spec: DataSpec, parts: dict[str, Path]) -> Splits:
    missing = [name for name in _PARTS if name not in parts]
    if missing:
        wanted = ", ".join("/ or ".join(_PARTS[name]) + "/" for name in missing)
        have = f"has {', '.join(folder.name + '/' for folder in parts.values())} but no" if parts else "has no"
        raise SandboxError(
            f"{root} {have} {wanted} with a folder per class inside, so it gives no split; "
            "add them, or point data.root at the folder that holds the classes"
        )
    images, notes = _read(root, list(parts.values()), spec)
    sets = [
        images.take([place for place, path in enumerate(images.paths) if path.startswith(f"{part.name}/")])
        for part in parts.values()
    ]
    splits = given(*sets, notes=notes)
    refuse_lone_images(splits)
    learnt = set(splits.train.classes)
    for name, split in (("validation", splits.val), ("test", splits.test)):
        both = len(learnt & set(split.classes))
        if both and not splits.closed_set:
            notes.append(f"trained on as well: {both:,} of the {len(split.classes):,} {name} classes")
    return replace(splits, notes=tuple(notes))


def _given_parts(root: Path) -> dict[str, Path]:
    """Part name -> folder; nothing where at most one is there, which is then a class that happens to be called so."""
    found = {
        part: folder
        for part, names in _PARTS.items()
        for folder in reversed(subfolders(root))
        if folder.name.lower() in names and subfolders(folder) and not any(is_image(entry) for entry in visible(folder))
    }
    return found if "train" in found and len(found) > 1 else {}


def _nothing_found(root: Path, folders: int) -> str:
    endings = ", ".join(ENDINGS)
    loose = sum(is_image(entry) for entry in visible(root))
    if loose:
        images = counted(loose, "image", "images")
        return f"{root} holds {images} but no class folders with images; give each class a folder of its own"
    if folders:
        return f"none of the {folders:,} folders in {root} holds an image ({endings})"
    return f"{root} is empty; a folder per class was looked for, with images in it ({endings})"


def _one_class(root: Path, images: ImageSet) -> str:
    inner = [entry for entry in subfolders(root) if len(subfolders(entry)) > 1]
    hint = f"; is {inner[0]} the root that is meant?" if inner else ""
    return f"{root} holds one class folder with images ('{images.classes[0]}'), but two are needed{hint}"


DATA_SET = DataSet(
    name="folder",
    load=load,
    line="your own images: a folder per class under data.root, or such folders in train/, val/ and test/",
    citation="",
    source="folder",
    has_files=True,
    image_size=64,
    splits=("auto", "class", "sample", "given"),
)
