"""Embeddings that are drawn for benchmarks, and the faces of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def faces(file: str) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (N, 128) float32 and labels: of a file, or drawn with as many rows and identities as LFW."""
    if file:
        from sandbox.data.formats.rows.embeddings import read_embeddings

        held = read_embeddings(Path(file))
        return held.x, held.labels
    rng = np.random.default_rng(0)
    share = np.arange(1, 5750) ** -0.9
    y = np.concatenate([np.arange(5749), rng.choice(5749, 13233 - 5749, p=share / share.sum())])
    x = rng.normal(size=(5749, 128))[y] + 0.8 * rng.normal(size=(len(y), 128))
    return x.astype(np.float32), y


def classes(rows: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows (N, 128) float32 of overlapping classes of one size, and labels."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % (rows // each)
    x = rng.normal(size=(rows // each, 128))[y] + 1.2 * rng.normal(size=(rows, 128))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y
