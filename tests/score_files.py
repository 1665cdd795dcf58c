"""Files of embeddings that evaluate.py scores, and the report that it writes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

PEOPLE, IMAGES, DIM = 20, 5, 20
Report = dict[str, dict[str, Any]]


def rows(seed: int = 0, noise: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows of 20 people, 5 images each, that overlap a little."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(PEOPLE), IMAGES)
    x = rng.normal(size=(PEOPLE, DIM))[y] + noise * rng.normal(size=(len(y), DIM))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


def saved(file: Path, **arrays: Any) -> Path:
    """The npz file of arrays."""
    np.savez(file, **arrays)
    return file


def read(file: Path) -> Report:
    """A report of which every entry is whole."""

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    report: Report = json.loads(file.read_text(), parse_constant=refuse)
    for key, entry in report.items():
        assert {"value", "low", "high", "n"} <= entry.keys(), key
        assert entry["low"] <= entry["value"] <= entry["high"], key
        assert all(math.isfinite(value) for value in entry.values() if isinstance(value, float)), key
    return report
