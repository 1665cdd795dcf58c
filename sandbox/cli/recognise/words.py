"""What each word after recognise.py takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tyro.conf import Positional


@dataclass(frozen=True, kw_only=True)
class Enrol:
    """What `enrol` takes."""

    network: Positional[str] = ""
    """The folder of a finished run or of export.py --hub, an .onnx file, timm:NAME or torchvision:NAME; what an .onnx
    file from elsewhere does not say stands in brackets, as embed.py --help has it."""
    folder: Positional[str] = ""
    """A folder with one folder for each person, named as they are."""
    out: str = ""
    """The file of enrolled people to write, such as people.npz."""
    replace: bool = False
    """Write over a file that is there."""
    faces: Literal["whole", "detect"] = "whole"
    """whole: each image is one face, cut out as the network's training images were; detect: photographs, whose faces
    are found by MTCNN and brought upright."""
    strangers: str = ""
    """Images of people who are not enrolled, flat or a folder each, to fit the threshold on; where not given, the
    run's validation images, if it was not trained on those people."""
    fpir: float = 0.01
    """Share of strangers' images that may be taken for somebody."""
    threshold: float | None = None
    """A similarity (-1 to 1) by hand in place of a fitted one."""
    template: Literal["mean", "best"] = "mean"
    """A person with several images: their mean, or the most alike of them."""


@dataclass(frozen=True, kw_only=True)
class Add:
    """What `add` takes."""

    people: Positional[str] = ""
    """The file that `enrol` wrote."""
    images: Positional[tuple[str, ...]] = ()
    """Images of one person, or folders of them."""
    name: str = ""
    """Whose they are; images of somebody who is enrolled are added to theirs."""
    network: str = ""
    """Where the network lies now, if it is not where it was."""


@dataclass(frozen=True, kw_only=True)
class Remove:
    """What `remove` takes."""

    people: Positional[str] = ""
    """The file that `enrol` wrote."""
    name: Positional[str] = ""
    """Who is to be removed."""


@dataclass(frozen=True, kw_only=True)
class List:
    """What `list` takes."""

    people: Positional[str] = ""
    """The file that `enrol` wrote."""


@dataclass(frozen=True, kw_only=True)
class Identify:
    """What `identify` takes."""

    people: Positional[str] = ""
    """The file that `enrol` wrote."""
    images: Positional[tuple[str, ...]] = ()
    """Images, or folders of them."""
    network: str = ""
    """Where the network lies now, if it is not where it was."""
    threshold: float | None = None
    """A similarity (-1 to 1) in place of the file's threshold."""
    index: Literal["flat", "ivf", "hnsw"] = "flat"
    """FAISS index that people are searched by: flat is exact, the others look at a part of them."""
    json: str = ""
    """File to write the rows to as JSON; - is the terminal, in place of the table."""
    picture: str = ""
    """PNG to draw the images into, with the names."""


@dataclass(frozen=True, kw_only=True)
class Classify:
    """What `classify` takes."""

    run: Positional[str] = ""
    """The folder of a finished run, one of whose losses classifies (cross_entropy, arcface ...)."""
    images: Positional[tuple[str, ...]] = ()
    """Images, or folders of them."""
    faces: Literal["whole", "detect"] = "whole"
    """whole: each image is one face; detect: photographs, whose faces are found by MTCNN and brought upright."""
    unknown_below: float = 0.5
    """Probability below which a face is nobody's."""
    json: str = ""
    """File to write the rows to as JSON; - is the terminal, in place of the sentences."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What `measure` takes."""

    known: Positional[str] = ""
    """The file that `enrol` wrote, or the folder of a run whose losses classify."""
    folder: Positional[str] = ""
    """Images that were not enrolled or trained on, in a folder for each person; who is not known is a stranger."""
    strangers: str = ""
    """More strangers: images, flat or a folder each."""
    fit: str = ""
    """With a run: images of other strangers, to fit the thresholds on; the file of enrolled people has its own."""
    fpir: tuple[float, ...] = (1e-1, 1e-2)
    """Shares of strangers' images that may be taken for somebody."""
    faces: Literal["whole", "detect"] | None = None
    """With a run: whether each image is one face (whole, the default), or a photograph; the file of enrolled people
    says it itself."""
    network: str = ""
    """Where the network of the enrolled people lies now, if it is not where it was."""
    json: str = ""
    """File to write the report to."""


@dataclass(frozen=True, kw_only=True)
class Verify:
    """What `verify` takes."""

    first: Positional[str] = ""
    """An image."""
    second: Positional[str] = ""
    """Another image."""
    network: str = ""
    """The folder of a finished run, or an .onnx file; that of --people where not given."""
    people: str = ""
    """A file that `enrol` wrote, for its calibration and for how its images were read."""
    threshold: float | None = None
    """A similarity (-1 to 1) from which two faces are one person's; else that of --people's calibration, else where the
    error rates are equal on the run's validation images."""
    faces: Literal["whole", "detect"] | None = None
    """whole: each image is one face (the default); detect: photographs. --people says it where it is given."""


TAKES = {
    "enrol": "NETWORK FOLDER --out people.npz",
    "add": "people.npz IMAGES ... --name NAME",
    "remove": "people.npz NAME",
    "list": "people.npz",
    "identify": "people.npz IMAGES ...",
    "classify": "RUN IMAGES ...",
    "verify": "IMAGE IMAGE --network NETWORK",
    "measure": "people.npz FOLDER --strangers FOLDER, or RUN FOLDER --strangers FOLDER --fit FOLDER",
}
WHAT = {
    "enrol": "Enrol a folder of people: each image becomes an embedding, and strangers say where UNKNOWN begins.",
    "add": "Enrol images of one person more; the threshold is fitted anew.",
    "remove": "Take one person out; the threshold is fitted anew.",
    "list": "Say who is enrolled, by which network, and at which threshold.",
    "identify": "Name the faces in images, or call them UNKNOWN.",
    "classify": "Say which class a run was trained on an image shows, with the head it was trained with.",
    "verify": "Say whether two images are of one person.",
    "measure": "Say how often enrolled people are named rightly, and strangers taken for somebody.",
}
