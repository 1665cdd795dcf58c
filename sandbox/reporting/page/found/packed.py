"""Data for the scripts of a page: arrays as base64, and JSON that stays JSON whatever a class is called."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import numpy as np

_KINDS = {"u2": "<u2", "u4": "<u4", "i4": "<i4", "f4": "<f4", "f8": "<f8"}


def packed(values: np.ndarray, kind: str) -> dict[str, str]:
    """An array as its kind (``u2``, ``u4``, ``i4``, ``f4``, ``f8``) and its little-endian bytes in base64."""
    return {"kind": kind, "bytes": b64encode(np.ascontiguousarray(values, _KINDS[kind]).tobytes()).decode("ascii")}


def packed_rows(rows: np.ndarray, most: int) -> dict[str, str]:
    """Row numbers below `most`, in two bytes each where that is enough."""
    return packed(rows, "u2" if most <= 1 << 16 else "u4")


def as_script(data: Any) -> str:
    """JSON for the inside of a script element: without <, > and &, so that nothing in it ends the element."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
