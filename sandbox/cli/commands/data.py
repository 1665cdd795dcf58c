"""Look at data before training on it: python experiments/data.py show --data.name folder --data.root PATH."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from sandbox.called import RECIPES, called
from sandbox.cli import flags
from sandbox.cli.help import overview
from sandbox.cli.outputs import file_named
from sandbox.cli.progress import watched
from sandbox.cli.say import say
from sandbox.cli.tables import print_rows
from sandbox.data.catalog import data_kinds
from sandbox.errors import Interrupted, SandboxError, unknown
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.specs import AugmentSpec, DataSpec, Recipe
from sandbox.recipe.text import load
from sandbox.training.stopping import listen

if TYPE_CHECKING:
    import numpy as np

    from sandbox.data.splits.splits import Splits

PROG = called("data")


@dataclass(frozen=True, kw_only=True)
class Show:
    """What `show` takes."""

    data: DataSpec = DataSpec()
    augment: AugmentSpec = AugmentSpec()
    recipe: str = ""
    """A recipe by name (sandbox/recipes/NAME.toml) or FILE.toml, for its data; other flags go over it."""
    split: Literal["train", "val", "test"] = "train"
    """Which split."""
    classes: int = 12
    """Rows at most, drawn by the seed."""
    images: int = 8
    """Images a row at most, drawn by the seed."""
    augmented: bool = False
    """A row for one image of each class: as it is, then changed as training would, --images times."""
    seed: int = 0
    """Draws classes and images, and with --augmented the changes."""
    out: str = "grid.png"
    """The PNG to write."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """What `check` takes."""

    data: DataSpec = DataSpec()
    recipe: str = ""
    """A recipe by name (sandbox/recipes/NAME.toml) or FILE.toml, for its data; other flags go over it."""
    strict: bool = False
    """End with exit code 1 where anything was found."""


@dataclass(frozen=True, kw_only=True)
class Stats:
    """What `stats` takes."""

    data: DataSpec = DataSpec()
    recipe: str = ""
    """A recipe by name (sandbox/recipes/NAME.toml) or FILE.toml, for its data; other flags go over it."""


@dataclass(frozen=True, kw_only=True)
class Align:
    """What `align` takes."""

    src: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SRC", help_behavior_hint="(required)")] = ""
    """The folder of photographs, in it or in folders below it."""
    dst: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="DST", help_behavior_hint="(required)")] = ""
    """The folder to write: not there, empty, or of an earlier run with the same settings, which is gone on with."""
    size: int = 112
    """Side of an aligned face, pixels."""
    min_face: int = 20
    """The smallest face that is sought, pixels of the photograph; in one longer than 1,024 pixels 20 of 1,024."""
    without_face: Literal["leave", "middle"] = "leave"
    """A photograph in which no face is found: leave it out, or take the square in its middle, half as wide as its
    shorter side, so that lists of names stay whole."""
    device: str = "cpu"
    """Where faces are sought: cpu, cuda or cuda:N."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """What `table` takes."""

    root: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="ROOT")] = ""
    """The folder of the data set; without it --data.root says where that is, or nothing where it is downloaded."""
    out: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="OUT.csv", help_behavior_hint="(required)")] = ""
    """The list to write."""
    data: DataSpec = DataSpec()
    recipe: str = ""
    """A recipe by name (sandbox/recipes/NAME.toml) or FILE.toml, for its data; other flags go over it."""


WHAT = {
    "show": "Draw a picture of a split as the network gets it: a row for each class, a cell for each image.",
    "check": (
        "Look for unreadable, tiny and duplicate files, for images that stand in two splits or two classes (mirrored "
        "ones as well), for classes of one image and classes in two splits."
    ),
    "stats": "Count images, classes, images a class, kinds of files and pixel values.",
    "table": (
        "Write a data set whose images are files as a list, OUT.csv: label, path, split and what else is known of each "
        "image, in the columns of open-metric-learning (which itself asks for numbers as labels, and for no parts but "
        "train and validation). --data.name table reads it."
    ),
    "align": (
        "Find the face of each photograph (MTCNN; of several the largest near the middle), bring its eyes, nose and "
        "mouth to where ArcFace has them, and write it under the same relative path in another folder, whose "
        "aligned.csv says what became of each photograph."
    ),
}


def main(argv: Sequence[str]) -> None:
    """Read what to do and its flags, and do it."""
    if not argv or argv[0] in ("-h", "--help"):
        usage = [f"{PROG} WHAT [--data.name NAME] [--data.root PATH] ...", f"{PROG} table ROOT OUT.csv ..."]
        usage.append(f"{PROG} align SRC DST ...")
        last = f"{PROG} WHAT --help lists the flags; the settings of --data are those of run.py."
        return say(overview(usage, WHAT, last))
    if argv[0] not in WHAT:
        raise unknown("thing to do", argv[0], WHAT, f"{PROG} --help says what each does")
    {"show": show, "check": check, "stats": stats, "table": table, "align": align}[argv[0]](argv[1:])


def show(argv: Sequence[str]) -> None:
    """Draw classes and images of a split."""
    base = _base(argv)
    command = flags.parse(
        Show, argv, prog=f"{PROG} show", description=WHAT["show"], default=Show(data=base.data, augment=base.augment)
    )
    out = file_named("--out", flags.value(argv, "--out") or command.out, ".png")
    if command.seed < 0:
        raise SandboxError(f"--seed is {command.seed}, but is at least 0")
    splits = _load(command.data, command.augment)
    from sandbox.reporting.plots.contact_sheet import augmented_rows, class_rows, draw_sheet
    from sandbox.reporting.plots.lettering import not_written

    images = {"train": splits.train, "val": splits.val, "test": splits.test}[command.split]
    if images.are_rows:
        raise SandboxError(f"data set '{command.data.name}' holds rows of numbers, which cannot be drawn")
    if command.augmented:
        from sandbox.data.augment import Augment

        mirror = command.augment.flip == "yes" or (command.augment.flip == "auto" and splits.mirror)
        augment = Augment(command.augment, mirror, command.seed)
        rows = augmented_rows(images, augment, classes=command.classes, shown=command.images, seed=command.seed)
    else:
        rows = class_rows(images, classes=command.classes, shown=command.images, seed=command.seed)
    title = f"{command.data.name}, {command.split}: {len(rows)} of {len(images.classes):,} classes, "
    title += images.form + ("; first as it is, then as training changes it" if command.augmented else "")
    draw_sheet(rows, out, title, first_apart=command.augmented)
    for note in not_written([text for row in rows for text in (row.name, row.detail)]):
        say(f"note: {note}", file=sys.stderr)
    say(f"{out}: {title}")


def check(argv: Sequence[str]) -> None:
    """Say what is wrong with a data set."""
    default = Check(data=_base(argv).data)
    command = flags.parse(Check, argv, prog=f"{PROG} check", description=WHAT["check"], default=default)
    splits = _load(command.data)
    from sandbox.data.checks import splits as checks
    from sandbox.wording import counted

    checked = checks.check(command.data, splits, watched)
    found = checked.findings
    print_head(command.data, splits, besides={finding.text for finding in found})
    unused = f"; {checked.unused:,} more can be read and are in no split" if checked.unused else ""
    none = "one, of rows" if splits.train.are_rows else "none, the data set is embedded"
    say(f"files: {checked.files:,}{unused}" if checked.files else f"files: {none}")
    if splits.closed_set:
        say("closed set: every class of val and test is trained on, as the split is meant to be")
    for finding in found:
        say(f"\n{finding.rule}: {finding.text}")
        for example in finding.examples:
            say(f"    {example}")
        if finding.examples and finding.count > len(finding.examples):
            say("    ...")
    say(f"\n{counted(len(found), 'kind', 'kinds')} of findings" if found else "\nnothing found")
    if found and command.strict:
        sys.exit(1)


def stats(argv: Sequence[str]) -> None:
    """Say what a data set is like."""
    default = Stats(data=_base(argv).data)
    command = flags.parse(Stats, argv, prog=f"{PROG} stats", description=WHAT["stats"], default=default)
    splits = _load(command.data)
    import numpy as np

    from sandbox.data.catalog import files_of
    from sandbox.data.checks.statistics import file_kinds, kind_lines, spread_lines
    from sandbox.data.images.pixels import pixel_statistics

    counts = np.array(list(splits.class_counts().values()))
    print_head(command.data, splits)
    print_splits(splits, counts)
    say("images a class (train, val and test together):")
    say("\n".join(spread_lines(counts)))
    files = files_of(command.data, splits)
    if files:
        say("\n" + "\n".join(kind_lines(file_kinds(files, watch=watched))))
    if splits.train.are_rows:
        from sandbox.data.checks.statistics import row_lines

        return say("\n" + "\n".join(row_lines(splits.train.pixels)))
    mean, std = pixel_statistics(splits.train.pixels, splits.train.labels, "dataset")
    some = "2,000 evenly spread" if len(splits.train) > 2000 else "all"
    say(f"\npixels, 0 to 1, of {some} of the {len(splits.train):,} training images, each channel:")
    say(f"    mean {' '.join(f'{value:.4f}' for value in mean)}")
    say(f"    std  {' '.join(f'{value:.4f}' for value in std)}")


def table(argv: Sequence[str]) -> None:
    """Write a data set as a list of images."""
    default = Table(data=_base(argv).data)
    command = flags.parse(Table, argv, prog=f"{PROG} table", description=WHAT["table"], default=default)
    flags.quiet_libraries()
    from sandbox.cli.image_table import write_table

    say("\n".join(write_table(command.data, (command.root, command.out))))


def align(argv: Sequence[str]) -> None:
    """Write the aligned faces of a tree of photographs."""
    command = flags.parse(Align, argv, prog=f"{PROG} align", description=WHAT["align"])
    for flag, value, least, most in (("--size", command.size, 8, 1024), ("--min_face", command.min_face, 12, 10_000)):
        if not least <= value <= most:
            raise SandboxError(f"{flag} is {value}, but lies between {least:,} and {most:,}")
    if not (command.src and command.dst):
        raise SandboxError(f"align takes two folders, SRC with photographs and DST to write ({PROG} align --help)")
    flags.quiet_libraries()
    from sandbox.data.faces.record import LISTING
    from sandbox.data.faces.tree import align_tree
    from sandbox.training.device import choose_device

    source, destination = (Path(value).expanduser() for value in (command.src, command.dst))
    device = choose_device(command.device)
    if device.type == "mps":
        raise SandboxError(f"--device {command.device} is mps here, on which MTCNN has not been tried; give cpu")
    try:
        with listen():
            outcome = align_tree(
                source, destination, command.size, command.min_face, device, watched, command.without_face
            )
    except Interrupted as stop:
        say(f"interrupted; the same command goes on: {flags.program()}", file=sys.stderr)
        stop.said = True
        raise
    say("\n".join(outcome.lines()))
    say(f"{destination}: {command.size}x{command.size} pixels; {LISTING} there says what became of each")


def print_head(spec: DataSpec, splits: Splits, besides: set[str] | frozenset[str] = frozenset()) -> None:
    """One line on the whole, and what loading had to say, but for what is said elsewhere."""
    sets = splits.image_sets()
    where = f" in {spec.root}" if spec.root else ""
    total = sum(map(len, sets.values()))
    say(f"{spec.name}{where}: {total:,} images of {len(splits.class_counts()):,} classes, {splits.train.form}")
    say("split: " + ", ".join(f"{name} {len(images):,}" for name, images in sets.items()) + f"; {splits.digest}")
    for note in splits.notes:
        if note not in besides:
            say(f"note: {note}")


def print_splits(splits: Splits, counts: np.ndarray) -> None:
    """A table: images and classes of each split, and how many images a class has."""
    import numpy as np

    sizes = {name: images.counts for name, images in splits.image_sets().items()}
    rows = []
    for name, own in {**sizes, "train, val and test": counts}.items():
        spread = [f"{own.min():,}", f"{np.median(own):,g}", f"{own.max():,}"]
        rows.append((name, f"{own.sum():,}", f"{len(own):,}", *spread, f"{(own == 1).sum():,}"))
    names = ("", "images", "classes", "min", "median", "max", "classes of one image")
    print_rows(names, rows, right=range(1, len(names)))


def _base(argv: Sequence[str]) -> Recipe:
    named = flags.value(argv, "--recipe")
    return load(named, RECIPES, data_kinds()) if named else Recipe()


def _load(data: DataSpec, augment: AugmentSpec | None = None) -> Splits:
    check_ranges(Recipe(data=data, augment=augment or AugmentSpec()))
    flags.quiet_libraries()
    from sandbox.data.catalog import load as load_data

    return load_data(data)
