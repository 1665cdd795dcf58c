"""Faces in photographs, with five points each: MTCNN, of which facenet-pytorch carries the networks and weights.

Zhang, Zhang, Li and Qiao, Joint face detection and alignment using multitask cascaded convolutional networks, 2016. The
three networks and their box arithmetic are facenet-pytorch's. The cascade around them is written here: its own breaks
off at a picture smaller than a face, would at a box that is moved out of the picture, and tells the boxes of a batch's
pictures apart by coordinates that overlap where a box begins left of its picture.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import interpolate
from torchvision.ops import nms

from sandbox.errors import SandboxError

INSTALL = "pip install --no-deps facenet-pytorch==2.6.0"

LONGEST = 1024
"""Pixels: a longer picture is shrunk to this before it is searched."""

_WINDOW = 12  # side of what the first network sees
_FACTOR = 0.709  # from one level of the pyramid to the next: half the area
_THRESHOLDS = (0.6, 0.7, 0.7)  # of the three networks, as MTCNN's authors set them
_LEAST_SHRUNK = 20  # pixels: the smallest face sought in a picture that was shrunk
_BATCH = 16
_BATCH_PIXELS = 4_000_000


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture: its box, five points and how sure the detector is."""

    box: tuple[float, float, float, float]
    """Left, top, right, bottom in pixels of the picture; may reach beyond its edges."""
    points: np.ndarray
    """(5, 2) float32, x and y in pixels of the picture: the eye on the left and that on the right as one looks at the
    picture, the nose, the corners of the mouth on the left and on the right."""
    confidence: float
    """0 to 1, as the last network puts it; at least 0.7."""

    @property
    def area(self) -> float:
        """Of the box, square pixels."""
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


@dataclass(frozen=True)
class _Boxes:
    """Boxes on a batch of pictures."""

    edges: torch.Tensor
    """(M, 5) float32: left, top, right, bottom, score."""
    owner: torch.Tensor
    """(M,) int64: the picture's place in the batch."""

    def at(self, which: torch.Tensor) -> _Boxes:
        return _Boxes(self.edges[which], self.owner[which])


