"""InsightFace's training sets as they are published: `train.rec`, `train.idx` and `property` in one folder."""

from __future__ import annotations

from pathlib import Path

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.formats.images.recordio import read_records
from sandbox.data.images.files import base_of
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import read_pictures, without_small
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

_FILE, _INDEX, _SAYS = "train.rec", "train.idx", "property"


def load(spec: DataSpec) -> Splits:
    """Read `train.rec` in the root or up to two folders below it; people are named by their numbers.

    The sets have no test of their own (InsightFace tests on LFW and others), so a split is drawn.

    Raises:
        SandboxError: files are missing, cut short or damaged, or the split that is drawn cannot be.
    """
    root = Path(spec.root).expanduser()
    base = base_of(root, _FILE)
    if base is None:
        raise SandboxError(f"{root} holds no {_FILE}, as InsightFace's training sets do")
    if not (base / _INDEX).is_file():
        raise SandboxError(f"{base} holds {_FILE}, but no {_INDEX}, which says where each record begins")
    records = read_records(base / _FILE, base / _INDEX)
    names = list(map(str, records.labels))
    order = sorted(range(len(names)), key=lambda place: names[place])  # stable: by key within a person
    images, unread = read_pictures(
        [names[place] for place in order], [records.pictures[place] for place in order], Form.of(spec)
    )
    images, small = without_small(images, spec.min_images)
    part = sample_disjoint if spec.split == "sample" else class_disjoint
    notes = [*records.notes, *_property(base / _SAYS, len(set(names))), *unread, *small]
    return part(images, spec.validation, spec.test, spec.split_seed, mirror=True, notes=notes)


def _property(file: Path, classes: int) -> list[str]:
    """A sentence where the file of three numbers, classes, height and width, says another number of classes."""
    if not file.is_file():
        return []
    said = file.read_bytes()[:80].decode("ascii", "replace").strip()
    if said.split(",")[0].strip() == str(classes):
        return []
    return [f"{file.name} says '{said}' (classes, height, width), but there are {classes:,} classes"]


DATA_SET = DataSet(
    name="records",
    load=load,
    line="InsightFace's training sets under data.root: train.rec, train.idx and property",
    citation="Guo and Deng, InsightFace (github.com/deepinsight/insightface)",
    source="folder",
    has_files=False,
    image_size=112,
    splits=("auto", "class", "sample"),
)
