from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.data.catalog import load
from sandbox.data.splits.roles import roles_of
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

Write = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path, write_image: Write) -> Path:
    lines = []
    for item in range(1, 10):
        for view in range(3):
            part = "train" if item < 6 else "query" if view == 0 else "gallery"
            path = f"img/WOMEN/Dresses/id_{item:08d}/02_{view}_front.jpg"
            write_image(tmp_path / path, seed=10 * item + view, mode="RGB")
            lines.append(f"{path:<60} id_{item:08d}    {part}")
    (tmp_path / "Eval").mkdir()
    text = "\n".join([str(len(lines)), "image_name item_id evaluation_status", *lines])
    (tmp_path / "Eval" / "list_eval_partition.txt").write_text(text + "\n")
    return tmp_path


def read(root: Path) -> Splits:
    return load(DataSpec(name="in_shop", root=str(root), image_size=16, validation=0.4))


@pytest.mark.parametrize("place", [".", "Img", "Eval"])
def test_queries_search_the_gallery(root: Path, place: str) -> None:
    (root / place).mkdir(exist_ok=True)
    (root / "img").rename(root / place / "img")
    splits = read(root)
    assert splits.test.classes == tuple(f"id_{item:08d}" for item in range(6, 10))
    assert set(splits.test.counts) == {3}
    assert {*splits.train.classes, *splits.val.classes} == {f"id_{item:08d}" for item in range(1, 6)}
    assert len(splits.val.classes) == 2
    roles = roles_of(splits.test)
    assert roles is not None and roles.camera is None and roles_of(splits.val) is None
    assert roles.query.tolist() == [path.endswith("02_0_front.jpg") for path in splits.test.paths]
    assert (roles.gallery == ~roles.query).all() and roles.query.sum() == 4


def test_lists_that_do_not_fit(root: Path) -> None:
    file = root / "Eval" / "list_eval_partition.txt"
    text = file.read_text()
    file.write_text(text.replace("    query", "    querry", 1))
    with pytest.raises(SandboxError, match=r"line 18 says 'querry'; did you mean 'query'\?; a line ends in"):
        read(root)
    file.write_text(text.replace("    query", "    gallery"))
    with pytest.raises(SandboxError, match="names no query images, and a test is made of both, query and gallery"):
        read(root)
    file.write_text(text)
    (root / "img" / "WOMEN" / "Dresses" / "id_00000002" / "02_2_front.jpg").unlink()
    with pytest.raises(SandboxError, match=r"names 1 image that is not in .*02_2_front\.jpg \(line 8\)"):
        read(root)
