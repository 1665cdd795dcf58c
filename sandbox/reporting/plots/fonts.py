"""The fonts that pictures are lettered in: matplotlib's, which are there wherever it is."""

from __future__ import annotations

from pathlib import Path

from PIL import ImageFont


def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which has Latin, Greek and Cyrillic letters.

    Args:
        size: pixels.
        bold: the heavy cut.
    """
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
