"""People who are not enrolled, and on whom the threshold is fitted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sandbox.data.images.files import ENDINGS
from sandbox.data.names import same_name
from sandbox.errors import SandboxError
from sandbox.evaluation.retrieval.search import Searcher
from sandbox.inference.hub import is_hub
from sandbox.recognition.gallery import Gallery, make_gallery
from sandbox.runs.embeddings import read_embeddings
from sandbox.runs.folder import RunFolder
from sandbox.wording import counted, first_names

# Embeddings of one image are at least so alike, in whatever batch and number format (bf16 differs by some 1e-5).
_SAME = 0.99995
_WAY_OUT = "give --strangers FOLDER with images of people who are not enrolled, or a --threshold by hand"


def of_run(path: Path) -> Gallery:
    """The validation images of a run, none of whose people it was trained on.

    Raises:
        SandboxError: an ONNX file or a hub's folder, which keep none; a run that was trained on them; or one that
            is damaged.
    """
    if not path.is_dir() or is_hub(path):
        raise SandboxError(f"{path} keeps no images of strangers to fit a threshold on; {_WAY_OUT}")
    kept = read_embeddings(RunFolder(path))
    part = "val/verify" if kept.closed_set else "val"
    if part not in kept:
        raise SandboxError(f"{path} was validated on people that it was trained on, who are no strangers; {_WAY_OUT}")
    held = kept.take(part)
    x, labels = held.x, held.labels
    if x.dtype != np.float32:
        raise SandboxError(f"the run {path} is damaged: its validation embeddings are {x.dtype} {x.shape}")
    nothing = ("",) * len(x)
    return make_gallery(x, [f"class {label} of validation" for label in labels], nothing, nothing, nothing)


def named_twice(strangers: Sequence[str], enrolled: Sequence[str]) -> str:
    """The first stranger whose name is an enrolled person's; empty where there is none.

    The name of an image that lies in no folder counts without its ending, if it has a letter: 0001.png is no name.
    """
    people = set(enrolled)
    for name in strangers:
        stem = same_name(Path(name).stem) if name.lower().endswith(ENDINGS) else name
        if name in people or (stem in people and any(map(str.isalpha, stem))):
            return name
    return ""


def check_names(strangers: Sequence[str], enrolled: Sequence[str], folder: Path) -> None:
    """Refuse strangers who bear the name of somebody enrolled.

    Raises:
        SandboxError: names the first.
    """
    twice = named_twice(strangers, enrolled)
    if twice:
        raise SandboxError(
            f"'{twice}' in {folder} is the name of somebody who is enrolled; strangers are other people: take it out"
        )


def without_enrolled(strangers: Gallery, enrolled: Gallery) -> tuple[Gallery | None, list[str]]:
    """The strangers but for those of whom an image is enrolled: the same bytes, or the same embedding.

    Returns:
        Who is left, None where nobody is, and a sentence on who was left out.
    """
    bytes_enrolled = set(enrolled.digests) - {""}
    there = np.array([digest in bytes_enrolled for digest in strangers.digests])
    unknown = np.array([not digest for digest in strangers.digests])
    there[unknown] = embedded_in(strangers.x[unknown], enrolled.x)
    gone = np.isin(strangers.person, strangers.person[there])
    if not gone.any():
        return strangers, []
    names = [strangers.names[place] for place in np.unique(strangers.person[gone])]
    images = counted(int(there.sum()), "image that is enrolled", "images that are enrolled")
    note = f"left out of the strangers, for {images}: {first_names(names)}"
    return (None if gone.all() else strangers.take(~gone)), [note]


def without_person(strangers: Gallery, name: str) -> tuple[Gallery | None, list[str]]:
    """The strangers but for the one of that name, who is enrolled now."""
    gone = np.array([bool(named_twice([strangers.names[place]], [name])) for place in strangers.person])
    if not gone.any():
        return strangers, []
    return (None if gone.all() else strangers.take(~gone)), [f"'{name}' is no stranger any more"]


def embedded_in(x: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N,) bool: which unit rows stand, as good as the same, among other unit rows."""
    if not len(x) or not len(others):
        return np.zeros(len(x), bool)
    _, cosines = Searcher(others).search(x, 1)
    return np.asarray(cosines[:, 0] >= _SAME)
