from __future__ import annotations

import numpy as np
import pytest

from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.roles import roles_of
from sandbox.errors import SandboxError


def images(**columns: list[str]) -> ImageSet:
    return ImageSet(
        pixels=np.zeros((4, 2, 2, 1), np.uint8),
        labels=np.array([0, 0, 1, 1]),
        classes=("a", "b"),
        paths=("0", "1", "2", "3"),
        columns={name: np.array(column, dtype=str) for name, column in columns.items()},
    )


def test_without_columns_each_searches_all_others() -> None:
    assert roles_of(images()) is None and roles_of(images(category=["x"] * 4)) is None
    assert roles_of(images(camera=[""] * 4, is_query=["False"] * 4)) is None
    assert roles_of(images(is_query=["1"] * 4, is_gallery=["1"] * 4)) is None


def test_cameras_alone() -> None:
    roles = roles_of(images(camera=["c2", "", "c1", ""]))
    assert roles is not None and roles.query.all() and roles.gallery.all() and roles.camera is not None
    assert len(set(roles.camera.tolist())) == 4  # an image without a camera has one of its own
    assert str(roles) == "each of 4 images searches all others, the same class in the same camera left out"


@pytest.mark.parametrize(("yes", "no"), [("True", "False"), ("1", "0"), ("1.0", ""), (" true ", "nan")])
def test_marks_as_tables_have_them(yes: str, no: str) -> None:
    roles = roles_of(images(is_query=[yes, no, no, no], is_gallery=[no, yes, yes, yes]))
    assert roles is not None and roles.camera is None
    assert roles.query.tolist() == [True, False, False, False] and roles.gallery.tolist() == [False, True, True, True]
    assert str(roles) == "1 queries search a gallery of 3"


def test_marks_that_say_nothing_are_refused() -> None:
    with pytest.raises(SandboxError, match="the column is_query says 'maybe' of 1, but is True or False"):
        roles_of(images(is_query=["1", "maybe", "", ""]))
    with pytest.raises(SandboxError, match="marked in the column is_query, but none is in is_gallery"):
        roles_of(images(is_query=["1", "0", "0", "0"]))
    with pytest.raises(SandboxError, match="marked in the column is_gallery, but none is in is_query"):
        roles_of(images(is_gallery=["1", "0", "0", "0"]))
