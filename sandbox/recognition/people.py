"""`People`: who is enrolled, by which network, and from which score on a face is taken for somebody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from sandbox.data.names import same_name
from sandbox.errors import SandboxError, unknown
from sandbox.evaluation.identification.closed_set import Template
from sandbox.evaluation.retrieval.search import Index
from sandbox.inference.embedder import Embedder
from sandbox.inference.network_text import read_text
from sandbox.recipe.size import ImageSize
from sandbox.recognition.gallery import Gallery
from sandbox.recognition.search import Found, PeopleSearcher
from sandbox.wording import counted, printable

Faces = Literal["whole", "detect"]
"""Whether an image file is the crop of one face, or a photograph whose faces have to be found."""
Source = Literal["strangers", "validation", "by hand"]


@dataclass(frozen=True)
class NetworkFacts:
    """Which network the embeddings are of."""

    path: str
    """Where it lay when people were enrolled."""
    name: str
    digest: str
    """12 hex characters that name its weights."""
    dim: int
    image_size: ImageSize
    """Pixels."""
    channels: int

    @classmethod
    def of(cls, network: Embedder, path: Path) -> NetworkFacts:
        """What is kept of a network that lies there."""
        named = read_text(str(path))
        place = str(path) if named.of_library else str(replace(named, name=str(Path(named.name).resolve())))
        return cls(place, network.name, network.digest, network.dim, network.image_size, network.channels)


@dataclass(frozen=True)
class Threshold:
    """From which similarity on a face is taken for somebody who is enrolled."""

    value: float
    """A cosine; a face is named at or above it, compared as float32."""
    source: Source
    """What it was fitted on: a folder of strangers, or the run's validation images; or given by hand."""
    fpir: float | None
    """The false positive identification rate that was asked for; None where it was given by hand."""
    reached: float | None
    """The share of the strangers' images that it takes for somebody; None where there were none."""
    images: int
    """Images of strangers that it was fitted on or, by hand, counted on."""
    people: int
    """Strangers whose images those are; an image in no folder of its own counts as one."""

    @property
    def supported(self) -> bool:
        """Whether the rate allows 30 false positives or more among the strangers: 30 / FPIR images."""
        return self.fpir is not None and self.images * self.fpir >= 30


@dataclass(frozen=True)
class Calibrated:
    """From a similarity to the probability that two things are of one person, at even odds."""

    slope: float
    offset: float
    """Log likelihood ratio = slope * similarity + offset, in nats."""
    genuine: int
    """Scores of images with templates of their own person that it was fitted on."""
    impostors: int
    """Scores with templates of other people."""

    def probability(self, scores: np.ndarray) -> np.ndarray:
        """(M,) float64, 0 .. 1: 1 / (1 + e^-LLR), of one comparison of an image with a person.

        It is the probability where, before looking, the image is as likely to be of that person as not.
        """
        return np.exp(-np.logaddexp(0, -(self.slope * np.asarray(scores, np.float64) + self.offset)))


@dataclass(frozen=True)
class People:
    """Who is enrolled, with all that naming a face takes."""

    gallery: Gallery
    """The enrolled images."""
    strangers: Gallery | None
    """Images of people who are not enrolled, to fit the threshold anew; None where there are none, or too many."""
    network: NetworkFacts
    faces: Faces
    template: Template
    threshold: Threshold
    calibration: Calibrated | None
    """None where there was nothing to learn it from."""
    bits: int | None = None
    """That enrolled files of 16 bits or more were taken to use; None where there were none."""

    @cached_property
    def searcher(self) -> PeopleSearcher:
        """The exact search, made once."""
        return PeopleSearcher(self.gallery, self.template)

    def search(self, x: np.ndarray, k: int = 1) -> Found:
        """The k most alike people of each image (Q, D), exactly; `PeopleSearcher.search` says more.

        Raises:
            SandboxError: rows of another width or not finite, or k below 1.
        """
        return self.searcher.search(x, k)

    def search_by(self, index: Index) -> PeopleSearcher:
        """A search by a FAISS index: `flat` is exact, `ivf` and `hnsw` look at a part of the gallery."""
        return self.searcher if index == "flat" else PeopleSearcher(self.gallery, self.template, index)

    def known(self, scores: np.ndarray, threshold: float | None = None) -> np.ndarray:
        """Which scores (M,) reach the threshold: theirs, or another."""
        return np.asarray(scores, np.float32) >= np.float32(self.threshold.value if threshold is None else threshold)

    def place(self, name: str) -> int:
        """Which of `gallery.names` a name is, in whatever spelling of it (see `same_name`).

        Raises:
            SandboxError: nobody of that name is enrolled.
        """
        names = list(map(same_name, self.gallery.names))
        if same_name(name) not in names:
            raise unknown("enrolled person", name, self.gallery.names)
        return names.index(same_name(name))

    def check_network(self, network: Embedder, file: Path) -> None:
        """Refuse a network whose embeddings are not those that `file` holds.

        Raises:
            SandboxError: its weights are others.
        """
        if network.digest != self.network.digest:
            raise SandboxError(
                f"{file} was made with {self.network.name} ({self.network.digest}), not with {network.name} "
                f"({network.digest}); embeddings of two networks cannot be compared"
            )


def head_lines(people: People, file: str) -> list[str]:
    """What a file of enrolled people holds."""
    rows, network, threshold, calibration = people.gallery, people.network, people.threshold, people.calibration
    read = "whole images" if people.faces == "whole" else "faces found in photographs"
    many = f"{counted(len(rows.names), 'person', 'people')}, {counted(len(rows), 'image', 'images')}"
    probability = "none, as there was nothing to learn it from"
    if calibration is not None:
        probability = (
            f"at even odds, learnt from {calibration.genuine:,} scores within people and "
            f"{calibration.impostors:,} between people"
        )
    return [
        f"{file}: {many}, {read}, template {people.template}",
        f"network: {printable(network.name)} ({network.digest}) at {printable(network.path)}",
        f"threshold: {threshold.value:.4f}{threshold_clause(threshold)}",
        f"probability: {probability}",
    ]


def threshold_clause(threshold: Threshold) -> str:
    """Where a threshold comes from, and what it lets in, as the end of a sentence that names it."""
    if threshold.reached is None:
        return ", by hand"
    whose = counted(threshold.people, "stranger", "strangers")
    whose += " of validation" if threshold.source == "validation" else ""
    on = f"{counted(threshold.images, 'image', 'images')} of {whose}"
    if threshold.fpir is None:
        return f", by hand: FPIR {threshold.reached:.4g} on {on}"
    lacking = "" if threshold.supported else f" (unsupported: it takes {30 / threshold.fpir:,.0f})"
    return f", fitted for FPIR {threshold.fpir:g}: {threshold.reached:.4g} reached on {on}{lacking}"
