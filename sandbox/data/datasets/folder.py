"""A person's own images: a folder per class under a root."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.images.archives import is_archive, unpacked
from sandbox.data.images.files import subfolders, visible
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import ImageSet, read_rows, without_small
from sandbox.data.images.levels import level_notes
from sandbox.data.images.listing import Listing
from sandbox.data.images.parts import ROLES, Parts, holds_images, parts_of
from sandbox.data.names import joined_notes, same_name
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.held import held_out
from sandbox.data.splits.remarks import also_trained_on, single_class
from sandbox.data.splits.splits import Splits, given, refuse_lone_images
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import counted, first_names


def load(spec: DataSpec) -> Splits:
    """Read a folder per class; a class folder may hold folders of its own, which belong to it.

    Where the root holds train/, val/ (valid/, validation/) and test/ with class folders in them, that split is taken,
    unless `data.split` says class or sample: then the parts are pooled and parted anew. Where val/ is not there, it is
    drawn out of train/. `Parts` says what is a part.

    Raises:
        SandboxError: no class folders, no images, too few of either, or parts of a set some of which have no classes.
    """
    root = Path(spec.root).expanduser()
    parts = parts_of(root)
    tops = _tops(parts)
    if spec.split == "given" or (spec.split == "auto" and tops):
        splits = _load_given(root, spec, parts)
    else:
        images, notes = _read(root, tops or [root], spec)
        part = sample_disjoint if spec.split == "sample" else class_disjoint
        splits = part(images, spec.validation, spec.test, spec.split_seed, notes=[*notes, *_pooled(parts, tops)])
    more = [*parts.notes(), *level_notes([images.pixels for images in splits.image_sets().values()])]
    return replace(splits, notes=(*splits.notes, *more))


def _tops(parts: Parts) -> list[Path]:
    """The parts whose folders are classes: train, val and test first; none where the root's own folders are.

    Raises:
        SandboxError: parts without class folders beside some with them, two parts of one role, or a part among classes.
    """
    roles = parts.roles
    if len(roles) == len(ROLES):
        return list(roles.values())
    parts.refuse_unlabelled("data.root")
    if len(parts.whole) == 1 and parts.others:
        raise SandboxError(
            f"{parts.root} holds {parts.names(parts.whole)} with class folders in it, as a part of a set does, beside "
            f"{parts.names(parts.others)}; is {parts.meant} the data.root that is meant? (a class of that name would "
            "hold its images itself)"
        )
    if len(parts.whole) < 2:
        return []  # one part alone is no split: the error over the root's one class names it
    return [*roles.values(), *(part for part in parts.whole if part not in roles.values())]


def _pooled(parts: Parts, tops: list[Path]) -> list[str]:
    """A sentence on parts that are pooled although they are no train, val or test, and one on what is beside them."""
    more = [part for part in tops if part not in parts.roles.values()]
    said = [f"{parts.names(tops)} are pooled, and parted anew"] if more else []
    return said + _beside(parts, tops)


def _beside(parts: Parts, tops: list[Path]) -> list[str]:
    if not tops:
        return []
    rest = [folder for folder in (*parts.whole, *parts.flat, *parts.others) if folder not in tops]
    return [f"beside the parts of the set, and left out: {parts.names(rest)}"] if rest else []


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
    tops = list(dict.fromkeys(folder.parent for folder in folders)) or [root]
    listing = Listing.below(root, *folders, *tops)
    for top in tops:
        listing.around(top)
    found = {folder: listing.images(folder) for folder in folders}
    rows = sorted((name, file) for name, folder in classes for file in found[folder])
    if not rows:
        raise SandboxError(_nothing_found(root, len(classes), listing))
    images, notes = read_rows(root, rows, form)
    notes += listing.twice()
    empty = sorted({name for name, _ in classes} - set(images.classes))
    if empty:
        folders_left = counted(len(empty), "folder", "folders")
        notes.append(f"{folders_left} without readable images left out: {first_names(empty)}")
    notes += listing.passed.sentences("the class folders")
    if len(images.classes) < 2:
        raise SandboxError(_one_class(root, images))
    images, small = without_small(images, least)
    return images, [*joined, *notes, *small]


def _load_given(root: Path, spec: DataSpec, parts: Parts) -> Splits:
    roles = parts.roles
    missing = [role for role in ROLES if role not in roles]
    if missing not in ([], ["val"]):
        wanted = ", ".join("/ or ".join(ROLES[name]) + "/" for name in missing)
        have = f"has {parts.names(parts.whole)} but no" if parts.whole else "has no"
        raise SandboxError(
            f"{root} {have} {wanted} with a folder per class inside, so it gives no split; "
            "add them, or point data.root at the folder that holds the classes"
        )
    images, notes = _read(root, list(roles.values()), spec)
    notes += _beside(parts, list(roles.values()))
    sets = {
        role: images.take([place for place, path in enumerate(images.paths) if path.startswith(parts.name(part))])
        for role, part in roles.items()
    }
    if missing:
        sets["train"], sets["val"], said = held_out(sets["train"], sets["test"], spec)
        notes += [said, *single_class("validation", sets["val"])]
    splits = given(*(sets[role] for role in ROLES), notes=notes)
    refuse_lone_images(splits)
    if not splits.closed_set:
        notes += also_trained_on("validation", splits.val, splits.train)
        notes += also_trained_on("test", splits.test, splits.train)
    return replace(splits, notes=tuple(notes))


def _nothing_found(root: Path, folders: int, listing: Listing) -> str:
    passed = listing.notes("the class folders")
    loose = len(listing.passed.beside)
    if loose and not folders:
        return f"{root} holds {counted(loose, 'image', 'images')} but no class folders with images; " + (
            "give each class a folder of its own"
        )
    why = f" ({'; '.join(passed)})" if passed else ""
    archives = [entry for entry in visible(root) if entry.is_file() and is_archive(entry)]
    if archives:
        return (
            f"{root} holds no images, but the archive {archives[0].name}; unpack it, and give {unpacked(archives[0])}"
        )
    if folders:
        return f"none of the {folders:,} folders in {root} holds an image{why}"
    return f"{root} is empty; a folder per class was looked for, with images in it{why}"


def _one_class(root: Path, images: ImageSet) -> str:
    inner = _set_below(root)
    hint = f"; is {inner} the root that is meant?" if inner else ""
    return f"{root} holds one class folder with images ('{images.classes[0]}'), but two are needed{hint}"


def _set_below(root: Path) -> Path | None:
    """The first folder below that holds two folders of images, as a set does that lies a folder or two deeper."""
    level = subfolders(root)
    for _ in range(3):
        for folder in level:
            if sum(map(holds_images, subfolders(folder))) > 1:
                return folder
        level = [inner for folder in level for inner in subfolders(folder)]
    return None


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
