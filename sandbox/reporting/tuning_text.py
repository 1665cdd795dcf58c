"""The rows of `tuning_table` as Markdown, with what a reader must know before believing them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tabulate import tabulate

from sandbox.evaluation.figures import lower_is_better, printed_name
from sandbox.evaluation.intervals.paired import Paired, t_interval
from sandbox.reporting.tuning_table import DEFAULT, TUNED, Comparison, Tuned, against_default, between_winners
from sandbox.wording import counted, first_names, printable


def to_markdown(
    tuned: Sequence[Tuned],
    *,
    monitor: str,
    split: str,
    header: str = "",
    notes: Sequence[str] = (),
    judge: str = "validation",
) -> str:
    """Two tables, tuned against default and the winners against each other, with the text that belongs to them.

    Args:
        tuned: the objectives, in the order of the rows.
        monitor: report key of validation that trials were judged by.
        split: which data and which split of it, for the text.
        header: how the tables were made; a comment in front.
        notes: sentences that stand with the others below.
        judge: what that figure is of, where a protocol keeps other images for it than validation.

    Raises:
        ValueError: as `sandbox.reporting.tuning_table.against_default`.
    """
    metrics = tuned[0].metrics if tuned else ()
    gains, between = against_default(tuned), between_winners(tuned)
    trials = sorted({one.trials for one in tuned})
    spent = f"{trials[0]:,}" if len(trials) == 1 else f"{trials[0]:,} to {trials[-1]:,}"
    columns = [
        "objective",
        "values",
        f"{_title(monitor)}, {judge}, best of {spent} trials: no result",
        *map(_title, metrics),
        "n",
    ]
    rows = [row for one in tuned for row in _rows(one, [gain for gain in gains if gain.objective == one.name])]
    parts = [f"<!-- {header} -->"] if header else []
    parts += ["### Tuned against default", _table(columns, rows, left=2)]
    if between:
        heads = ("winner", "against", "figure", "difference", "p", "winner better in")
        parts += ["### Winners against each other", _table(heads, [_between(one) for one in between], left=3)]
    parts.append(
        "\n".join(f"- {line}" for line in [*_sentences(tuned, f"{printed_name(monitor)} of {judge}", split), *notes])
    )
    parts.append("\n".join(f"- {line}" for line in _values(tuned)))
    return "\n\n".join(parts) + "\n"


def _rows(one: Tuned, gains: Sequence[Comparison]) -> list[list[str]]:
    """Default, tuned, and their difference."""
    default = "did not train" if one.default_value is None else f"{one.default_value:.4f}"
    rows = [[one.name, DEFAULT, default], ["", TUNED, f"{one.winner_value:.4f}"]]
    for row, kind in zip(rows, (DEFAULT, TUNED), strict=True):
        values = [one.by_seed(kind, metric) for metric in one.metrics]
        n = max(map(len, values))
        row += [_mean(list(each.values()), n) for each in values] + [str(n)]
    found = [gain.found for gain in gains]
    n = max((each.n for each in found if each), default=0)
    cells = [
        _difference(each) + f"<br>{_p(gain.adjusted)}, better in {_share(each)}" if each else "none"
        for each, gain in zip(found, gains, strict=True)
    ]
    return [*rows, ["", "tuned - default", "", *cells, str(n)]]


def _between(one: Comparison) -> list[str]:
    names = [one.objective, one.other, _title(one.metric)]
    if one.found is None:
        return [*names, "none", "", "no seed in common"]
    return [*names, _difference(one.found), _p(one.adjusted), _share(one.found)]


def _sentences(tuned: Sequence[Tuned], figure: str, split: str) -> list[str]:
    same = len({one.seeds for one in tuned}) == 1
    families = f"over {counted(len(tuned), 'objective', 'objectives')} against their defaults"
    if len(tuned) > 1:
        families += f", and over {counted(len(tuned) * (len(tuned) - 1) // 2, 'pair', 'pairs')} of winners"
    said = [
        f"Split: {printable(split)}.",
        f"While tuning: one figure each, {figure}. That of the tuned values is the best "
        "of all trials, so too good by chance; it chose them, and is no result.",
        f"Retrained: default and tuned values were trained anew after that choice, on "
        f"{f'seeds {_seeds(tuned[0].seeds)}' if same else 'the seeds below'}; test was scored once for each of these "
        "runs, then and only then. Cells are the mean over n seeds ± half of the 95 % t-interval.",
        "Differences are paired by seed. p is that of the two-sided paired t-test after Holm's correction, for each "
        f"figure by itself: {families}.",
    ]
    lost = [run for one in tuned for run in one.lost()]
    if lost:
        runs = counted(len(lost), "retrained run", "retrained runs")
        said.append(f"{runs} came to nothing, left out of means and pairs: {first_names(lost)}.")
    uneven = [one.name for one in tuned if set(one.seeds) != set(tuned[0].seeds)]
    if uneven:
        said.append(
            f"{counted(len(uneven), 'objective has', 'objectives have')} other seeds than {printable(tuned[0].name)}, "
            f"and winners are paired over those in common: {first_names(uneven)}."
        )
    return said


def _values(tuned: Sequence[Tuned]) -> list[str]:
    shared = len({one.seeds for one in tuned}) == 1
    return [
        f"{printable(one.name)}, {counted(one.trials, 'trial', 'trials')}: default `{printable(one.default)}`, tuned "
        f"`{printable(one.winner)}`" + ("" if shared else f", seeds {_seeds(one.seeds)}")
        for one in tuned
    ]


def _seeds(seeds: Sequence[int]) -> str:
    ordered = sorted(seeds)
    if len(ordered) > 2 and ordered == list(range(ordered[0], ordered[-1] + 1)):
        return f"{ordered[0]} to {ordered[-1]}"
    return ", ".join(map(str, ordered))


def _title(metric: str) -> str:
    return printed_name(metric) + (" (less is better)" if lower_is_better(metric) else "")


def _mean(values: Sequence[float], n: int) -> str:
    mean, half = t_interval(values)
    if math.isnan(mean):
        return "none"
    fewer = f" (n = {len(values)})" if len(values) < n else ""
    return (f"{mean:.4f}" if math.isnan(half) else f"{mean:.4f} ± {half:.4f}") + fewer


def _difference(found: Paired) -> str:
    return f"{found.difference:+.4f}" + (" (no interval)" if math.isnan(found.half) else f" ± {found.half:.4f}")


def _p(value: float) -> str:
    return "no p" if math.isnan(value) else "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _share(found: Paired) -> str:
    """In how many seeds, counted, the first is better; ties are told, for they are neither's."""
    wins = round(found.better * found.n)
    ties = round(2 * (found.probability - found.better) * found.n)
    return f"{wins} of {found.n}" + (f", {counted(ties, 'tie', 'ties')}" if ties else "")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    cells = [[printable(cell).replace("|", "\\|") for cell in row] for row in rows]
    align = ["left"] * left + ["right"] * (len(columns) - left)
    return tabulate(cells, headers=list(columns), tablefmt="pipe", colalign=align, disable_numparse=True)
