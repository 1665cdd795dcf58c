"""Image files that Pillow does not write, and broken ones, as bytes."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image


def grey(side: int = 12, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)


def as_bytes(image: Image.Image | np.ndarray, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(stream, kind, **options)
    return stream.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 0, before: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + before + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def png16(values: np.ndarray) -> bytes:
    """Values (H, W, C) of 16 bits, C being 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA)."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(width, height, rows, depth=16, colour={1: 0, 2: 4, 3: 2, 4: 6}[channels])


def tiff16(values: np.ndarray, *, big: bool = False, squeezed: bool = False) -> bytes:
    """Values (H, W, 3) of 16 bits in either order of bytes, as they are or compressed."""
    order, (height, width, channels) = (">" if big else "<"), values.shape
    data = values.astype(f"{order}u2").tobytes()
    data = zlib.compress(data) if squeezed else data
    tags = [(256, width), (257, height), (258, None), (259, 8 if squeezed else 1), (262, 2), (273, None)]
    tags += [(277, channels), (278, height), (279, len(data))]
    after = 8 + 2 + 12 * len(tags) + 4
    depths = struct.pack(f"{order}{channels}H", *[16] * channels)
    out = (b"MM\0*" if big else b"II*\0") + struct.pack(f"{order}IH", 8, len(tags))
    for tag, value in tags:
        value = {258: after, 273: after + len(depths)}.get(tag, value)
        out += struct.pack(f"{order}HHII", tag, 4 if tag != 258 else 3, channels if tag == 258 else 1, value)
    return out + struct.pack(f"{order}I", 0) + depths + data


def looping_tiff() -> bytes:
    """A directory that says that it is followed by itself."""
    whole = bytearray(as_bytes(grey(), "TIFF"))
    (start,) = struct.unpack("<I", whole[4:8])
    (count,) = struct.unpack("<H", whole[start : start + 2])
    struct.pack_into("<I", whole, start + 2 + 12 * count, start)
    return bytes(whole)
