"""The Olivetti faces: 40 people, 10 grey photographs of 64x64 each."""

from __future__ import annotations

import io
import zlib
from contextlib import redirect_stdout
from pathlib import Path
from typing import Literal

import numpy as np

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.datasets.download import folder_of
from sandbox.data.formats.pickles import read_pickle
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import image_set, without_small
from sandbox.data.splits.draw import class_disjoint, sample_disjoint
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec
from sandbox.wording import reason

_PEOPLE, _EACH, _SIDE = 40, 10, 64
_PACKED, _ORIGINAL = "olivetti_py3.pkz", "olivettifaces.mat"
_LARGEST = 64 * 2**20  # decompressed; the faces are 13 MB as doubles
_COMPRESSED = 15
_NEEDED = f"{_PACKED}, as scikit-learn keeps it in its data home, or the original {_ORIGINAL}"


def load(spec: DataSpec) -> Splits:
    """Read `olivetti_py3.pkz` or `olivettifaces.mat` in the root; else let scikit-learn download the faces.

    Nothing that the pickle names is called. People are s01 to s40, drawn whole for validation and test unless
    `data.split` is sample.

    Raises:
        SandboxError: they cannot be downloaded, are missing or damaged, or the shares leave nothing.
    """
    with folder_of(spec, _fetch, _NEEDED) as root:
        faces = _faces(root)
    people = [f"s{person + 1:02d}" for person in range(_PEOPLE) for _ in range(_EACH)]
    paths = [f"{person}/{place % _EACH + 1:02d}" for place, person in enumerate(people)]
    images, notes = without_small(image_set(faces[..., None], people, paths), spec.min_images)
    part = sample_disjoint if spec.split == "sample" else class_disjoint
    splits = part(images, spec.validation, spec.test, spec.split_seed, mirror=True, notes=notes)
    return splits.brought_to(Form.of(spec))


def _fetch(folder: Path) -> None:
    from sklearn.datasets import fetch_olivetti_faces

    with redirect_stdout(io.StringIO()):  # it says where it downloads from
        fetch_olivetti_faces(data_home=str(folder), n_retries=1, delay=0.1)


def _faces(root: Path) -> np.ndarray:
    """The faces upright, (400, 64, 64) uint8."""
    if (root / _PACKED).is_file():
        file, rows = root / _PACKED, _packed(root / _PACKED)
    elif (root / _ORIGINAL).is_file():
        file, rows = root / _ORIGINAL, _original(root / _ORIGINAL)
    else:
        raise SandboxError(f"{root} holds neither {_PACKED}, as scikit-learn keeps it, nor {_ORIGINAL}")
    if not isinstance(rows, np.ndarray) or rows.shape != (_PEOPLE * _EACH, _SIDE * _SIDE):
        shape = " x ".join(map(str, rows.shape)) if isinstance(rows, np.ndarray) else f"a {type(rows).__name__}"
        raise SandboxError(f"{file} must hold 400 faces of 4,096 pixels (64 x 64), but holds {shape}")
    return _grey(file, rows).reshape(-1, _SIDE, _SIDE).transpose(0, 2, 1)  # MATLAB goes down the columns


def _packed(file: Path) -> np.ndarray:
    """What scikit-learn made of the original with joblib: a compressed pickle of its rows."""
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(_bounded(file), _LARGEST)
    except zlib.error as error:
        raise SandboxError(f"{file} is damaged, or not compressed as joblib does: {error}") from None
    if not inflate.eof:
        raise SandboxError(f"{file} is cut short, or larger than 400 faces can be")
    return read_pickle(file, io.BytesIO(content))


def _original(file: Path) -> np.ndarray:
    from scipy.io import loadmat

    content = _bounded(file)
    try:
        _check_inflated(content)
        held = loadmat(io.BytesIO(content), variable_names=["faces"])
    except Exception as error:  # scipy raises ValueError, TypeError, zlib's, struct's and its own on damaged files
        raise SandboxError(f"{file} is damaged, cut short or no MATLAB file: {reason(error, 160)}") from None
    if "faces" not in held:
        raise SandboxError(f"{file} holds no matrix called faces")
    return np.asarray(held["faces"]).T


def _bounded(file: Path) -> bytes:
    """What a file holds, which is no more than 400 faces can be."""
    with file.open("rb") as stream:
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise SandboxError(f"{file} is larger than 400 faces can be")
    return content


def _check_inflated(content: bytes) -> None:
    """Refuse a MATLAB file whose compressed parts (of type 15) inflate to more than 400 faces can be.

    Raises:
        ValueError: they do.
        zlib.error: a part is damaged.
    """
    order: Literal["big", "little"] = "big" if content[126:128] == b"MI" else "little"
    place = 128
    while place + 8 <= len(content):
        kind, length = (int.from_bytes(content[at : at + 4], order) for at in (place, place + 4))
        if kind == _COMPRESSED:
            inflate = zlib.decompressobj()
            inflate.decompress(content[place + 8 : place + 8 + length], _LARGEST)
            if inflate.unconsumed_tail:
                raise ValueError("it inflates to more than 400 faces can be")
        place += 8 + length


def _grey(file: Path, rows: np.ndarray) -> np.ndarray:
    """Grey levels as bytes: as they are, or floats from 0 to 1 or to 255."""
    if rows.dtype == np.uint8:
        return rows
    if rows.dtype.kind != "f" or not np.isfinite(rows).all() or rows.min() < 0 or rows.max() > 255:
        raise SandboxError(f"{file} must hold grey levels, whole numbers 0 to 255 or floats 0 to 1")
    return np.rint(rows * (255.0 if rows.max() <= 1 else 1.0)).astype(np.uint8)


DATA_SET = DataSet(
    name="olivetti",
    load=load,
    line="40 people, 10 grey photographs each; tests on people never trained on; downloaded, or read from data.root",
    citation="Samaria and Harter (1994), Parameterisation of a stochastic model for human face identification, WACV",
    source="downloaded",
    has_files=False,
    image_size=_SIDE,
    splits=("auto", "class", "sample"),
)
