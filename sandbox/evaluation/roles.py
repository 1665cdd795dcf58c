"""`Roles`: which rows ask, which are searched, and which camera saw each."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Roles:
    """What each of N rows is in a search, as re-identification parts them.

    A row never finds itself. Where cameras are known, a query's own class in its own camera does not count either way:
    it is neither a match nor in the way (Zheng et al., "Scalable Person Re-identification: A Benchmark", ICCV 2015).

    Raises:
        ValueError: arrays of different length.
    """

    query: np.ndarray = field(repr=False)
    """(N,) bool, rows that ask."""
    gallery: np.ndarray = field(repr=False)
    """(N,) bool, rows that are searched."""
    camera: np.ndarray | None = field(default=None, repr=False)
    """(N,) int64; None where no camera is known."""

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together."""
        if self.query.shape != self.gallery.shape or (
            self.camera is not None and self.camera.shape != self.query.shape
        ):
            raise ValueError("query, gallery and camera must be (N,) of the same N")

    @classmethod
    def among_all(cls, camera: np.ndarray) -> Roles:
        """Each row searches all others, by their cameras (N,) int64."""
        every = np.ones(len(camera), bool)
        return cls(every, every, camera)

    def __len__(self) -> int:
        """How many rows."""
        return len(self.query)

    def __str__(self) -> str:
        """'12 queries search a gallery of 40 images, ...'."""
        cameras = "" if self.camera is None else ", the same class in the same camera left out"
        if self.query.all() and self.gallery.all():
            return f"each of {len(self):,} images searches all others{cameras}"
        return f"{int(self.query.sum()):,} queries search a gallery of {int(self.gallery.sum()):,}{cameras}"


def stacked(queries: int, gallery: int, camera: np.ndarray | None, gallery_camera: np.ndarray | None) -> Roles:
    """The roles of queries and a gallery that lie apart, one after the other.

    Args:
        queries: how many rows ask.
        gallery: how many are searched, behind them.
        camera: (queries,) int64, or None.
        gallery_camera: (gallery,) int64, where the queries have cameras.
    """
    asks = np.arange(queries + gallery) < queries
    cameras = None if camera is None or gallery_camera is None else np.concatenate([camera, gallery_camera])
    return Roles(asks, ~asks, cameras)


def matches(y: np.ndarray, roles: Roles) -> np.ndarray:
    """(N,) int64: how many gallery rows each query may find; 0 for rows that do not ask.

    Args:
        y: (N,) integer labels.
        roles: of the rows.
    """
    labels = np.unique(y, return_inverse=True)[1]
    camera = np.arange(len(y)) if roles.camera is None else np.unique(roles.camera, return_inverse=True)[1]
    own = np.unique(labels * (int(camera.max(initial=0)) + 1) + camera, return_inverse=True)[1]
    of_class, of_both = (np.bincount(group[roles.gallery], minlength=len(y)) for group in (labels, own))
    return np.where(roles.query, of_class[labels] - of_both[own], 0).astype(np.int64)
