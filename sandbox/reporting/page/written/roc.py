"""ROC curves of several runs over one another, with the points that scripts move."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from sandbox.reporting.page.found.operating import Operating

_WIDE, _HIGH = 520, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 505, 10, 262


def roc(runs: Sequence[tuple[str, Operating]]) -> Markup:
    """The curves as SVG: genuine pairs accepted over impostors accepted, the latter on a logarithm."""
    least = _least(runs)
    parts = [f'<svg id="roc" viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="ROC curves, one for each run">']
    for power in range(least, 1):
        x = _across(10.0**power, least)
        parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{_BOTTOM}"/>')
        spelt = f"1e{power}" if power else "1"
        parts.append(f'<text x="{x:.1f}" y="{_BOTTOM + 16}" text-anchor="middle">{spelt}</text>')
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<path class="grid" d="M{_LEFT} {_down(share):.1f}H{_RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{_down(share) + 4:.1f}" text-anchor="end">{share:g}</text>')
    parts.append(f'<text x="{_RIGHT}" y="{_BOTTOM + 31}" text-anchor="end">false accept rate</text>')
    for place, (_, counted) in enumerate(runs):
        far, tar = counted.impostors_from / counted.impostors, counted.genuine_from / counted.genuine
        steps = "".join(  # a FAR between two thresholds has the TAR of the stricter one
            f"V{_down(y):.1f}H{_across(x, least):.1f}" for x, y in zip(far.tolist(), tar.tolist(), strict=True)
        )
        parts.append(f'<path class="line c{place}" d="M{_across(1, least):.1f} {_down(1):.1f}{steps}"/>')
    for place, (letter, _) in enumerate(runs):
        parts.append(f'<g class="point" data-run="{place}"><circle class="at" r="8"/><text dy="4" ')
        parts.append(f'text-anchor="middle">{letter}</text></g>')
    return Markup("".join(parts) + "</svg>")


def points(runs: Sequence[tuple[str, Operating]]) -> list[dict[str, Any]]:
    """For EER and each FAR where each run stands at its own threshold; None where none is strict enough."""
    least = _least(runs)
    names = [mark.name for mark in runs[0][1].marks if mark.name == "EER" or mark.name.startswith("FAR")]
    found = []
    for name in names:
        places = [next((mark.place for mark in counted.marks if mark.name == name), None) for _, counted in runs]
        rows = [
            None if place is None else _point(counted, place, least)
            for (_, counted), place in zip(runs, places, strict=True)
        ]
        found.append({"name": name, "runs": rows})
    return found


def _point(counted: Operating, place: int, least: int) -> dict[str, Any]:
    genuine, impostors = int(counted.genuine_from[place]), int(counted.impostors_from[place])
    tar, far = genuine / counted.genuine, impostors / counted.impostors
    return {
        "x": round(_across(far, least), 1),
        "y": round(_down(tar), 1),
        "threshold": float(counted.threshold[place]),
        "genuine": genuine,
        "ofGenuine": counted.genuine,
        "impostors": impostors,
        "ofImpostors": counted.impostors,
    }


def _least(runs: Sequence[tuple[str, Operating]]) -> int:
    return math.floor(math.log10(1 / max(counted.impostors for _, counted in runs))) or -1


def _across(far: float, least: int) -> float:
    return _LEFT + (_RIGHT - _LEFT) * (1 - math.log10(max(far, 10.0**least)) / least)


def _down(tar: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * tar