def foremost(faces: Sequence[Face], size: tuple[int, int]) -> Face:
    """The face that a photograph of one person shows: the largest, where one near the middle counts as larger.

    Twice the squared distance of its middle from the picture's is taken off its area, as facenet's alignment does. The
    largest alone is often a bystander whom the edge of the picture cuts.

    Args:
        faces: of one picture, at least one.
        size: width and height of the picture, pixels.
    """

    def weight(face: Face) -> float:
        left, top, right, bottom = face.box
        return face.area - ((left + right - size[0]) ** 2 + (top + bottom - size[1]) ** 2) / 2

    return max(faces, key=weight)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one CPU thread: the networks are so small that a second one made them four times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Detector:
    """MTCNN with its three networks loaded: call it with pictures.

    Without gradients, and deterministic on a CPU. Pictures of one size are searched together, which is faster; what is
    found in one does not depend on the others (beyond 1e-3 pixels, by which batches of another size are rounded).
    """

    def __init__(self, min_face: int = 20, device: str | torch.device = "cpu") -> None:
        """Load the networks.

        Args:
            min_face: pixels, at least 12: the longer side of a face's box is no less. In a picture longer than
                `LONGEST`, which is searched shrunk to that, it is also no less than 20 of the shrunk pixels.
            device: where the networks run.

        Raises:
            SandboxError: facenet-pytorch is not installed, or `min_face` is below 12.
        """
        if min_face < _WINDOW:
            raise SandboxError(f"the smallest face is {min_face} pixels, but MTCNN finds none below {_WINDOW}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                from facenet_pytorch.models import mtcnn
                from facenet_pytorch.models.utils import detect_face
            except ModuleNotFoundError as error:
                if not (error.name or "").startswith("facenet_pytorch"):
                    raise SandboxError(f"facenet-pytorch needs {error.name}: pip install {error.name}") from None
                raise SandboxError(f"detecting faces needs facenet-pytorch: {INSTALL}") from None
            networks = mtcnn.PNet(), mtcnn.RNet(), mtcnn.ONet()
        self._code = detect_face
        self.min_face = min_face
        self.device = torch.device(device)
        # With the channels last, pooling on a CPU takes a fifth of the time.
        self._networks = [network.eval().to(self.device, memory_format=torch.channels_last) for network in networks]

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Face]]:
        """The faces of each RGB picture, largest box first; an empty list for a picture without any."""
        alike: dict[tuple[int, int], list[int]] = {}
        for place, image in enumerate(images):
            alike.setdefault(image.size, []).append(place)
        found: dict[int, list[Face]] = {}
        with _one_thread():
            for size, places in alike.items():
                shrunk, least = self._searched(size)
                many = max(1, min(_BATCH, _BATCH_PIXELS // (shrunk[0] * shrunk[1])))
                for start in range(0, len(places), many):
                    batch = places[start : start + many]
                    pixels = np.stack([_pixels(images[place], shrunk) for place in batch])
                    ratio = np.array([size[0] / shrunk[0], size[1] / shrunk[1]], dtype=np.float32)
                    found.update(zip(batch, self._search(pixels, least, ratio), strict=True))
        return [found[place] for place in range(len(images))]

    def _searched(self, size: tuple[int, int]) -> tuple[tuple[int, int], float]:
        """The size at which a picture is searched, and the smallest face there, pixels."""
        share = min(1.0, LONGEST / max(size))
        if share == 1:
            return size, self.min_face
        shrunk = max(1, round(size[0] * share)), max(1, round(size[1] * share))
        return shrunk, max(self.min_face * share, min(self.min_face, _LEAST_SHRUNK))

    @torch.inference_mode()
    def _search(self, pixels: np.ndarray, least: float, ratio: np.ndarray) -> list[list[Face]]:
        """The faces of (N, H, W, 3) uint8, in the pixels of pictures that are larger by `ratio`."""
        images = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).float()
        boxes = self._refine(images, self._propose(images, least))
        boxes, points = self._locate(images, boxes)
        edges, owner = boxes.edges.cpu().numpy(), boxes.owner.cpu().numpy()
        faces: list[list[Face]] = [[] for _ in pixels]
        for row, place, five in zip(edges, owner, points.cpu().numpy(), strict=True):
            if max(row[2] - row[0], row[3] - row[1]) < least:  # the first network's window is moved and resized later
                continue
            left, top, right, bottom = (row[:4] * np.tile(ratio, 2)).tolist()
            # Points count from the centre of the first pixel; what a resize keeps in place is its corner.
            larger = (five + 0.5) * ratio - 0.5
            face = Face((left, top, right, bottom), larger.astype(np.float32), float(row[4]))
            faces[place].append(face)
        return [sorted(those, key=lambda face: -face.area) for those in faces]

    def _propose(self, images: torch.Tensor, least: float) -> _Boxes:
        """The first network, over a pyramid of shrunk pictures."""
        height, width = images.shape[2:]
        scale = _WINDOW / least
        edges, owner = [images.new_zeros(0, 9)], [torch.zeros(0, dtype=torch.int64, device=self.device)]
        while min(height, width) * scale >= _WINDOW:
            level = interpolate(images, size=(int(height * scale + 1), int(width * scale + 1)), mode="area")
            shifts, scores = self._networks[0](_normal(level))
            those, owners = self._code.generateBoundingBox(shifts, scores[:, 1], scale, _THRESHOLDS[0])
            kept = _distinct(those, owners, 0.5)
            edges.append(those[kept])
            owner.append(owners[kept])
            scale *= _FACTOR
        all_edges, all_owner = torch.cat(edges), torch.cat(owner)
        kept = _distinct(all_edges, all_owner, 0.7)
        rows, owners = all_edges[kept], all_owner[kept]
        width_height = (rows[:, 2:4] - rows[:, :2]).repeat(1, 2)
        moved = rows[:, :4] + rows[:, 5:9] * width_height
        return _Boxes(self._code.rerec(torch.cat((moved, rows[:, 4:5]), dim=1)), owners)

    def _refine(self, images: torch.Tensor, boxes: _Boxes) -> _Boxes:
        """The second network, on what each box shows."""
        boxes, patches = self._patches(images, boxes, 24)
        if not len(patches):
            return boxes
        shifts, scores = self._code.fixed_batch_process(patches, self._networks[1])
        kept = scores[:, 1] > _THRESHOLDS[1]
        boxes, shifts = _scored(boxes, scores).at(kept), shifts[kept]
        kept = _distinct(boxes.edges, boxes.owner, 0.7)
        boxes = boxes.at(kept)
        return _Boxes(self._code.rerec(self._code.bbreg(boxes.edges, shifts[kept])), boxes.owner)

    def _locate(self, images: torch.Tensor, boxes: _Boxes) -> tuple[_Boxes, torch.Tensor]:
        """The third network: the boxes that are faces, and their (M, 5, 2) points."""
        boxes, patches = self._patches(images, boxes, 48)
        if not len(patches):
            return boxes, images.new_zeros(0, 5, 2)
        shifts, shares, scores = self._code.fixed_batch_process(patches, self._networks[2])
        kept = scores[:, 1] > _THRESHOLDS[2]
        boxes, shifts, shares = _scored(boxes, scores).at(kept), shifts[kept], shares[kept]
        corner, far = boxes.edges[:, :2], boxes.edges[:, 2:4]
        # Five x, then five y, as shares of the box, whose pixels MTCNN counts from 1 with both ends in it.
        points = shares.reshape(-1, 2, 5).transpose(1, 2) * (far - corner + 1)[:, None] + corner[:, None] - 1
        boxes = _Boxes(self._code.bbreg(boxes.edges, shifts), boxes.owner)
        kept = self._apart(boxes)
        return boxes.at(kept), points[kept]

    def _apart(self, boxes: _Boxes) -> torch.Tensor:
        """Rows that remain when of two boxes, one largely inside the other, the one of the higher score is kept."""
        edges, kept = boxes.edges.cpu().numpy(), []
        for places in _owned(boxes.owner.cpu()):
            rows = edges[places.numpy()]
            kept.append(places[self._code.nms_numpy(rows[:, :4], rows[:, 4], 0.7, "Min")])
        return torch.cat(kept).to(self.device) if kept else boxes.owner

    def _patches(self, images: torch.Tensor, boxes: _Boxes, side: int) -> tuple[_Boxes, torch.Tensor]:
        """(M, 3, side, side) of what boxes show, and those boxes; one that shows nothing of its picture is left out."""
        top, bottom, left, right = self._code.pad(boxes.edges, images.shape[3], images.shape[2])
        seen = np.flatnonzero((bottom >= top) & (right >= left))
        boxes = boxes.at(torch.from_numpy(seen).to(self.device))
        patches = [
            interpolate(images[owner, None, :, top[k] - 1 : bottom[k], left[k] - 1 : right[k]], side, mode="area")
            for k, owner in zip(seen, boxes.owner.tolist(), strict=True)
        ]
        return boxes, _normal(torch.cat(patches)) if patches else images.new_zeros(0, 3, side, side)


def _pixels(image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    image = image.convert("RGB")
    if size != image.size:
        image = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(image, dtype=np.uint8)


def _normal(pixels: torch.Tensor) -> torch.Tensor:
    """0 to 255 to about -1 to 1, as the networks were trained on."""
    return ((pixels - 127.5) / 128).contiguous(memory_format=torch.channels_last)


def _scored(boxes: _Boxes, scores: torch.Tensor) -> _Boxes:
    return _Boxes(torch.cat((boxes.edges[:, :4], scores[:, 1:2]), dim=1), boxes.owner)


def _owned(owner: torch.Tensor) -> list[torch.Tensor]:
    """For each picture that has boxes, their rows."""
    return [torch.nonzero(owner == one)[:, 0] for one in owner.unique()]


def _distinct(edges: torch.Tensor, owner: torch.Tensor, most: float) -> torch.Tensor:
    """Rows that remain when of two boxes of a picture, overlapping by more, the one of the higher score is kept."""
    kept = [places[nms(edges[places, :4], edges[places, 4], most)] for places in _owned(owner)]
    return torch.cat(kept) if kept else owner
