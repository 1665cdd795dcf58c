"""Which of the classes that a run was trained on an image is of, by the head that it was trained with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.errors import SandboxError
from sandbox.files import Tell, Watch, untold, unwatched
from sandbox.inference.trained import Trained, load_objective, load_trained
from sandbox.objectives.objective import Objective
from sandbox.recognition.gallery import UNKNOWN
from sandbox.recognition.identify import NO_FACE, percent
from sandbox.recognition.people import Faces
from sandbox.recognition.reader import Read, Reader, refuse_unreadable
from sandbox.runs.folder import RunFolder
from sandbox.wording import printable


@dataclass(frozen=True)
class Classified:
    """One face, or an image without one."""

    image: str
    most_alike: str | None = None
    """The class with the largest probability."""
    probability: float | None = None
    """Of that class among those trained on: the softmax of the head, which is not calibrated."""
    known: bool = False
    """Whether that reaches the threshold."""
    box: tuple[float, float, float, float] | None = None
    refused: str = ""
    """Why there is no face to classify."""

    def __str__(self) -> str:
        """A sentence: `chris_evans with 98.71 % probability`."""
        if self.most_alike is None or self.probability is None:
            return self.refused
        if self.known:
            return f"{printable(self.most_alike)} with {percent(self.probability)} probability"
        return f"{UNKNOWN}, most like {printable(self.most_alike)} ({percent(self.probability)})"

    def as_json(self) -> dict[str, Any]:
        """Plain values; what is not there is null."""
        return {
            "image": self.image,
            "name": self.most_alike if self.known else None,
            "most_alike": self.most_alike,
            "probability": self.probability,
            "box": self.box and list(self.box),
            "refused": self.refused or None,
        }


def classify(
    path: Path,
    files: Sequence[Path],
    *,
    faces: Faces = "whole",
    unknown_below: float = 0.5,
    watch: Watch = unwatched,
    tell: Tell = untold,
) -> list[Classified]:
    """The most probable class of every face, in order; a file without one is one row that says so.

    Args:
        path: the folder of a finished run, one of whose losses classifies.
        files: images.
        faces: whether each is one face, or a photograph whose faces are to be found.
        unknown_below: probability, 0 to 1, below which a face is nobody's.
        watch: shows how far it is.
        tell: is told how deep files were scaled.

    Raises:
        SandboxError: no such run, no file that can be read, or a probability out of range.
    """
    if not 0 <= unknown_below <= 1:
        raise SandboxError(f"--unknown_below is {unknown_below:g}, but lies between 0 and 1")
    if not path.is_dir():
        raise SandboxError(f"{path} is no folder of a run, and only a run has the head that classifies")
    folder = RunFolder(path)
    trained = load_trained(folder)
    objective, classes = load_objective(folder, trained.network)
    rows: list[Classified] = []
    read: list[Read] = []
    reader = Reader(trained, faces)
    for block in reader.read(files, watch=watch):
        each = iter(_probabilities(path, trained, objective, [pixels for one in block for pixels in one.pixels]))
        for one in block:
            if not one.faces:
                rows.append(Classified(str(one.file), refused=one.refused or NO_FACE))
            for face in one.faces:
                share = next(each)
                best = int(share.argmax())
                probability = float(share[best])
                known = probability >= unknown_below
                rows.append(Classified(str(one.file), classes[best], probability, known, face.box))
            read.append(Read(one.file, refused=one.refused))
    refuse_unreadable(read)
    for note in reader.notes():
        tell(note)
    return rows


def classes_of(path: Path) -> tuple[str, ...]:
    """Who a run's classifier can name, in the order of its classes.

    Raises:
        SandboxError: no finished run there, or one whose losses own no class weights.
    """
    folder = RunFolder(path)
    return load_objective(folder, load_trained(folder).network)[1]


def _probabilities(
    path: Path, trained: Trained, objective: Objective, pixels: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """(C,) float64 probabilities of each image."""
    import torch

    from sandbox.backbones.embed import raw_embeddings
    from sandbox.inference.embedder import as_channels

    if not pixels:
        return []
    images = as_channels(np.stack(pixels), trained.channels)
    parts: list[np.ndarray] = []
    with torch.no_grad():
        for raw in raw_embeddings(trained.network, images, device=trained.device, autocast=trained.autocast):
            logits = objective.logits(raw)
            if logits is None:
                raise SandboxError(f"no loss of {path} classifies; train with cross_entropy or arcface")
            parts.extend(logits.double().softmax(dim=1).cpu().numpy())
    return list(parts)
