"""How a network is named in one word: a path or ``timm:NAME``, and in brackets what the file itself does not say."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.errors import SandboxError, unknown
from sandbox.wording import shown

LIBRARIES = ("timm:", "torchvision:")
SETTINGS = ("size", "mean", "scale", "channels", "layout", "output", "weights")
"""What may stand in the brackets; `sandbox.inference.foreign_onnx` and `published_network` say what each means."""
_SHAPE = re.compile(r"(?P<name>.*\.onnx|(?:timm|torchvision):[^()]+)\((?P<inside>.*)\)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class NetworkText:
    """A network as a person names it."""

    name: str
    """A folder, a file, ``timm:NAME`` or ``torchvision:NAME``."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """By the names of `SETTINGS`."""

    @property
    def of_library(self) -> bool:
        """Whether a library makes it."""
        return self.name.startswith(LIBRARIES)

    @property
    def is_there(self) -> bool:
        """Whether it lies where it is said to, as far as that is a place."""
        return self.of_library or os.path.exists(self.name)

    def __str__(self) -> str:
        """As `read_text` reads it."""
        inside = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"{self.name}({inside})" if inside else self.name


def read_text(text: str) -> NetworkText:
    """A network's name parted from its settings: ``face.onnx(size=112, mean=127.5, scale=0.0078125, channels=bgr)``.

    Raises:
        SandboxError: a setting that there is not, that is given twice, or that has no value.
    """
    found = None if os.path.exists(text) else _SHAPE.fullmatch(text)
    if found is None:
        return NetworkText(text)
    settings: dict[str, str] = {}
    for part in found["inside"].split(","):
        key, equals, value = (word.strip() for word in part.partition("="))
        if key not in SETTINGS:
            raise unknown("setting of a network", key, SETTINGS)
        if key in settings or not equals or not value:
            what = "is given twice" if key in settings else "has no value"
            raise SandboxError(f"{key} {what} in {shown(text)}")
        settings[key] = value
    return NetworkText(found["name"], settings)


def is_network_alone(text: str) -> bool:
    """Whether a word names a network that comes without images: an ONNX file, a library's, or a hub's folder."""
    named = read_text(text)
    onnx = named.name.lower().endswith(".onnx") and not os.path.isdir(named.name)
    hub = os.path.isfile(os.path.join(named.name, "config.json")) and not os.path.isfile(
        os.path.join(named.name, "run.json")
    )
    return onnx or named.of_library or hub
