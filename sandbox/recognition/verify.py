"""Whether two images are of one person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.errors import SandboxError
from sandbox.inference.embedder import Embedder
from sandbox.inference.load import load_network
from sandbox.recognition.people import Faces, People
from sandbox.recognition.people_file import load_people, network_of
from sandbox.recognition.reader import Reader
from sandbox.recognition.strangers import of_run
from sandbox.recognition.thresholds import check_cosine
from sandbox.runs.folder import RunFolder


@dataclass(frozen=True)
class Cut:
    """A threshold, and where it is from."""

    value: float
    """A cosine; the same person from there on."""
    source: str


@dataclass(frozen=True)
class Compared:
    """What two images have to do with each other."""

    similarity: float
    """The cosine of their embeddings."""
    probability: float | None
    """That they are of one person, at even odds; None where nothing is calibrated."""
    same: bool
    cut: Cut
    notes: tuple[str, ...]


def cut_of_people(people: People, file: Path) -> Cut:
    """Where the file's calibration says even odds; its threshold for naming faces where it has no calibration."""
    if people.calibration is None:
        return Cut(people.threshold.value, f"from which {file} names a face; it has no calibration")
    return Cut(-people.calibration.offset / people.calibration.slope, f"even odds by the calibration of {file}")


def cut_of_run(path: Path) -> Cut:
    """The threshold at which, on a run's validation images, as many pairs are wrongly taken as wrongly refused.

    The most accurate one over all pairs, of which few are genuine, would call nearly every pair two people.

    Raises:
        SandboxError: it has none, or it was trained on the people it was validated on.
    """
    if path.is_dir():
        of_run(path)  # a threshold of people that it was trained on is none for others
        value = RunFolder(path).validation_threshold("verification/eer")
        if value is not None:
            return Cut(value, f"equal error rates on the validation images of {path}")
    raise SandboxError(f"{path} has no threshold of its own; give --threshold, or --people with its calibration")


def cut_by_hand(value: float) -> Cut:
    """A threshold that a person chose.

    Raises:
        SandboxError: it is no cosine.
    """
    check_cosine(value)
    return Cut(value, "by hand")


def verify(
    first: Path,
    second: Path,
    *,
    network: str = "",
    file: Path | None = None,
    faces: Faces | None = None,
    threshold: float | None = None,
) -> Compared:
    """Compare two images by a network, with a threshold of its run, of enrolled people, or by hand.

    Args:
        first: an image.
        second: another.
        network: where the network is; of the enrolled people where not given.
        file: enrolled people, whose calibration gives the threshold and the probability.
        faces: whether each image is one face, or a photograph; as the file says where there is one.
        threshold: a cosine by hand.

    Raises:
        SandboxError: neither a network nor a file, faces that the file was not made with, no threshold anywhere, or
            an image that cannot be read or shows no face.
    """
    if not network and file is None:
        raise SandboxError("give --network RUN, or --people FILE, whose network is then taken")
    people = None if file is None else load_people(file)
    if people is not None and faces not in (None, people.faces):
        raise SandboxError(f"{file} was made with --faces {people.faces}; its calibration is for no other")
    if people is None or file is None:
        by, cut = load_network(Path(network)), None if threshold is not None else cut_of_run(Path(network))
    else:
        by, cut = network_of(people, file, network), None if threshold is not None else cut_of_people(people, file)
    if threshold is not None:
        cut = cut_by_hand(threshold)
    assert cut is not None
    faces = people.faces if people else faces or "whole"
    return compare(by, first, second, faces=faces, cut=cut, people=people)


def compare(
    network: Embedder, first: Path, second: Path, *, faces: Faces, cut: Cut, people: People | None = None
) -> Compared:
    """Compare the faces of two images, the foremost of each where they are photographs.

    Args:
        network: makes the embeddings.
        first: an image.
        second: another.
        faces: whether each is one face, or a photograph whose faces are to be found.
        cut: the threshold.
        people: whose calibration gives the probability. It was learnt from images and templates of people; where those
            were made of several images, two single ones are less alike, and the probability is too low.

    Raises:
        SandboxError: an image that cannot be read, or shows no face.
    """
    rows, notes = [], []
    reader = Reader(network, faces, people.bits if people else None)
    for one in reader.embedded([first, second], foremost=True):
        if one.refused:
            raise SandboxError(f"{one.file} {one.refused}")
        if not one.faces:
            raise SandboxError(f"no face was found in {one.file}")
        if len(one.faces) > 1:
            notes.append(f"{one.file} shows {len(one.faces)} faces; the largest near the middle is taken")
        rows.append(one.x[0].astype(np.float64))
    score = np.float32(rows[0] @ rows[1])
    calibration = people.calibration if people is not None else None
    probability = None if calibration is None else float(calibration.probability(np.array(score)))
    return Compared(float(score), probability, bool(score >= np.float32(cut.value)), cut, (*notes, *reader.notes()))
