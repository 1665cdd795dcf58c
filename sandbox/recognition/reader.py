"""Image files to the squares that a network takes: the whole image, or the faces found in a photograph."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from sandbox.data.images.decode import decode, fitted, read_photograph
from sandbox.data.images.listing import Listing
from sandbox.data.images.pack import survey
from sandbox.errors import SandboxError
from sandbox.evaluation.blocks import threads
from sandbox.files import Watch, unwatched
from sandbox.inference.embedder import Embedder
from sandbox.recipe.size import times
from sandbox.recognition.people import Faces
from sandbox.wording import reason

if TYPE_CHECKING:
    from sandbox.data.faces.detect import Face

_BLOCK = 256  # images decoded, and faces embedded, at a time
_PHOTOGRAPHS = 16  # the same of photographs, which may be large


@dataclass(frozen=True)
class Seen:
    """A face that was found: its box and how sure the detector is."""

    box: tuple[float, float, float, float] | None = None
    """Left, top, right, bottom in the upright photograph, pixels; None where the whole image is the face."""
    confidence: float | None = None
    """Of the detector, 0 .. 1."""


@dataclass(frozen=True)
class Read:
    """What one file shows, or why it cannot be read."""

    file: Path
    faces: tuple[Seen, ...] = ()
    """The foremost first (`sandbox.data.faces.detect.foremost`), then by size; none where a photograph shows none."""
    pixels: tuple[np.ndarray, ...] = ()
    """(H, W, 1 or 3) uint8 of each, as the network gets it."""
    refused: str = ""
    """What is wrong with the file, after its name: `is no image`."""


@dataclass(frozen=True)
class Embedded:
    """The embeddings of the faces of a file."""

    file: Path
    faces: tuple[Seen, ...]
    """As in `Read`."""
    x: np.ndarray
    """(faces, D) float32 unit rows."""
    refused: str = ""
    """As in `Read`."""


class Reader:
    """Reads image files as one network takes them.

    With `whole` a file is read exactly as the network's training images were, and is one face, whatever it shows. With
    `detect` it is a photograph, and each face that MTCNN finds there is brought upright. (Omniglot's reader turns black
    on white around, which is not done here.) Files of 16 bits or more are scaled as those were; where there were none,
    as those of `bits`, else by the largest value in all files that are read together; a note says which.
    """

    def __init__(self, network: Embedder, faces: Faces, bits: int | None = None):
        self.network, self.faces = network, faces
        self.bits = network.bits or bits
        """That files of 16 bits or more are taken to use; None as long as none was met."""
        self._settled = False
        self._said: list[str] = []
        self._detector: Any = None

    def settle(self, files: Sequence[Path]) -> None:
        """See how files of 16 bits or more are to be scaled: over all that are to come, where nothing says it.

        Reading does it by itself for the files that it is given.
        """
        depth = survey([file for file in files if file.is_file()])
        self.bits = self.bits or depth.bits
        self._settled = True
        self._said += depth.sentences(self.bits or 16)

    def notes(self) -> list[str]:
        """Sentences on how files of 16 bits or more were scaled, each said once."""
        said, self._said = self._said, []
        return said

    def read(self, files: Sequence[Path], *, watch: Watch = unwatched) -> Iterator[list[Read]]:
        """Every file in order, some at a time.

        Raises:
            SandboxError: the detector is not installed, or gives squares to a network that takes none.
        """
        if self.faces == "detect" and self._detector is None:
            from sandbox.data.faces.detect import Detector

            _square(self.network)
            self._detector = Detector()  # its absence is no fault of the first file
        if not self._settled:
            self.settle(files)
        shown = iter(watch(files, "images"))
        size = _BLOCK if self.faces == "whole" else _PHOTOGRAPHS
        with ThreadPoolExecutor(threads()) as pool:
            while block := list(islice(shown, size)):
                # Filters of warnings are one for the process, so they are set here and not in the threads.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    warnings.simplefilter("error", Image.DecompressionBombWarning)
                    read = list(pool.map(self._whole, block)) if self.faces == "whole" else self._detected(block)
                yield read

    def embedded(
        self, files: Sequence[Path], *, foremost: bool = False, watch: Watch = unwatched
    ) -> Iterator[Embedded]:
        """Every file in order with its embeddings; `foremost` embeds the first face alone.

        Raises:
            SandboxError: the detector is not installed, or the network gives no finite numbers.
        """
        for block in self.read(files, watch=watch):
            taken = [one.pixels[:1] if foremost else one.pixels for one in block]
            pixels = [face for faces in taken for face in faces]
            parts = [np.empty((0, self.network.dim), np.float32)]
            parts += [self.network.embed(np.stack(pixels[at : at + _BLOCK])) for at in range(0, len(pixels), _BLOCK)]
            ends = np.cumsum([len(faces) for faces in taken])
            for one, x in zip(block, np.split(np.concatenate(parts), ends[:-1]), strict=True):
                if not np.isfinite(x).all():
                    raise SandboxError(f"{self.network.name} gives numbers that are not finite for {one.file}")
                yield Embedded(one.file, one.faces, x, one.refused)

    def _whole(self, file: Path) -> Read:
        network = self.network
        if not file.is_file():
            there = "is a folder, and an image is needed" if file.is_dir() else "is a pipe or a device"
            return Read(file, refused=there if file.exists() else "is not there")
        try:
            pixels = decode(file, network.image_size, network.channels, network.resize, self.bits or 16)
        except Image.UnidentifiedImageError:
            return Read(file, refused="is no image")
        except Exception as error:  # what Pillow raises for damaged files has no common type
            return Read(file, refused=f"cannot be read as an image: {reason(error, 160)}")
        return Read(file, (Seen(),), (pixels,))

    def _detected(self, files: Sequence[Path]) -> list[Read]:
        given = [_photograph(file, self.bits or 16) for file in files]
        photographs = [one for one in given if isinstance(one, Image.Image)]
        found = iter(self._detector(photographs))
        return [
            Read(file, refused=one) if isinstance(one, str) else self._aligned(file, one, next(found))
            for file, one in zip(files, given, strict=True)
        ]

    def _aligned(self, file: Path, photograph: Image.Image, faces: Sequence[Face]) -> Read:
        from sandbox.data.faces.align import align_face
        from sandbox.data.faces.detect import foremost

        network, side = self.network, _square(self.network)
        seen, pixels = [], []
        first = foremost(faces, photograph.size) if faces else None
        for face in sorted(faces, key=lambda face: face is not first):  # the others stay as they are
            try:
                upright = align_face(photograph, face.points, network.resize or side)
            except SandboxError:  # its five points fall together, which no face's do
                continue
            seen.append(Seen(face.box, face.confidence))
            # A network that was shown the middle of its training images is shown the middle of the aligned face.
            pixels.append(fitted(upright, side, 3, network.resize))
        return Read(file, tuple(seen), tuple(pixels))


def _square(network: Embedder) -> int:
    """The side of a network's images.

    Raises:
        SandboxError: they are not square, as faces are that were brought upright.
    """
    if isinstance(network.image_size, int):
        return network.image_size
    raise SandboxError(
        f"{network.name} takes images of {times(network.image_size)} pixels, and a face that was found and brought "
        "upright is square: give --faces whole"
    )


def _photograph(file: Path, bits: int) -> Image.Image | str:
    """The picture, or what is wrong with the file."""
    try:
        return read_photograph(file, bits)
    except SandboxError as error:
        return str(error).removeprefix(f"{file} ")


def refuse_unreadable(read: Sequence[Read | Embedded]) -> None:
    """Refuse files none of which can be read.

    Raises:
        SandboxError: says what is wrong with the first.
    """
    if read and all(one.refused for one in read):
        more = f" (and none of the {len(read):,} files can be read)" if len(read) > 1 else ""
        raise SandboxError(f"{read[0].file} {read[0].refused}{more}")


def find_images(given: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Image files: those that are named, whatever they are, and all that lie below named folders, each once.

    Returns:
        The files, and sentences on what in the folders was passed over.

    Raises:
        SandboxError: a path leads nowhere, a folder holds no image, or nothing was given.
    """
    if not given:
        raise SandboxError("give images, or folders of images")
    listing = Listing()
    found: dict[Path, None] = {}
    for path in given:
        try:
            if path.is_dir():
                inside = listing.images(path)
                if not inside and not any(path in file.parents for file in found):
                    why = "; ".join(listing.notes())
                    raise SandboxError(f"{path} holds no image{why and f' ({why})'}")
                found |= dict.fromkeys(inside)
            elif path.exists():
                found[path] = None
            else:
                raise SandboxError(f"there is no file or folder {path}")
        except OSError as error:
            raise SandboxError(f"cannot read {path}: {reason(error)}") from None
    return list(found), listing.notes()
