"""A comparison over data sets, ready to be written: means, ranks, and a matrix of pairs."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

from sandbox.evaluation.comparison.ranks import PairOfWays
from sandbox.evaluation.figures import lower_is_better
from sandbox.reporting.compare.digits import equals_p, number, spell_p, whole
from sandbox.reporting.compare.names import figure_name
from sandbox.reporting.compare.several import OverData
from sandbox.reporting.compare.written import Rows, Written

_LEVEL = 0.05
_HOW = (
    "pairs by Wilcoxon's signed ranks over data sets with Holm's correction, as tests of mean ranks (Nemenyi) depend "
    "on which other ways are looked at"
)


def write_data(result: OverData) -> Written:
    """Ways of training over data sets."""
    name, found = figure_name(result.key), result.found
    order = sorted(range(len(result.names)), key=lambda way: found.ranks[way])
    letters = {way: _letter(place) for place, way in enumerate(order)}
    ranks = tuple((f"{letters[way]} {result.names[way]}", number(found.ranks[way], 2)) for way in order)
    means = tuple((label, *_values(result, place, order)) for place, label in enumerate(result.sets))
    said = [*_overall(result, order), *_apart(result), *_reach(result)]
    title = f"{name} over {len(result.sets)} data sets ({result.over}), mean over seeds"
    pairs = [_facts(result, pair) for pair in found.pairs]
    data = {
        "kind": "data sets",
        "over": result.over,
        "figure": {"key": result.key, "name": name, "lower_is_better": lower_is_better(result.key)},
        "sets": list(result.sets),
        "ways": [
            {"name": way, "rank": float(found.ranks[k]), "values": result.values[:, k].tolist()}
            | {"seeds": result.counts[:, k].tolist()}
            for k, way in enumerate(result.names)
        ],
        "friedman": {"statistic": whole(found.statistic), "p": whole(found.p)},
        "pairs": pairs,
        "least_p": found.least,
        "sentences": said,
        "notes": [_HOW, *result.notes],
    }
    heads = tuple(letters[way] for way in order)
    tables = (Rows(("", "mean rank"), ranks), Rows((name, *heads), means), _matrix(result, order, letters))
    return Written(title, tables, tuple(said), (_HOW, *result.notes), data, tuple(pairs))


def _letter(place: int) -> str:
    """A, B ... Z, AA, AB ..."""
    return (_letter(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _values(result: OverData, place: int, order: list[int]) -> list[str]:
    """Means on one data set, with the number of seeds where those are not all as many."""
    few = result.counts.min() != result.counts.max()
    cells = ((result.values[place, way], result.counts[place, way]) for way in order)
    return [number(value, 3) + (f" (n = {count})" if few else "") for value, count in cells]


def _matrix(result: OverData, order: list[int], letters: dict[int, str]) -> Rows:
    """Rows against columns: mean difference, corrected p, data sets won, tied and lost."""
    pairs = {(pair.first, pair.second): pair for pair in result.found.pairs}
    rows = []
    for way in order[:-1]:
        cells = [f"{letters[way]} {result.names[way]}"]
        for other in order[1:]:
            if order.index(other) <= order.index(way):
                cells.append("")
                continue
            pair = pairs.get((way, other)) or _turned(pairs[other, way])
            size = number(pair.difference, 3, sign=True)
            cells.append(f"{size}, {spell_p(pair.holm)}, {pair.wins}/{pair.ties}/{pair.losses}")
        rows.append(tuple(cells))
    return Rows(("difference, p (Holm), won/tied/lost", *(letters[way] for way in order[1:])), tuple(rows))


def _turned(pair: PairOfWays) -> PairOfWays:
    return PairOfWays(
        *(pair.second, pair.first, -pair.difference, pair.p, pair.holm, pair.losses, pair.ties, pair.wins)
    )


def _overall(result: OverData, order: list[int]) -> list[str]:
    found, name = result.found, figure_name(result.key)
    best = result.names[order[0]]
    ahead = f"{best} has the best mean rank, {number(found.ranks[order[0]], 2)} of {len(order)}, by {name}"
    if math.isnan(found.p):
        return [f"{ahead}."]
    if found.p > _LEVEL:
        return [f"{ahead}, but Friedman's test finds no difference among the ways ({equals_p(found.p)})."]
    return [f"{ahead}; Friedman's test finds that the ways differ ({equals_p(found.p)})."]


def _apart(result: OverData) -> list[str]:
    """Which pairs are told apart."""
    told = []
    for pair in result.found.pairs:
        if pair.holm <= _LEVEL:
            ahead = pair if pair.wins > pair.losses else _turned(pair)
            told.append(
                f"{result.names[ahead.first]} is better than {result.names[ahead.second]} (won {ahead.wins} of "
                f"{len(result.sets)} data sets, {equals_p(ahead.holm)} with Holm's correction)"
            )
    return [f"{'; '.join(told)}."] if told else ["No pair is told apart at 5 %."]


def _reach(result: OverData) -> list[str]:
    """What so few data sets cannot show."""
    found, sets, pairs = result.found, len(result.sets), len(list(combinations(result.names, 2)))
    if found.least <= _LEVEL:
        return []
    return [
        f"With {sets} data sets and {pairs} {'pair' if pairs == 1 else 'pairs'} no corrected p can be below "
        f"{found.least:.2g}, whatever the figures are: more data sets, or fewer ways, are needed to tell any apart."
    ]


def _facts(result: OverData, pair: PairOfWays) -> dict[str, Any]:
    return {
        "a": result.names[pair.first],
        "b": result.names[pair.second],
        "difference": pair.difference,
        "p": pair.p,
        "holm": pair.holm,
        "wins": pair.wins,
        "ties": pair.ties,
        "losses": pair.losses,
    }
