"""Letters drawn by matplotlib's fonts: 1,589 classes that need no download.

A class is a letter, an image is how one font draws it. Training sees Latin letters and a few signs beside them, and is
judged on scripts it has never seen: chosen on Georgian, Armenian and Lao, tested on Greek and Cyrillic.
"""

from __future__ import annotations

import hashlib
import io
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageDraw, ImageFont

from sandbox.data.datasets.dataset import DataSet
from sandbox.data.formats.rows.npz import NpzError, read_npz
from sandbox.data.images.cache import cache_folder, cached_file
from sandbox.data.images.form import Form
from sandbox.data.images.image_set import image_set, without_small
from sandbox.data.images.resize import resized
from sandbox.data.splits.draw import sample_disjoint
from sandbox.data.splits.splits import Splits, given
from sandbox.recipe.specs import DataSpec

SIDE = 32
_VERSION = 3  # raise it when the geometry or the choice of letters changes, so that older caches are passed over
_FONT_SIZE = 28
_LARGEST = 30
_LEAST_FONTS = 8
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lo"})
_VAL_SCRIPTS = frozenset({"GEORGIAN", "ARMENIAN", "LAO"})
_TEST_SCRIPTS = frozenset({"GREEK", "CYRILLIC"})

Drawings = dict[str, dict[str, np.ndarray]]
"""Letter -> font -> (SIDE, SIDE) uint8."""


def load(spec: DataSpec) -> Splits:
    """The letters, split by script (auto, class, given) or with every letter in every split (sample).

    Drawing takes some seconds once; then the images come from the cache.

    Raises:
        SandboxError: `data.min_images` leaves too few letters.
    """
    grey, names, splits, paths = _stored()
    whole = image_set(resized(grey[..., None], Form.of(spec)), names, paths)
    images, notes = without_small(whole, spec.min_images)
    if spec.split == "sample":
        return sample_disjoint(images, spec.validation, spec.test, spec.split_seed, notes=notes)
    split_of = dict(zip(paths, splits, strict=True))
    part_of = np.array([split_of[path] for path in images.paths])
    train, val, test = (images.take(np.flatnonzero(part_of == part)) for part in ("train", "val", "test"))
    return given(train, val, test, notes=notes)


def _stored() -> tuple[np.ndarray, list[str], list[str], list[str]]:
    """Pixels (N, SIDE, SIDE), class names, splits and paths, from the cache or drawn."""
    import matplotlib

    versions = f"{_VERSION} {matplotlib.__version__} {PIL.__version__} {unicodedata.unidata_version}"
    file = cache_folder() / f"glyphs-{hashlib.sha256(versions.encode()).hexdigest()[:12]}.npz"
    try:
        stored = read_npz(file)
        return stored.arrays["pixels"], stored.texts["names"], stored.texts["splits"], stored.texts["paths"]
    except (NpzError, KeyError):  # not there yet, or damaged
        pass
    pixels, names, splits, paths = _drawn()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, pixels=pixels, names=np.array(names), splits=np.array(splits), paths=np.array(paths))
    with cached_file(file) as part:
        part.write_bytes(buffer.getvalue())
    return pixels, names, splits, paths


def _drawn() -> tuple[np.ndarray, list[str], list[str], list[str]]:
    drawings = _draw_letters()
    pixels, names, splits, paths = [], [], [], []
    classes = _classes(drawings)
    # What two classes share shows neither: no embedding could tell them apart, and one may be trained on.
    owners = Counter(
        image for letters in classes for image in {i.tobytes() for one in letters for i in drawings[one].values()}
    )
    for letters in classes:
        # A second drawing like the first would be matched for nothing.
        distinct: dict[bytes, tuple[str, np.ndarray]] = {}
        for letter in letters:
            for font, image in drawings[letter].items():
                if owners[image.tobytes()] == 1:
                    distinct.setdefault(image.tobytes(), (f"U+{ord(letter):04X}/{font}", image))
        pixels += [image for _, image in distinct.values()]
        paths += [path for path, _ in distinct.values()]
        names += [unicodedata.name(letters[0])] * len(distinct)
        splits += [_split(letters)] * len(distinct)
    return np.stack(pixels), names, splits, paths


