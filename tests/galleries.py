"""Galleries and probes drawn at random, and the search of one person by person."""

from __future__ import annotations

import numpy as np

Case = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def case_of(seed: int, levels: int) -> Case:
    """Probes of people enrolled and of strangers; few `levels` make ties."""
    rng = np.random.default_rng(seed)
    people, dim = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    gallery_y = np.concatenate([np.arange(people), rng.integers(0, people, rng.integers(0, 9))]) * 10 - 20
    rng.shuffle(gallery_y)
    probe_y = rng.integers(0, people + 3, rng.integers(1, 12)) * 10 - 20

    def rows(n: int) -> np.ndarray:
        return (np.round(rng.normal(size=(n, dim)) * levels) / levels).astype(np.float32)

    return rows(len(probe_y)), probe_y, rows(len(gallery_y)), gallery_y


def by_loop(probe: np.ndarray, right: int, gallery: np.ndarray, gallery_y: np.ndarray, template: str) -> tuple:  # type: ignore[type-arg]
    """Rank and top score of one probe, person by person."""
    scores = {}
    for person in set(gallery_y.tolist()):
        own = gallery[gallery_y == person].astype(float)
        if template == "mean":
            mean = own.mean(0)
            length = np.sqrt((mean**2).sum())
            own = (mean / length if length else mean)[None]
        scores[person] = max(
            np.float32(sum(float(a) * float(b) for a, b in zip(probe, row, strict=True))) for row in own
        )
    rank = 0
    if right in scores:
        rank = 1 + len([1 for person, score in scores.items() if person != right and score >= scores[right]])
    return rank, max(scores.values())
