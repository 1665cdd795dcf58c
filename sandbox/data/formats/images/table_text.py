"""A split as a table of images, in open-metric-learning's columns: what `image_table` reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from sandbox.data.images.image_set import ImageSet
from sandbox.data.images.picture import without_box

_FIRST = ("label", "path", "split", "is_query", "is_gallery")
_PARTS = {"train": "train", "val": "validation", "test": "test"}
_ROLE = {"1": "True", "0": "False", "": ""}


def table_text(parts: dict[str, ImageSet]) -> str:
    """The rows of train, val and test as CSV: what else is known of the images stands in further columns.

    An image that is not trained on is a query and in the gallery, where its set does not say otherwise. Labels are the
    names of classes.

    Args:
        parts: images by the part they are in; others than the three are left out.
    """
    names = dict.fromkeys(name for part in _PARTS for name in parts[part].columns if name not in _FIRST)
    # A line that begins with # would be a comment.
    marked = any(name.startswith("#") for part in _PARTS for name in parts[part].classes)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if marked else csv.QUOTE_MINIMAL)
    writer.writerow([*_FIRST, *names])
    for part in _PARTS:
        writer.writerows(_rows(part, parts[part], list(names)))
    return text.getvalue()


def _rows(part: str, images: ImageSet, names: list[str]) -> Iterator[list[str]]:
    roles = [images.columns.get(name) for name in ("is_query", "is_gallery")]
    roles = [None if role is None or not (role != "").any() else role for role in roles]
    known = [images.columns.get(name) for name in names]
    for row, (label, path) in enumerate(zip(images.labels, images.paths, strict=True)):
        said = ["" if part == "train" else "True" if role is None else _ROLE[role[row]] for role in roles]
        more = ["" if column is None else str(column[row]) for column in known]
        yield [images.classes[label], without_box(path), _PARTS[part], *said, *more]