def _draw_letters() -> Drawings:
    """Every letter that enough of the fonts draw."""
    import matplotlib
    from matplotlib.ft2font import FT2Font

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    files = [file for file in sorted(folder.glob("*.ttf")) if "LastResort" not in file.name]  # that one draws boxes
    drawable = {file: sorted(map(chr, FT2Font(str(file)).get_charmap())) for file in files}
    fonts = Counter(letter for letters in drawable.values() for letter in letters)
    wanted = {
        letter for letter, count in fonts.items() if count >= _LEAST_FONTS and unicodedata.category(letter) in _LETTERS
    }
    drawings: Drawings = defaultdict(dict)
    for file, letters in drawable.items():
        # The plain layout, so that drawings do not depend on whether a text shaper is installed.
        font = ImageFont.truetype(str(file), _FONT_SIZE, layout_engine=ImageFont.Layout.BASIC)
        for letter in letters:
            image = _draw(font, letter) if letter in wanted else None
            if image is not None:
                drawings[letter][file.stem] = image
    return {letter: images for letter, images in sorted(drawings.items()) if len(images) >= _LEAST_FONTS}


def _draw(font: ImageFont.FreeTypeFont, letter: str) -> np.ndarray | None:
    """White on black, its ink centred, shrunk where it is larger than the image; None where there is no ink."""
    left, top, right, bottom = font.getbbox(letter)
    canvas = Image.new("L", (2 * SIDE, 2 * SIDE))
    ImageDraw.Draw(canvas).text((SIDE - (left + right) / 2, SIDE - (top + bottom) / 2), letter, fill=255, font=font)
    ink = canvas.getbbox()
    if ink is None:
        return None
    drawn = canvas.crop(ink)
    if max(drawn.size) > _LARGEST:
        scale = _LARGEST / max(drawn.size)
        width, height = (max(1, round(side * scale)) for side in drawn.size)
        drawn = drawn.resize((width, height), Image.Resampling.BILINEAR)
    square = Image.new("L", (SIDE, SIDE))
    square.paste(drawn, ((SIDE - drawn.width) // 2, (SIDE - drawn.height) // 2))
    return np.asarray(square)


def _classes(drawings: Drawings) -> list[list[str]]:
    """Letters that look alike, together: Latin A, Greek Alpha and Cyrillic A cannot be told apart.

    Two letters belong together where at least half of the fonts that have both draw them identically; so do letters
    that a third one joins.
    """
    by_image: dict[tuple[str, bytes], list[str]] = defaultdict(list)
    for letter, images in drawings.items():
        for font, image in images.items():
            by_image[font, image.tobytes()].append(letter)
    alike = Counter(pair for letters in by_image.values() for pair in combinations(letters, 2))
    first = {letter: letter for letter in drawings}
    for (one, other), fonts in alike.items():
        if 2 * fonts >= len(drawings[one].keys() & drawings[other].keys()):
            _join(first, one, other)
    groups: dict[str, list[str]] = defaultdict(list)
    for letter in drawings:
        groups[_root(first, letter)].append(letter)
    return list(groups.values())


def _join(first: dict[str, str], one: str, other: str) -> None:
    earlier, later = sorted((_root(first, one), _root(first, other)))
    first[later] = earlier


def _root(first: dict[str, str], letter: str) -> str:
    while first[letter] != letter:
        letter = first[letter]
    return letter


def _split(letters: Iterable[str]) -> str:
    """Which split a class is in; one that shares a drawing with a training script is trained on."""
    scripts = {unicodedata.name(letter).split()[0] for letter in letters}
    return "test" if scripts <= _TEST_SCRIPTS else "val" if scripts <= _VAL_SCRIPTS else "train"


DATA_SET = DataSet(
    name="glyphs",
    load=load,
    line="letters in the fonts of matplotlib, embedded: trains on Latin, tests on Greek and Cyrillic",
    citation="drawn from DejaVu, STIX and the Computer Modern fonts that matplotlib ships",
    source="embedded",
    has_files=False,
    image_size=SIDE,
    splits=("auto", "class", "given", "sample"),
)
