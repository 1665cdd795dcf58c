"""A comparison of two, over seeds or of one run each, ready to be written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sandbox.evaluation.comparison.equal import Equivalence
from sandbox.reporting.compare import sentences
from sandbox.reporting.compare.digits import number, places, spell_p, whole
from sandbox.reporting.compare.fit import spell_seeds
from sandbox.reporting.compare.names import figure_name
from sandbox.reporting.compare.seeds import FigureOverSeeds, OverSeeds, Served
from sandbox.reporting.compare.single import FigureOfTwo, OfTwoRuns
from sandbox.reporting.compare.written import Rows, Written

_HOW = (
    "paired t-test and t-interval over shared seeds, as signed ranks (Wilcoxon) of fewer than six pairs never reach "
    "5 %; P(A > B) is the share of seeds in which A is better, ties halved"
)

_BY_LETTER = ("A", "B")
"""What both are called in the sentences below a table, above which their names stand; in JSON each has them in full."""


def write_seeds(result: OverSeeds, notes: Sequence[str] = ()) -> Written:
    """A comparison over seeds."""
    a, b = result.names
    head = ("", "A", "B", "A - B", "95 % interval", "P(A > B)", "p", *(["Holm"] if len(result.figures) > 1 else []))
    rows = tuple(_row_of_seeds(figure)[: len(head)] for figure in result.figures)
    weak = [figure_name(f.key) for f in result.figures if not f.supported]
    beside = [f"too few impostor pairs (below 30 / FAR) for {', '.join(weak)} to be relied on"] if weak else []
    fewer = [f for f in result.figures if f.seeds != result.seeds]
    beside += [f"{figure_name(f.key)} is over {spell_seeds(f.seeds)} alone" for f in fewer]
    data = {
        "kind": "seeds",
        "a": {"name": a, "digest": result.digests[0]},
        "b": {"name": b, "digest": result.digests[1]},
        "seeds": list(result.seeds),
        "test": "paired t-test over shared seeds",
        "figures": [_facts_of_seeds(result, figure) for figure in result.figures],
        "served": [_facts_of_served(each) for each in result.served],
    }
    return _written(
        f"A: {a}\nB: {b}\n{spell_seeds(result.seeds)} of each",
        (Rows(head, rows), *_served(result.served)),
        [sentences.of_seeds(replace(result, names=_BY_LETTER), figure) for figure in result.figures],
        (_HOW, *beside, *result.notes, *notes),
        data,
    )


def write_two(result: OfTwoRuns, notes: Sequence[str] = ()) -> Written:
    """A comparison of two runs."""
    a, b = result.names
    rows = tuple(_row_of_two(figure) for figure in result.figures)
    data = {
        "kind": "runs",
        "a": {"name": a, "digest": result.digests[0]},
        "b": {"name": b, "digest": result.digests[1]},
        "seeds": [result.seed],
        "identities": result.identities,
        "test": "identities of test drawn anew for both networks together",
        "figures": [_facts_of_two(result, figure) for figure in result.figures],
        "served": [_facts_of_served(each) for each in result.served],
    }
    lettered = replace(result, names=_BY_LETTER)
    said = [*(sentences.of_two(lettered, figure) for figure in result.figures), sentences.of_training_luck(result)]
    table = Rows(("", "A", "B", "A - B", "95 % interval"), rows)
    title = f"A: {a}\nB: {b}\none run of each, seed {result.seed}, on the same test images"
    return _written(title, (table, *_served(result.served)), said, (*result.notes, *notes), data)


def _written(
    title: str, tables: tuple[Rows, ...], said: Sequence[str], notes: Sequence[str], data: dict[str, Any]
) -> Written:
    data |= {"sentences": list(said), "notes": list(notes)}
    flat = tuple({k: v for k, v in row.items() if not isinstance(v, list | dict)} for row in data["figures"])
    return Written(title, tables, tuple(said), tuple(notes), data, flat)


def _row_of_seeds(figure: FigureOverSeeds) -> tuple[str, ...]:
    found = figure.found
    decimals = places(found.half)
    means = (number(sum(side) / len(side), decimals) for side in (figure.a, figure.b))
    name, apart = figure_name(figure.key), number(found.difference, decimals, sign=True)
    ends = _ends(found.low, found.high, decimals)
    return (name, *means, apart, ends, f"{found.probability:.2f}", spell_p(found.p), spell_p(figure.holm))


def _row_of_two(figure: FigureOfTwo) -> tuple[str, ...]:
    found = figure.between
    decimals = places((found.high - found.low) / 2)
    name, apart = figure_name(figure.key), number(found.difference, decimals, sign=True)
    return (name, number(found.a, decimals), number(found.b, decimals), apart, _ends(found.low, found.high, decimals))


def _ends(low: float, high: float, decimals: int) -> str:
    if math.isnan(low):
        return ""
    return f"{number(low, decimals, sign=True)} to {number(high, decimals, sign=True)}"


def _served(served: Sequence[Served]) -> tuple[Rows, ...]:
    """Wins and losses, where they are known."""
    rows = tuple(
        (f"{what}, by {figure_name(each.key)}", *(f"{n:,}" for n in (w.wins, w.ties, w.losses, w.n)))
        for each in served
        for what, w in (("queries", each.queries), ("identities", each.identities))
    )
    return (Rows(("", "A better", "as good", "B better", "of"), rows),) if rows else ()


def _facts_of_seeds(result: OverSeeds, figure: FigureOverSeeds) -> dict[str, Any]:
    found = figure.found
    return {
        "key": figure.key,
        "name": figure_name(figure.key),
        "lower_is_better": figure.lower,
        "n": found.n,
        "seeds": list(figure.seeds),
        "values_a": list(figure.a),
        "values_b": list(figure.b),
        "a": sum(figure.a) / found.n,
        "b": sum(figure.b) / found.n,
        "difference": found.difference,
        "low": whole(found.low),
        "high": whole(found.high),
        "share_of_seeds_a_better": found.better,
        "p_a_better": found.probability,
        "p": whole(found.p),
        "holm": whole(figure.holm),
        "seeds_needed": figure.needed.seeds,
        "seeds_needed_fewest": figure.needed.fewest,
        "seeds_needed_most": figure.needed.most,
        "supported": figure.supported,
        **_facts_of_equal(figure.equal),
        "sentence": sentences.of_seeds(result, figure),
    }


def _facts_of_two(result: OfTwoRuns, figure: FigureOfTwo) -> dict[str, Any]:
    found = figure.between
    return {
        "key": figure.key,
        "name": figure_name(figure.key),
        "lower_is_better": figure.lower,
        "n": 1,
        "a": found.a,
        "b": found.b,
        "difference": found.difference,
        "low": whole(found.low),
        "high": whole(found.high),
        "identities": found.identities,
        **({"episodes": found.episodes} if found.episodes else {}),
        **_facts_of_equal(figure.equal),
        "sentence": sentences.of_two(result, figure),
    }


def _facts_of_equal(found: Equivalence | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {
        "margin": found.margin,
        "equal": found.verdict,
        "tost_p": whole(found.p),
        "low_90": whole(found.low),
        "high_90": whole(found.high),
    }


def _facts_of_served(each: Served) -> dict[str, Any]:
    def facts(wins: Any) -> dict[str, int]:
        return {"a_better": wins.wins, "as_good": wins.ties, "b_better": wins.losses}

    return {"key": each.key, "queries": facts(each.queries), "identities": facts(each.identities)}
