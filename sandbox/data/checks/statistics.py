"""What a data set is like: how its images spread over classes, and what kind of files they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.data.images.files import open_image
from sandbox.errors import SandboxError
from sandbox.evaluation.blocks import evenly
from sandbox.files import Watch, unwatched
from sandbox.wording import counted, reason

_FEW = 12
_BAR = 30


@dataclass(frozen=True)
class Bin:
    """Classes with about as many images."""

    least: int
    most: int
    """Both are counts of images of a class, and belong to the bin."""
    classes: int
    images: int
    """Images that these classes have together."""


def histogram(counts: np.ndarray) -> list[Bin]:
    """Classes by how many images they have: a bin for each count where these are few, else 1, 2-3, 4-7, 8-15 ...

    Args:
        counts: (C,) images of each class, 1 or more.

    Returns:
        Bins from few images to many, those between the first and the last that are empty among them.
    """
    counts = np.asarray(counts, dtype=np.int64)
    values = np.unique(counts)
    if len(values) <= _FEW:
        edges = [(int(value), int(value)) for value in values]
    else:
        powers = range(int(values[0]).bit_length() - 1, int(values[-1]).bit_length())
        edges = [(2**power, 2 ** (power + 1) - 1) for power in powers]
    inside = [counts[(counts >= least) & (counts <= most)] for least, most in edges]
    return [Bin(*edge, len(some), int(some.sum())) for edge, some in zip(edges, inside, strict=True)]


def share_of_largest(counts: np.ndarray, share: float) -> float:
    """Share of the images that the largest classes have.

    Args:
        counts: (C,) images of each class.
        share: of the classes, 0 to 1, rounded up to whole classes.
    """
    ordered = np.sort(counts)[::-1]
    return float(ordered[: int(np.ceil(share * len(ordered) - 1e-9))].sum() / ordered.sum())


def spread_lines(counts: np.ndarray) -> list[str]:
    """The histogram as bars of text, a line for each bin, and how much the largest classes have.

    Args:
        counts: (C,) images of each class, 1 or more.
    """
    bins = histogram(counts)
    high = max(part.classes for part in bins)
    names = [f"{part.least:,}" if part.least == part.most else f"{part.least:,}-{part.most:,}" for part in bins]
    width, lines = max(map(len, names)), []
    for name, part in zip(names, bins, strict=True):
        bar = "█" * max(int(part.classes > 0), round(_BAR * part.classes / high))
        classes = (
            f"{part.classes:>7,} {'class  ' if part.classes == 1 else 'classes'} {part.classes / len(counts):6.1%}"
        )
        lines.append(f"    {name:>{width}} {bar:<{_BAR}} {classes}, {part.images / counts.sum():6.1%} of the images")
    one, ten, half = (f"{share_of_largest(counts, share):.1%}" for share in (0.01, 0.1, 0.5))
    return [*lines, f"    the largest 1% of the classes have {one} of the images, 10% have {ten}, 50% have {half}"]


@dataclass(frozen=True)
class FileKinds:
    """Formats, modes and sizes of files, counted."""

    looked_at: int
    of: int
    formats: Counter[str]
    """Pillow's name of the format, such as JPEG."""
    modes: Counter[str]
    """Pillow's mode, such as L (grey) or RGB."""
    sizes: Counter[tuple[int, int]]
    """Width and height, pixels, as they are stored."""


def file_kinds(files: Sequence[Path], *, most: int = 2000, watch: Watch = unwatched) -> FileKinds:
    """Read the headers of the files, or of `most` of them spread evenly over the list.

    Raises:
        SandboxError: a file vanished or is no image any more.
    """
    places = evenly(len(files), most)
    kinds = FileKinds(len(places), len(files), Counter(), Counter(), Counter())
    for file in watch([files[place] for place in places], "headers"):
        try:
            with open_image(file) as image:
                kinds.formats[image.format or "unknown"] += 1
                kinds.modes[image.mode] += 1
                kinds.sizes[image.size] += 1
        except OSError as error:
            raise SandboxError(f"cannot read {file} any more: {reason(error)}") from None
    return kinds


def kind_lines(kinds: FileKinds) -> list[str]:
    """Formats, modes and sizes as text; of one file or more."""
    widths, heights = zip(*kinds.sizes, strict=True)
    common = ", ".join(f"{width}x{height} {count:,}" for (width, height), count in kinds.sizes.most_common(3))
    more = f" and {len(kinds.sizes) - 3:,} more" if len(kinds.sizes) > 3 else ""
    part = "" if kinds.looked_at == kinds.of else f"{kinds.looked_at:,} evenly spread of "
    return [
        f"files: {part}{kinds.of:,}",
        *(
            f"    {name}: {', '.join(f'{key} {count:,}' for key, count in found.most_common())}"
            for name, found in (("formats", kinds.formats), ("modes", kinds.modes))
        ),
        f"    sizes: {common}{more}",
        f"    widths {min(widths):,} to {max(widths):,}, heights {min(heights):,} to {max(heights):,} pixels",
    ]


def row_lines(rows: np.ndarray) -> list[str]:
    """What rows of numbers (N, 1, 1, D) are like, as text: their lengths, and how alike two of them are."""
    some = np.asarray(rows[evenly(len(rows), 2000)], np.float64).reshape(-1, rows.shape[-1])
    lengths = np.linalg.norm(some, axis=1)
    unit = some / np.maximum(lengths, 1e-300)[:, None]
    part = "all" if len(some) == len(rows) else f"{len(some):,} evenly spread"
    mean = np.linalg.norm(unit.mean(axis=0))
    zeros = int((lengths == 0).sum())
    return [
        f"rows of {rows.shape[-1]:,} numbers, of {part} of the {len(rows):,} training rows:",
        f"    lengths {lengths.min():.4g} to {lengths.max():.4g}, half of them below {np.median(lengths):.4g}"
        + (f"; {counted(zeros, 'row is', 'rows are')} zero" if zeros else ""),
        f"    their mean direction has length {mean:.4f} (0: they point everywhere, 1: all one way)",
    ]
