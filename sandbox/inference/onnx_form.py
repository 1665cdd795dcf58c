"""What images an ONNX file takes that was not made here: by its shapes and metadata, else by what a person says.

Metadata are those of https://onnx.ai/onnx/repo-docs/MetadataProps.html, ``Image.BitmapPixelFormat`` and
``Image.NominalPixelRange``, whose keys and values are read whatever their case; beside them plain keys of the settings'
own names (size, mean, scale, channels, layout), which a maker may write.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.errors import SandboxError
from sandbox.wording import shown

KINDS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_ORDERS = ("rgb", "bgr", "grey")
_LAYOUTS = ("nchw", "nhwc")
_FORMATS = {"gray8": "grey", "rgb8": "rgb", "bgr8": "bgr"}
_RANGES = {
    "nominalrange_0_255": ("0", "1"),
    "normalized_0_1": ("0", str(1 / 255)),
    "normalized_1_1": ("127.5", str(1 / 127.5)),
}
"""Mean and scale of each."""
_SUCH = {"size": "112", "channels": "bgr", "mean": "127.5", "scale": "0.0078125"}
"""What InsightFace's networks take, as an example."""
_LARGEST = 4096  # pixels


@dataclass(frozen=True)
class OnnxForm:
    """How pixels 0 to 255 become what a graph takes: (pixel - mean) * scale, in its order and layout."""

    size: int
    """Side of the square, pixels."""
    order: str
    """rgb, bgr or grey."""
    layout: str
    """nchw or nhwc."""
    mean: tuple[float, ...]
    """One number, or one for each channel in the graph's order."""
    scale: tuple[float, ...]
    kind: str
    """ONNX Runtime's name of the numbers."""

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return 1 if self.order == "grey" else 3

    def put(self, pixels: np.ndarray) -> np.ndarray:
        """Images (N, S, S, C) uint8, RGB or grey, as the graph takes them."""
        images = pixels[..., ::-1] if self.order == "bgr" else pixels
        if self.kind != "tensor(uint8)":
            mean, scale = (np.array(values, np.float32) for values in (self.mean, self.scale))
            images = ((images.astype(np.float32) - mean) * scale).astype(KINDS[self.kind])
        return np.ascontiguousarray(images.transpose(0, 3, 1, 2) if self.layout == "nchw" else images)


def form_of(
    file: Any, shape: Sequence[Any], kind: str, metadata: Mapping[str, str], given: Mapping[str, str]
) -> OnnxForm:
    """What a graph's input takes.

    Args:
        file: named in errors.
        shape: of its input, four sides; what is no whole number is open.
        kind: of its numbers.
        metadata: of the file.
        given: settings of a person, which go over all that the file says.

    Raises:
        SandboxError: the input is no batch of images, a setting contradicts its shape, or something is not known.
    """
    if kind not in KINDS or len(shape) != 4:
        raise SandboxError(f"{file} takes {list(shape)} of {kind}, and no batch of images (N, C, H, W) or (N, H, W, C)")
    said = {**_told(metadata), **given}
    layout = _one_of(file, "layout", said.get("layout") or _layout(shape), _LAYOUTS)
    sides, channels = (shape[2:], shape[1]) if layout == "nchw" else (shape[1:3], shape[3])
    order = said.get("channels") or ("grey" if channels == 1 else "")
    if kind == "tensor(uint8)":
        said = {"mean": "0", "scale": "1"} | said
    missing = [
        flag
        for flag, value in (("channels", order), ("mean", said.get("mean")), ("scale", said.get("scale")))
        if not value
    ]
    fixed = sorted({side for side in sides if isinstance(side, int)})
    if not fixed and "size" not in said:
        missing.insert(0, "size")
    if missing:
        flags = " ".join(f"--{name} {_SUCH[name]}" for name in missing)
        words = ", ".join(f"{name}={_SUCH[name]}" for name in missing)
        *names, last = missing
        raise SandboxError(
            f"{file} does not say its {' and '.join([', '.join(names), last] if names else [last])}: give it, such as "
            f'{flags}; where a network is named in one word, "{file}({words})"'
        )
    order = _one_of(file, "channels", order, _ORDERS)
    size = _side(file, said.get("size"), fixed)
    count = 1 if order == "grey" else 3
    if isinstance(channels, int) and channels != count:
        raise SandboxError(f"{file} takes images of {channels} channels, and channels {order} are {count}")
    mean, scale = (_numbers(file, name, said[name], count) for name in ("mean", "scale"))
    if kind == "tensor(uint8)" and (set(mean), set(scale)) != ({0.0}, {1.0}):
        raise SandboxError(f"{file} takes pixels 0 to 255 as they are (uint8), so no mean or scale fits before it")
    return OnnxForm(size, order, layout, mean, scale, kind)


def _told(metadata: Mapping[str, str]) -> dict[str, str]:
    """What metadata say, by the settings' names."""
    low = {key.lower(): value.strip() for key, value in metadata.items()}
    said = {key: low[key].lower() for key in ("size", "mean", "scale", "channels", "layout") if low.get(key)}
    if (order := _FORMATS.get(low.get("image.bitmappixelformat", "").lower())) is not None:
        said["channels"] = order
    if (values := _RANGES.get(low.get("image.nominalpixelrange", "").lower())) is not None:
        said["mean"], said["scale"] = values
    return said


def _layout(shape: Sequence[Any]) -> str:
    """By which side is 1 or 3; channels first where neither or both are."""
    return "nhwc" if shape[3] in (1, 3) and shape[1] not in (1, 3) else "nchw"


def _one_of(file: Any, name: str, value: str, allowed: Sequence[str]) -> str:
    value = "grey" if value.lower() == "gray" else value.lower()
    if value not in allowed:
        raise SandboxError(f"{name} of {file} is {shown(value)}, but is one of {', '.join(allowed)}")
    return value


def _side(file: Any, said: str | None, fixed: Sequence[int]) -> int:
    if len(fixed) > 1:
        raise SandboxError(f"{file} takes images of {' x '.join(map(str, fixed))}, and only square ones are given it")
    if said is not None and not re.fullmatch(r"[0-9]{1,4}", said):
        raise SandboxError(f"size of {file} is {shown(said)}, but is a whole number of pixels, 1 to {_LARGEST:,}")
    size = fixed[0] if said is None else int(said)
    if fixed and size != fixed[0]:
        raise SandboxError(f"size is {size}, but {file} takes images of {fixed[0]} pixels")
    if not 1 <= size <= _LARGEST:
        raise SandboxError(f"size of {file} is {size}, but lies between 1 and {_LARGEST:,} pixels")
    return size


def _numbers(file: Any, name: str, text: str, channels: int) -> tuple[float, ...]:
    words = re.split(r"[\s;,/]+", text.strip("[]() "))
    try:
        values = tuple(float(word) for word in words)
    except ValueError:
        values = ()
    if len(values) not in (1, channels) or not all(map(math.isfinite, values)) or (name == "scale" and 0 in values):
        each = "" if channels == 1 else ", or three parted by blanks, in the order of its channels"
        raise SandboxError(f"{name} of {file} is {shown(text)}, but is one number{each}")
    return values
