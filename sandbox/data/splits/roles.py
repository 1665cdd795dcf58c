"""What the columns of images say of a search: which ask, which are searched, and which camera saw each."""

from __future__ import annotations

import numpy as np

from sandbox.data.images.image_set import ImageSet
from sandbox.errors import SandboxError
from sandbox.evaluation.roles import Roles
from sandbox.wording import printable

CAMERA, QUERY, GALLERY = "camera", "is_query", "is_gallery"
"""Columns, as open-metric-learning names those of its tables."""
_YES, _NO = ("true", "1", "1.0", "yes"), ("false", "0", "0.0", "no", "none", "nan", "")


def roles_of(images: ImageSet) -> Roles | None:
    """The roles of images; None where each searches all others, and no camera is known.

    Where no image is marked as a query or as of the gallery, each is both. An image without a camera has one of its
    own.

    Raises:
        SandboxError: a mark is neither yes nor no, or there are queries and no gallery, or a gallery and no queries.
    """
    query, gallery = (_marked(images, name) for name in (QUERY, GALLERY))
    camera = _cameras(images)
    if not query.any() and not gallery.any():
        return None if camera is None else Roles.among_all(camera)
    for name, marks, other in ((QUERY, query, GALLERY), (GALLERY, gallery, QUERY)):
        if not marks.any():
            raise SandboxError(f"images are marked in the column {other}, but none is in {name}: a search needs both")
    return None if camera is None and query.all() and gallery.all() else Roles(query, gallery, camera)


def _marked(images: ImageSet, name: str) -> np.ndarray:
    """(N,) bool; all False without such a column."""
    column = images.columns.get(name)
    if column is None:
        return np.zeros(len(images), bool)
    words = np.char.lower(np.char.strip(column))
    wrong = np.flatnonzero(~np.isin(words, (*_YES, *_NO)))
    if len(wrong):
        raise SandboxError(
            f"the column {name} says '{printable(str(column[wrong[0]]))[:60]}' of {printable(images.paths[wrong[0]])}, "
            "but is True or False"
        )
    return np.isin(words, _YES)


def _cameras(images: ImageSet) -> np.ndarray | None:
    """(N,) int64; None where none is known."""
    column = images.columns.get(CAMERA)
    if column is None or not len(images) or not (column != "").any():
        return None
    names, numbers = np.unique(column, return_inverse=True)
    alone = np.arange(len(column)) + len(names)
    return np.where(column == "", alone, numbers).astype(np.int64)
