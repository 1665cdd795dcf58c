"""The chapters on parameters: which matter, and what figures their values had."""

from __future__ import annotations

from functools import partial

import numpy as np

from sandbox.reporting.plots.study_parallel import draw_parallel
from sandbox.reporting.plots.study_space import draw_contour, draw_importance, draw_slice
from sandbox.tuning.report.document import Chapter, Picture, Text
from sandbox.tuning.report.importance import Importance
from sandbox.tuning.report.points import drawn, parameter_axis, trial_points
from sandbox.tuning.study.record import StudyRecord
from sandbox.wording import counted, first_names

_SIGNS = "● complete; ▽ pruned, at its last figure; □ breaks a constraint; ★ best; ◇ and dashes: default"


def importance_chapter(found: Importance | str) -> Chapter:
    """PED-ANOVA beside chance, or why there is none."""
    title = "Which parameters matter"
    if isinstance(found, str):
        return Chapter(title, [Text(found)])
    names = list(found.shares)
    shares, chance = np.array([*found.shares.values()]), np.array([*found.chance.values()])
    png, _ = drawn(partial(draw_importance, names, shares, chance))
    above = [name for name in names if found.shares[name] > found.chance[name]]
    text = (
        f"How far the values of the best {found.top} trials differ from those of all {found.trials} complete ones "
        "(PED-ANOVA). Pruned trials are not among them. "
    )
    if not above:
        return Chapter(
            title, [Text(f"{text}None differs more than it would by chance, so it is not known which matter.")]
        )
    text += f"More than chance: {first_names(above, 12)}." + (
        " Of so few trials it is a hint." if found.trials < 50 else ""
    )
    caption = (
        "Black line: what 95 of 100 shuffles of the figures stay below. A pale bar does not reach it; of parameters "
        "that do not matter, one in twenty passes it by luck."
    )
    alt = "; ".join(f"{name} {100 * share:.0f} %" for name, share in found.shares.items())
    return Chapter(title, [Text(text), Picture([png], [alt], caption)])


def slices(record: StudyRecord) -> Chapter | None:
    """The figure against each parameter."""
    points = trial_points(record)
    names = [name for name in record.search if np.isfinite(parameter_axis(record, name).places).any()]
    if not np.isfinite(points.values).any() or not names:
        return None
    pngs = [drawn(partial(draw_slice, points, parameter_axis(record, name)))[0] for name in names]
    alts = [f"{record.judge.capitalize()} {record.monitors[0]} against {name}" for name in names]
    count = counted(int(np.isfinite(points.values).sum()), "trial", "trials")
    caption = f"n = {count} with a figure. {_SIGNS}. A bar through a strip is the median of its n complete trials."
    return Chapter("Each parameter", [Picture(pngs, alts, caption)])


def contour(record: StudyRecord, found: Importance | str) -> Chapter | None:
    """The two parameters that matter most."""
    points = trial_points(record)
    complete = points.of("complete")
    axes = {name: parameter_axis(record, name) for name in record.search}
    names = [name for name, axis in axes.items() if len(set(axis.places[complete]) - {np.nan}) > 1]
    if len(names) < 2 or len(complete) < 3:
        return None
    order = [name for name in found.shares if name in names] if isinstance(found, Importance) else []
    first, second = (order if len(order) > 1 else names)[:2]
    which = "that come first in importance" if len(order) > 1 else "that are searched first"
    png, laid = drawn(partial(draw_contour, points, axes[first], axes[second]))
    count = counted(len(complete), "complete trial", "complete trials")
    choices = axes[first].choices or axes[second].choices
    how = (
        f"A smoothed surface through {count}, drawn only where trials lie around; other parameters vary as well."
        if laid
        else f"{count} without a surface, as {'one is a choice' if choices else 'they are too few or lie on a line'}."
    )
    caption = f"The two parameters {which}. {how} {_SIGNS.partition('; ')[2]}."
    return Chapter(
        "Two parameters together", [Picture([png], [f"{record.monitors[0]} over {first} and {second}"], caption)]
    )


def parallel(record: StudyRecord) -> Chapter | None:
    """All parameters of each trial as a line."""
    points = trial_points(record)
    axes = [parameter_axis(record, name) for name in record.search]
    count = int(sum(np.isfinite([axis.places[place] for axis in axes]).all() for place in points.of("complete")))
    if len(axes) < 2 or count < 2:
        return None
    png, _ = drawn(partial(draw_parallel, points, axes))
    caption = (
        f"A line is a trial: n = {counted(count, 'complete trial', 'complete trials')}, bright ones better. "
        "The best is yellow with a black rim; grey ones break a constraint, or were pruned and end before the figure. "
        "An axis reaches from the least to the greatest value of the trials that are over."
    )
    return Chapter("All parameters together", [Picture([png], ["Parallel coordinates of the trials"], caption)])
