"""The page of a run: one HTML file that needs nothing but the folder it lies in."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from sandbox.evaluation.figures import spell, spell_interval
from sandbox.reporting.plots import curves
from sandbox.reporting.plots.neighbours import draw_neighbours, search_queries
from sandbox.runs.embeddings import read_embeddings
from sandbox.runs.folder import RunFolder

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
body { color: #1d2330 }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
code, pre { background: #f3f5f8; padding: .1rem .3rem }
pre { padding: .7rem; overflow-x: auto } img { max-width: 100% } .wide { overflow-x: auto }
table { border-collapse: collapse } td, th { padding: .2rem .8rem; border-bottom: 1px solid #dde2ea; text-align: left }
td.number, th + th { text-align: right }
.small { font-size: .8rem; color: #5b6475 }
td.number { font-variant-numeric: tabular-nums }
"""


def draw_run(folder: RunFolder, pixels: Any, split: str, pairs: Any = None, *, classes: Sequence[str] = ()) -> None:
    """Draw the pictures of a trained run into its `figures/`.

    Args:
        folder: the run; its log and embeddings are read.
        pixels: (N, H, W, C) uint8 images of the judged split.
        split: which split that is, ``test`` or ``val``.
        pairs: given verification pairs with `left`, `right`, `same`; random pairs are drawn where there are none.
        classes: the name of each label, where they have names.
    """
    kept = read_embeddings(folder).take(split)
    x, y = kept.x, kept.labels
    if pairs is None:
        genuine, impostor = curves.sampled_scores(x, y)
    else:
        scores = np.einsum("ij,ij->i", x[pairs.left], x[pairs.right])
        genuine, impostor = scores[pairs.same], scores[~pairs.same]
    places = folder.path / "figures"
    curves.draw_curves(folder.read_log(), folder.recipe().evaluate.monitor, places / "curves.png")
    curves.draw_scores(genuine, impostor, places / "scores.png")
    found = search_queries(x, y, most=8)
    draw_neighbours([("", found)], pixels, y, classes, places / "neighbours.png")


def write_page(folder: RunFolder) -> None:
    """Write `page.html`: the figures, the pictures, how it was made, and how to make it again."""
    facts, report = folder.read_json("run.json"), folder.read_json("report.json")
    recipe = (folder.path / "recipe.toml").read_text(encoding="utf-8")
    shown = [("curves", "Learning curves"), ("neighbours", "Nearest neighbours"), ("scores", "Scores of pairs")]
    pictures = "".join(f'<h2>{title}</h2><img src="figures/{name}.png" alt="{title}">' for name, title in shown)
    body = (
        f"<h1>{escape(facts['objective'])}</h1><p><code>{escape(facts['command'])}</code></p>"
        f'<div class="wide">{_figures(report)}</div>{_confused(facts.get("confused", {}))}{pictures}'
        f'<h2>How it was made</h2><div class="wide">{_facts(facts)}</div><h2>Recipe</h2><pre>{escape(recipe)}</pre>'
    )
    head = f'<meta charset="utf-8"><title>{escape(facts["id"])}</title><style>{_STYLE}</style>'
    folder.write_text("page.html", f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n')


def _figures(report: dict[str, Any]) -> str:
    splits = sorted(report, reverse=True)
    keys = list(dict.fromkeys(key for split in splits for key in report[split]))
    rows = "".join(
        f"<tr><td>{escape(key)}</td>"
        + "".join(f'<td class="number">{_cell(report[split].get(key))}</td>' for split in splits)
        + "</tr>"
        for key in keys
    )
    head = "".join(f"<th>{'validation' if split == 'val' else split}</th>" for split in splits)
    legend = "Small print: 95 % intervals by identity." if "small" in rows else ""
    return f'<table><tr><th></th>{head}</tr>{rows}</table><p class="small">{legend}</p>'


def _cell(entry: dict[str, Any] | None) -> str:
    """The value of an entry with its interval in small print."""
    interval = spell_interval(entry)
    return spell(entry) + (f'<br><span class="small">{interval}</span>' if interval else "")


def _confused(confused: dict[str, list[dict[str, Any]]]) -> str:
    """The classes confused most often, of the split that was judged last."""
    split, rows = next(reversed(confused.items()), ("", []))
    if not rows:
        return ""
    head = f"<tr><th>Class</th><th>taken for</th><th>images of {'validation' if split == 'val' else split}</th></tr>"
    body = "".join(
        f"<tr><td>{escape(row['truth'])}</td><td>{escape(row['taken_for'])}</td>"
        f'<td class="number">{row["n"]:,} of {row["of"]:,}</td></tr>'
        for row in rows
    )
    return f"<h2>Most often confused</h2><table>{head}{body}</table>"


def _plain(value: Any) -> str:
    """A value of run.json as a person reads it."""
    if isinstance(value, dict):
        return ", ".join(
            f"{key} ({_plain(v)})" if isinstance(v, dict) else f"{key} {_plain(v)}" for key, v in value.items()
        )
    if isinstance(value, list):
        return "; ".join(map(_plain, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) and value >= 10_000 else str(value)


def _facts(facts: dict[str, Any]) -> str:
    left_out = {"command", "objective", "notes", "confused", "status"}  # the last is still to be written
    rows = []
    for key, value in facts.items():
        if key in left_out:
            continue
        rows.append(f"<tr><td>{escape(key)}</td><td>{escape(_plain(value))}</td></tr>")
    notes = "".join(f"<p>{escape(note)}</p>" for note in facts.get("notes", []))
    return f"<table>{''.join(rows)}</table>{notes}"
