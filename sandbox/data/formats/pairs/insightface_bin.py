"""InsightFace's verification sets (``lfw.bin``, ``agedb_30.bin``): a pickle of images and of what is same.

A pickle is a program. This one is given nothing to run (`sandbox.data.formats.pickles`), and no name is admitted at
all: what comes out can only be plain values, and of those only the expected is accepted.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from sandbox.data.formats.pickles import RefusedError, damaged, load_plain
from sandbox.data.images.decode import decode
from sandbox.errors import SandboxError
from sandbox.recipe.size import ImageSize, sides
from sandbox.wording import counted, reason, shown

_STARTS = b"\x80(]c"  # protocol 2 and later; a tuple, a list or a name in the older ones
_SAVE = (
    "where you trust the file, load it by pickle.load(file, encoding='bytes') and save it again by "
    "pickle.dump(([bytes(b) for b in bins], [bool(s) for s in same]), file, protocol=4)"
)


def read_bin(file: Path) -> tuple[list[bytes], np.ndarray]:
    """Read the images of a verification set and which pairs are same, without running what a pickle may carry.

    The file must be a pickle of ``(bins, issame_list)`` in plain lists, as Python 2 or, with protocol 3 or later,
    Python 3 writes them. Pickles that call anything are refused, NumPy's values and the bytes of Python 3's protocols
    0 to 2 among them.

    Returns:
        2 M encoded images, those of pair i at 2 i and 2 i + 1, and same (M,) bool.

    Raises:
        SandboxError: the file cannot be read, is no whole pickle, asks to call something, holds anything else than two
            images for each of M bools, or has no genuine or no impostor pair.
    """
    try:
        content = file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        raise SandboxError(f"cannot read the verification set {file}: {reason(error).lower()}") from None
    if not content:
        raise SandboxError(f"{file} is empty; a pickle of (bins, issame_list) is needed")
    if content[0] not in _STARTS:
        raise SandboxError(f"{file} is not a pickle of (bins, issame_list), such as InsightFace's lfw.bin")
    try:
        held = load_plain(io.BytesIO(content), admitted=())
    except RefusedError as refused:
        raise _refusal(file, str(refused)) from None
    except Exception as error:
        raise damaged(file, error) from None
    return _images_and_same(file, held)


def decode_pairs(images: list[bytes], size: ImageSize, file: Path | None = None) -> np.ndarray:
    """The images of `read_bin` as pixels.

    Args:
        images: 2 M encoded images, each a JPEG or a PNG.
        size: side, or height x width, in pixels; an image of another size is resized as `decode` does.
        file: where they came from, for the error.

    Returns:
        (2 M, height, width, 3) uint8, RGB.

    Raises:
        SandboxError: images cannot be decoded; they are counted and the first named by its number, from 0.
    """
    pixels = np.zeros((len(images), *sides(size), 3), np.uint8)
    broken = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for number, image in enumerate(images):
            # Pillow goes by an image's first bytes, and has formats, such as EPS, that it hands to other programs.
            if not image.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
                broken[number] = "not a JPEG or PNG" if image else "empty"
                continue
            try:
                pixels[number] = decode(cast(Path, io.BytesIO(image)), size, 3)  # Pillow opens either
            except Exception as error:  # Pillow's decoders raise a dozen unrelated types on broken files
                broken[number] = reason(error)
    if broken:
        number, why = next(iter(broken.items()))
        raise SandboxError(
            f"{len(broken):,} of {counted(len(images), 'image', 'images')}{f' in {file}' if file else ''} cannot be "
            f"decoded, the first is image {number}, {'right' if number % 2 else 'left'} of pair {number // 2}, both "
            f"counted from 0: {why}"
        )
    return pixels


def _refusal(file: Path, name: str) -> SandboxError:
    """What a pickle asks for and is not given; how to save it anew where it is one of the known kinds."""
    known = ""
    if name in ("_codecs.encode", "__builtin__.bytes", "builtins.bytes"):
        known = "bytes as Python 3 writes them in protocols 0 to 2"
    elif name.startswith("numpy."):
        known = "values of NumPy where plain bytes and bools are needed"
    if known:
        return SandboxError(
            f"{file} holds {known}, made by a call of {shown(name)}, and nothing in a pickle is called here; {_SAVE}"
        )
    return SandboxError(
        f"{file} asks for {shown(name)}, which is refused because it could run code; a verification set is "
        "(bins, issame_list), a list of encoded images and one of bools"
    )


def _images_and_same(file: Path, held: Any) -> tuple[list[bytes], np.ndarray]:
    if not isinstance(held, tuple | list) or len(held) != 2 or not all(isinstance(part, tuple | list) for part in held):
        parts = f" of {', '.join(map(_kind, held[:5]))}" if isinstance(held, tuple | list) and held else ""
        raise SandboxError(f"{file} must hold two lists, (bins, issame_list), but it holds {_kind(held)}{parts}")
    images, same = held
    for number, image in enumerate(images):
        if not isinstance(image, bytes):
            raise SandboxError(f"{file} must hold encoded images as bytes, but image {number} is {_kind(image)}")
    for number, value in enumerate(same):
        if not isinstance(value, int) or value not in (0, 1):
            what = value if isinstance(value, int) and abs(value) < 10**9 else _kind(value)
            raise SandboxError(f"{file} must say True or False for each pair, but pair {number} has {what}")
    if len(images) != 2 * len(same):
        raise SandboxError(
            f"{file} holds {counted(len(images), 'image', 'images')} for {counted(len(same), 'pair', 'pairs')}, but a "
            "pair is two images"
        )
    genuine = sum(same)
    if genuine in (0, len(same)):
        raise SandboxError(
            f"{file} holds no {'impostor' if genuine else 'genuine'} pair among {len(same):,}; "
            "verification needs both kinds"
        )
    return list(images), np.array(same, dtype=bool)


def _kind(value: object) -> str:
    """What a plain value is, in words."""
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value):,}"
    words = {bytes: "bytes", str: "text", bool: "a bool", int: "an integer", float: "a number", type(None): "None"}
    return words.get(type(value), f"a {type(value).__name__}")
