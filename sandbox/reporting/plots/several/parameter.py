"""A figure over one setting: a line for each way of training that differs in nothing but it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from sandbox.errors import SandboxError
from sandbox.reporting.plots.fitting import Ruler, legend_below, title_above, wrapped
from sandbox.reporting.plots.lettering import Lettering
from sandbox.reporting.plots.several.chosen import Mean, axis_name, data_names, figure_name, mean_of, mean_said
from sandbox.reporting.plots.several.labels import called, differing, setting_of, spelt
from sandbox.reporting.plots.several.objective import parts, readable, without_parameter
from sandbox.reporting.plots.several.ticks import plain_numbers, spans_decades
from sandbox.reporting.plots.style import draw_band, line_style, quiet, save
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.names import printed_setting
from sandbox.wording import counted, first_names


@dataclass(frozen=True)
class Series:
    """A line: the means of a figure at rising values of the setting."""

    label: str
    x: tuple[Any, ...]
    """Numbers that rise, or texts."""
    means: tuple[Mean, ...]


def series_of(groups: Sequence[Group], key: str, name: str) -> tuple[list[Series], list[str]]:
    """The lines, and a sentence on the recipes that are on none.

    Args:
        groups: recipes.
        key: of the figure.
        name: a setting that `setting_name` gave.

    Raises:
        SandboxError: no two recipes differ in this setting alone.
    """
    lines: dict[tuple[str, ...], list[Group]] = {}
    for group in groups:
        if _has(group, name) and mean_of(group, key) is not None:
            lines.setdefault(_rest(group, name), []).append(group)
    kept = [line for line in lines.values() if len(line) > 1]
    if not kept:
        values = list(dict.fromkeys(spelt(setting_of(group, name)) for group in groups if _has(group, name)))
        others = [other for other in differing(groups) if other != name]
        more = f"; what differs is {first_names(others)}" if others else "; the objectives alone differ"
        found = f"it is {first_names(values)}" if values else "no recipe has it"
        raise SandboxError(f"no two recipes differ in {name} alone, so there is no line to draw: {found}{more}")
    told = [other for other in differing([line[0] for line in kept]) if other != name]
    series = [_line(line, key, name, told) for line in kept]
    left = [group for group in groups if not any(group is other for line in kept for other in line)]
    notes = []
    if left:
        count = counted(
            len(left), "recipe is left out, as no other differs", "recipes are left out, as no other differs"
        )
        notes.append(f"{count} from it in {name} alone: {first_names([readable(group.objective) for group in left])}")
    return sorted(series, key=lambda line: -max(mean.value for mean in line.means)), notes


def _has(group: Group, name: str) -> bool:
    try:
        setting_of(group, name)
    except KeyError:
        return False
    return True


def _rest(group: Group, name: str) -> tuple[str, ...]:
    """All of a recipe but the setting and the seed."""
    run = group.runs[0]
    loss = _objective_without(group.objective, name)
    never = {name, "loss", "seed", "device", "threads", "resume_from"}
    return (run.split, loss, *(f"{key}={value}" for key, value in sorted(run.settings.items()) if key not in never))


def _objective_without(objective: str, name: str) -> str:
    """What is left of an objective for a label, or to compare: without the parameter, miner or loss that varies."""
    found = parts(objective)
    if name in ("loss", "miner", "objective"):
        return {"loss": found.miner, "miner": found.loss, "objective": ""}[name]
    return without_parameter(objective, name) if name in found.parameters else objective


def _line(line: Sequence[Group], key: str, name: str, told: Sequence[str]) -> Series:
    points = [(setting_of(group, name), mean) for group in line if (mean := mean_of(group, key)) is not None]
    if all(_is_number(value) for value, _ in points):
        points.sort(key=lambda point: point[0])
    else:
        points = [(spelt(value), mean) for value, mean in points]
    rest = _objective_without(line[0].objective, name)
    settings = line[0].runs[0].settings
    own = called(rest) if name not in ("loss", "miner", "objective") else rest
    more = [f"{printed_setting(other)} {spelt(settings[other])}" for other in told if other in settings]
    label = ", ".join([own or "all objectives", *more])
    return Series(label, tuple(value for value, _ in points), tuple(mean for _, mean in points))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def draw_parameter(
    groups: Sequence[Group], keys: Sequence[str], path: Path, *, name: str, width: float
) -> tuple[str, list[str]]:
    """Draw the figures over a setting, one panel under another; what it shows in a sentence, and notes.

    Args:
        groups: recipes.
        keys: of the figures.
        path: ends in .png, .svg or .pdf.
        name: a setting that `setting_name` gave.
        width: inches.
    """
    found = [series_of(groups, key, name) for key in keys]
    panels, notes = [series for series, _ in found], found[0][1]
    drawn = [group for group in groups if _has(group, name)]
    title = f"{', '.join(map(figure_name, keys))} on {data_names(drawn)} over {printed_setting(name)}: "
    title += mean_said(drawn)
    with quiet([title, *(line.label for series in panels for line in series)]) as known:
        figure = parameter_figure(panels, keys, known, printed_setting(name), title, width)
        save(figure, path, dpi=200)
    points = sum(len(line.x) for line in panels[0])
    return f"{counted(points, 'recipe', 'recipes')} on {counted(len(panels[0]), 'line', 'lines')}", notes


def parameter_figure(
    panels: Sequence[Sequence[Series]], keys: Sequence[str], known: Lettering, name: str, title: str, width: float
) -> Any:
    """The figure of `draw_parameter`, one axes for each figure."""
    figure = plt.figure(figsize=(width, 2), layout="constrained")
    places = figure.subplots(len(panels), 1, squeeze=False, sharex=True)[:, 0]
    lines = title_above(figure, known.written(title))
    order = list(dict.fromkeys(line.label for series in panels for line in series))
    handles: dict[str, Any] = {}
    values = [value for line in panels[0] for value in line.x]
    numbers = all(map(_is_number, values))
    words = [] if numbers else list(dict.fromkeys(value for series in panels for line in series for value in line.x))
    for axes, series, key in zip(places, panels, keys, strict=True):
        for line in series:
            place = order.index(line.label)
            aside = 0.12 * (place - (len(order) - 1) / 2)  # so that bars of one word stand side by side
            at = line.x if numbers else [words.index(value) + aside for value in line.x]
            handles[line.label] = _draw_line(axes, line, at, line_style(place), len(series) if numbers else 0)
        axes.set_ylabel(axis_name(key))
    if words:
        ruler = Ruler(figure)
        shown = ["\n".join(wrapped(known.written(word), ruler.fits(7, 1.5))).replace("$", r"\$") for word in words]
        places[-1].set_xticks(range(len(words)), shown)
        if max(ruler.inches(text, 7) for text in shown) > 0.9 * (width - 0.7) / len(words):
            places[-1].tick_params(axis="x", labelrotation=30)
            plt.setp(places[-1].get_xticklabels(), ha="right", rotation_mode="anchor")
    if numbers and spans_decades(values):
        places[0].set_xscale("log")
        for axes in places:
            plain_numbers(axes.xaxis, sorted(set(values)))
    places[-1].set_xlabel(name)
    tall = legend_below(figure, [(handles[label], known.written(label)) for label in order])
    figure.set_figheight(min(2.6, 0.62 * width) * len(panels) + 0.16 * lines + tall + 0.3)
    return figure


def _draw_line(axes: Any, line: Series, at: Sequence[float], style: dict[str, Any], of: int) -> Any:
    """The means, the band of their intervals where there is one, and bars where values are no numbers."""
    means = [mean.value for mean in line.means]
    low, high = [mean.low for mean in line.means], [mean.high for mean in line.means]
    if of:
        (drawn,) = axes.plot(at, means, **style)
        draw_band(axes, at, low, high, style["color"], of=of)
        return drawn
    bars = [[m - end for m, end in zip(means, low, strict=True)], [end - m for m, end in zip(means, high, strict=True)]]
    return axes.errorbar(at, means, yerr=bars, capsize=2.5, **{**style, "linestyle": ""})
