"""What a reader must know: split, protocol, seeds, interval, marks, settings of all rows, trials spent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sandbox.evaluation.fewshot.said import said as episodes_said
from sandbox.evaluation.figures import printed_name
from sandbox.reporting.records.groups import Group
from sandbox.reporting.records.run import Run
from sandbox.reporting.tables.arrange import Arranged
from sandbox.reporting.tables.layout import Layout
from sandbox.reporting.tables.numbers import is_share
from sandbox.reporting.tables.protocol import protocol
from sandbox.reporting.tables.table import Caption, Column
from sandbox.reporting.tables.trials import said as trials_said
from sandbox.wording import counted, first_names

_AT_STEP = re.compile(r"^at step [\d,]+ ")
_SPLITS = {"test": "test", "val": "validation"}
_COSTS = {
    "parameters": "parameters: of trunk and head",
    "multiply_adds": "multiply-adds: of the trunk, for one image",
    "images_per_second": "images/s: while training, on the machine of the run",
    "memory": "GB: most that the process held at once, or the GPU where there was one",
    "hours": "hours: of all runs of the row together",
}


def caption(
    arranged: Arranged, keys: Sequence[str], columns: Sequence[Column], layout: Layout, notes: Sequence[str]
) -> Caption:
    """Title and sentences.

    Args:
        arranged: the groups.
        keys: report keys of the figures.
        columns: of the table.
        layout: what was asked for.
        notes: sentences on letters, baselines and what is left out, which follow.
    """
    groups = [one for row in arranged.groups for one in row if one is not None]
    tested = any(key.startswith("test/") for key in keys)
    told = [sentence for b in range(len(arranged.blocks)) for sentence in protocol(arranged.of_block(b), tested)]
    sentences = [
        *dict.fromkeys(told),
        *_episodes(groups, keys),
        _seeds(groups),
        _percent(keys) if layout.percent else "",
        _arrows(columns),
        *notes,
        f"Costs are {', '.join(_COSTS[name] for name in layout.cost)}." if layout.cost else "",
        f"All rows: {', '.join(arranged.equal)}; what is not named is at its default." if arranged.equal else "",
        trials_said(_named(groups)),
        _health(groups),
    ]
    return Caption(layout.caption or _title(groups, keys), tuple(filter(None, sentences)))


def _episodes(groups: Sequence[Group], keys: Sequence[str]) -> list[str]:
    """What few-shot figures are drawn from, once for the rows of which it is true."""
    found = []
    for one in groups:
        for split in _SPLITS:
            part = one.runs[0].report.get(split, {})
            figures = {key: entry for key, entry in part.items() if f"{split}/{key}" in keys}
            found += [f"{sentence}, the same for each network." for sentence in episodes_said(figures, interval=False)]
    return list(dict.fromkeys(found))


def _title(groups: Sequence[Group], keys: Sequence[str]) -> str:
    names = list(dict.fromkeys(printed_name(key.partition("/")[2]) for key in keys))
    listed = " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if len(names) <= 6 else "Figures"
    splits = " and ".join(dict.fromkeys(_SPLITS.get(key.partition("/")[0], "") for key in keys))
    data = " and ".join(dict.fromkeys(one.recipe.data.name for one in groups))
    return f"{listed} on the {splits} images of {data}."


def _seeds(groups: Sequence[Group]) -> str:
    counts = {len(one.seeds) for one in groups}
    if counts == {1}:
        return "One seed each, so that there is no interval over seeds."
    if len(counts) > 1:
        alone = "; a row of one seed has none" if 1 in counts else ""
        return f"Mean over n seeds ± half of the 95 % t-interval{alone}."
    seeds = {one.seeds for one in groups}
    named = f" ({_ranged(next(iter(seeds)))})" if len(seeds) == 1 else ", not the same ones in all rows,"
    return f"Mean over n = {next(iter(counts))} seeds{named} ± half of the 95 % t-interval."


def _ranged(seeds: Sequence[int]) -> str:
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return first_names([str(seed) for seed in seeds], most=10)


def _percent(keys: Sequence[str]) -> str:
    plain = [printed_name(key.partition("/")[2]) for key in keys if not is_share(key)]
    return f"In percent{f', but for {first_names(plain)}' if plain else ''}."


def _arrows(columns: Sequence[Column]) -> str:
    arrows = {column.arrow for column in columns}
    said = [text for arrow, text in (("↑", "↑ more is better"), ("↓", "↓ less is better")) if arrow in arrows]
    return f"{', '.join(said)}." if said else ""


def _named(groups: Iterable[Group]) -> list[tuple[str, Run]]:
    return [(one.called, one.runs[0]) for one in groups]


def _health(groups: Sequence[Group]) -> str:
    """What was noticed while the runs were trained, once for the seeds of which it is true.

    The step and the advice are left out: they stand in run.json and on the page.
    """
    found, count = [], 0
    for one in groups:
        seeds: dict[str, list[int]] = {}
        for run in one.runs:
            noticed = run.facts.get("health")
            if isinstance(noticed, list) and noticed:
                seeds.setdefault(_AT_STEP.sub("", str(noticed[0]).partition(";")[0]), []).append(run.seed)
                count += 1
        for said, those in seeds.items():
            word = "seed" if len(those) == 1 else "seeds"
            found.append(f"{one.called} {word} {_ranged(those)} ({said})")
    return f"Noticed in the training of {counted(count, 'run', 'runs')}: {first_names(found)}." if found else ""
