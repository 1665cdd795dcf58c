"""Who is in an image, among the people who are enrolled, or nobody of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.evaluation.retrieval.search import Index
from sandbox.files import Tell, Watch, untold, unwatched
from sandbox.inference.embedder import Embedder
from sandbox.recognition.gallery import UNKNOWN
from sandbox.recognition.people import People
from sandbox.recognition.reader import Reader, refuse_unreadable
from sandbox.recognition.thresholds import check_cosine
from sandbox.wording import printable


@dataclass(frozen=True)
class Named:
    """One face, or an image without one."""

    image: str
    """The file."""
    name: str | None = None
    """Who it is; None where nobody reaches the threshold, or there is no face."""
    most_alike: str | None = None
    """The most alike person, whether or not they reach it."""
    similarity: float | None = None
    """The cosine with that person's template."""
    probability: float | None = None
    """That the face is that person's, at even odds (`Calibrated.probability`)."""
    box: tuple[float, float, float, float] | None = None
    """Left, top, right, bottom in the upright photograph, pixels; None where the whole image is the face."""
    confidence: float | None = None
    """Of the detector."""
    refused: str = ""
    """Why there is no face to name: what is wrong with the file, or `no face`."""

    def as_json(self) -> dict[str, Any]:
        """Plain values; what is not there is null."""
        shown = {name: getattr(self, name) for name in ("image", "name", "most_alike", "similarity", "probability")}
        return shown | {
            "box": self.box and list(self.box),
            "confidence": self.confidence,
            "refused": self.refused or None,
        }

    @property
    def label(self) -> str:
        """The name, or who it is most like."""
        if self.most_alike is None:
            return self.refused or UNKNOWN
        return printable(self.name) if self.name else f"{UNKNOWN} (most like {printable(self.most_alike)})"


NO_FACE = "no face"


def identify(
    people: People,
    network: Embedder,
    files: Sequence[Path],
    *,
    threshold: float | None = None,
    index: Index = "flat",
    watch: Watch = unwatched,
    tell: Tell = untold,
) -> list[Named]:
    """Name every face of every image, in order; a file without one is one row that says so.

    Args:
        people: who is enrolled; the network must be theirs.
        network: makes the embeddings.
        files: images, read as those of the enrolled people were.
        threshold: a cosine in place of the people's own.
        index: how they are searched; `flat` is exact.
        watch: shows how far it is.
        tell: is told how deep files were scaled.

    Raises:
        SandboxError: no file can be read as an image, or a threshold that is no cosine.
    """
    if threshold is not None:
        check_cosine(threshold)
    reader = Reader(network, people.faces, people.bits)
    read = list(reader.embedded(files, watch=watch))
    refuse_unreadable(read)
    for note in reader.notes():
        tell(note)
    found = people.search_by(index).search(np.concatenate([one.x for one in read]))
    scores = found.scores[:, 0]
    known = people.known(scores, threshold)
    named, row = [], 0
    for one in read:
        if one.refused or not one.faces:
            named.append(Named(str(one.file), refused=one.refused or NO_FACE))
        for face in one.faces:
            most_alike, score = found.names[row, 0], float(scores[row])
            here = most_alike is not None
            named.append(
                Named(
                    image=str(one.file),
                    name=most_alike if known[row] else None,
                    most_alike=most_alike,
                    similarity=score if here else None,
                    probability=float(people.calibration.probability(scores[row]))
                    if here and people.calibration
                    else None,
                    box=face.box,
                    confidence=face.confidence,
                )
            )
            row += 1
    return named


def percent(probability: float) -> str:
    """A probability as a person reads it: `98.71 %`, and never certainty."""
    if probability > 0.9999:
        return "> 99.99 %"
    return "< 0.01 %" if probability < 0.0001 else f"{100 * probability:.2f} %"
