"""What the scripts of a page draw from, as plain data."""

from __future__ import annotations

from typing import Any

import numpy as np

from sandbox.reporting.page.found.looked import Looked
from sandbox.reporting.page.found.packed import packed

CLASSES = 5_000
"""Of the hardest that can be searched."""


def scripted(looked: Looked, *, classes: int = CLASSES) -> dict[str, Any]:
    """The data of a page; a part that a run lacks is null.

    Args:
        looked: what embeddings show.
        classes: that can be searched at most, the hardest.
    """
    own, pairs = looked.own, looked.pairs
    hardest = looked.classes[:classes]
    told = {label for row in hardest for label in (row.label, row.taken_for) if label is not None}
    data: dict[str, Any] = {"classes": own.names(told), "own": own.facts(), "pairs": pairs.facts()}
    data["pairClasses"] = None if pairs is own else pairs.names()
    data["verification"] = _verification(looked)
    data["retrieval"] = _retrieval(looked)
    data["difficulty"] = [
        [row.label, row.images, round(row.precision, 4), round(row.first, 4), row.taken_for, row.mistakes]
        for row in hardest
    ]
    data["map"] = _map(looked)
    return data


def _verification(looked: Looked) -> dict[str, Any] | None:
    counted, near = looked.counted, looked.near
    if counted is None or near is None:
        return None
    return {
        "threshold": packed(counted.threshold, "f4"),
        "genuineFrom": packed(counted.genuine_from, "f8"),
        "impostorsFrom": packed(counted.impostors_from, "f8"),
        "genuine": counted.genuine,
        "impostors": counted.impostors,
        "edges": packed(counted.edges, "f4"),
        "genuineIn": packed(counted.genuine_in, "f8"),
        "impostorsIn": packed(counted.impostors_in, "f8"),
        "marks": [{"name": mark.name, "place": mark.place, "note": mark.note} for mark in counted.marks],
        "near": {
            "left": looked.pairs.packed(near.left),
            "right": looked.pairs.packed(near.right),
            "scores": packed(near.scores, "f4"),
            "same": near.same.astype(int).tolist(),
        },
    }


def _retrieval(looked: Looked) -> dict[str, Any] | None:
    found, shown = looked.searched, looked.shown
    if found is None:
        return None
    return {
        "queries": looked.own.packed(found.rows[shown]),
        "ids": looked.own.packed(found.ids[shown]),
        "scores": packed(found.scores[shown], "f4"),
        "precision": packed(found.precision[shown], "f4"),
        "shown": found.ids.shape[1],
        "all": len(found.rows),
    }


def _map(looked: Looked) -> dict[str, Any] | None:
    places = looked.places
    if places is None:
        return None
    return {
        "rows": looked.own.packed(places.rows),
        "across": packed(np.round(places.places[:, 0], 4), "f4"),
        "down": packed(np.round(places.places[:, 1], 4), "f4"),
        "coloured": list(places.coloured),
    }
