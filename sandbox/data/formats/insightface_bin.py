"""InsightFace's verification sets (``lfw.bin``, ``agedb_30.bin``): a pickle of images and of what is same.

A pickle is a program. This one is read in two steps of which either would do: its instructions are walked through
first, and none is let by that could call, import or look up anything; then an unpickler loads it that refuses every
name. What comes out can only be lists, tuples, bytes, text and numbers, and of those only the expected is accepted.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import warnings
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
from PIL import Image

from sandbox.data.images.decode import decode
from sandbox.errors import SandboxError
from sandbox.wording import counted, reason, shown

_MEMO = {"PUT", "BINPUT", "LONG_BINPUT"}
_PLAIN = _MEMO | {
    *("PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "MEMOIZE", "GET", "BINGET", "LONG_BINGET"),
    *("EMPTY_LIST", "LIST", "APPEND", "APPENDS", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1"),
    *("STRING", "SHORT_BINSTRING", "BINSTRING", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
}
"""Instructions that make plain values. Text is none of them, but it carries the name that a refusal should say."""
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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of odd backslashes in the strings of protocol 0
        _refuse_calls(file, content)
        try:
            held = _PlainUnpickler(io.BytesIO(content), encoding="bytes").load()
        except Exception as error:  # a stack that runs dry raises IndexError, TypeError, ValueError, ... by instruction
            raise _damaged(file, error) from None
    return _images_and_same(file, held)


def decode_pairs(images: list[bytes], size: int, file: Path | None = None) -> np.ndarray:
    """The images of `read_bin` as pixels.

    Args:
        images: 2 M encoded images, each a JPEG or a PNG.
        size: side in pixels; an image of another size is resized as `decode` does.
        file: where they came from, for the error.

    Returns:
        (2 M, size, size, 3) uint8, RGB.

    Raises:
        SandboxError: images cannot be decoded; they are counted and the first named by its number, from 0.
    """
    pixels = np.zeros((len(images), size, size, 3), np.uint8)
    damaged = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for number, image in enumerate(images):
            # Pillow goes by an image's first bytes, and has formats, such as EPS, that it hands to other programs.
            if not image.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
                damaged[number] = "not a JPEG or PNG" if image else "empty"
                continue
            try:
                pixels[number] = decode(cast(Path, io.BytesIO(image)), size, 3)  # Pillow opens either
            except Exception as error:  # Pillow's decoders raise a dozen unrelated types on broken files
                damaged[number] = reason(error)
    if damaged:
        number, why = next(iter(damaged.items()))
        raise SandboxError(
            f"{len(damaged):,} of {counted(len(images), 'image', 'images')}{f' in {file}' if file else ''} cannot be "
            f"decoded, the first is image {number}, {'right' if number % 2 else 'left'} of pair {number // 2}, both "
            f"counted from 0: {why}"
        )
    return pixels


class _PlainUnpickler(pickle.Unpickler):
    """Finds nothing by name."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")

    def persistent_load(self, pid: object) -> NoReturn:
        raise pickle.UnpicklingError("it asks for an object kept elsewhere")


def _refuse_calls(file: Path, content: bytes) -> None:
    """Walk through the instructions without following them, and let none by that makes more than plain values."""
    texts = ["", ""]
    try:
        for count, (code, argument, place) in enumerate(pickletools.genops(content)):
            if code.name not in _PLAIN:
                raise _refusal(file, code.name, argument, place or 0, texts)
            if code.name in _MEMO and cast(int, argument) > count:
                raise ValueError(f"place {argument} in a memo of {count}")  # the unpickler would make a memo that long
            if isinstance(argument, str):
                texts = [texts[1], argument]
    except SandboxError:
        raise
    except UnicodeDecodeError:  # pickletools takes the strings of Python 2's protocol 0 for ASCII
        raise SandboxError(
            f"{file} is damaged or a pickle of protocol 0, whose strings are not read; {_SAVE}"
        ) from None
    except Exception as error:  # pickletools raises ValueError, but int() and codecs whatever they like
        raise _damaged(file, error) from None


def _refusal(file: Path, code: str, argument: object, place: int, texts: list[str]) -> SandboxError:
    name = ""
    if code in ("GLOBAL", "INST"):
        name = str(argument).replace(" ", ".", 1)
    elif code == "STACK_GLOBAL":
        name = ".".join(texts)
    known = ""
    if name in ("_codecs.encode", "__builtin__.bytes", "builtins.bytes"):
        known = "bytes as Python 3 writes them in protocols 0 to 2"
    elif name.startswith("numpy."):
        known = "values of NumPy where plain bytes and bools are needed"
    if known:
        return SandboxError(
            f"{file} holds {known}, made by a call of {shown(name)}, and nothing in a pickle is called here; {_SAVE}"
        )
    what = f"asks for {shown(name)}" if name else "holds an instruction that plain bytes and bools do not need"
    return SandboxError(
        f"{file} {what} ({code} at byte {place}), which is refused because it could run code; a verification set is "
        "(bins, issame_list), a list of encoded images and one of bools"
    )


def _damaged(file: Path, error: Exception) -> SandboxError:
    return SandboxError(f"{file} is damaged, cut short or not a pickle: {shown(reason(error))}")


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
    return {bytes: "bytes", str: "text", bool: "a bool", int: "an integer", type(None): "None"}[type(value)]
