"""`page.html` of a run."""

from __future__ import annotations

from markupsafe import Markup

from sandbox.evaluation.figures import printed_name
from sandbox.reporting.page.found.book import Book
from sandbox.reporting.page.found.looked import QUERIES, Looked, look
from sandbox.reporting.page.found.material import Material, Pictured, read_material
from sandbox.reporting.page.written.curves import curve_panels
from sandbox.reporting.page.written.figures import figure_tables, verdict, warnings
from sandbox.reporting.page.written.made import how_made
from sandbox.reporting.page.written.render import render
from sandbox.reporting.page.written.scripted import CLASSES, scripted
from sandbox.reporting.page.written.words import split_word
from sandbox.reporting.records.spelling import short_objective
from sandbox.runs.folder import RunFolder
from sandbox.wording import counted

SCRIPTS = ("shared.js", "threshold.js", "retrieval.js", "classes.js", "map.js", "copy.js")
_GRAVE = ("not-finite", "zero-rows", "constant-embeddings", "one-class")
"""What the linter finds that leaves little of the figures."""
_CLASSES = 50
"""That stand on the page before anybody searches."""


def write_page(folder: RunFolder, images: Pictured | None = None) -> None:
    """Write `page.html`: figures, thresholds, neighbours, classes, the map, curves, and how it was made.

    Args:
        folder: the run, with its report and its embeddings.
        images: of its judged split; without them the page has no pictures, and says so.

    Raises:
        SandboxError: the run has no embeddings, or a file of it is damaged.
    """
    folder.write_text("page.html", page_of(read_material(folder, images)))


def page_of(material: Material) -> str:
    """The page of a run as HTML."""
    run, looked = material.run, look(material)
    lead, rest = figure_tables(material, looked.counted)
    return render(
        "run.html",
        scripted(looked),
        SCRIPTS,
        run=run,
        objective=short_objective(run.recipe.loss),
        where=_where(material),
        split=split_word(material.split),
        judged=split_word(material.judged),
        verdict=verdict(material),
        warnings=warnings(material),
        health=[str(line) for line in run.facts.get("health", ())],
        alarms=[f"{_capital(one.text)}." for one in looked.lint if one.rule in _GRAVE],
        lint=[one.text for one in looked.lint if one.rule not in _GRAVE],
        notes=[str(line) for line in run.facts.get("notes", ())],
        chosen=_chosen(material),
        lead=lead,
        rest=rest,
        confused=_classified(material),
        looked=looked,
        inside=_inside(material, looked),
        classes=looked.classes[:_CLASSES],
        panels=curve_panels({"": material.log}, run.recipe.evaluate.monitor),
        made=how_made(run),
        sheets=Markup("\n").join(book.style() for book in _books(looked)),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _books(looked: Looked) -> list[Book]:
    return [looked.own] if looked.own is looked.pairs else [looked.own, looked.pairs]


def _where(material: Material) -> str:
    data, kept = material.run.recipe.data, material.own
    classes = len(set(kept.labels.tolist()))
    return (
        f"{data.name}, {split_word(material.split)} split: {counted(len(kept.labels), 'image', 'images')} of "
        f"{counted(classes, 'class', 'classes')}, seed {material.run.seed}"
    )


def _chosen(material: Material) -> str:
    """What validation was for."""
    best, facts = material.run.facts.get("best") or {}, material.run.facts
    if not best:
        return ""
    text = (
        f"Validation chose the checkpoint: step {best['step']:,} of {facts.get('steps', best['step']):,}, the best "
        f"{printed_name(str(best['monitor']))} among its validations"
    )
    seen = "test was scored once, afterwards" if material.judged == "test" else "this run looked at no test"
    return f"{text}; so validation's own figures flatter it, and {seen}."


def _classified(material: Material) -> list[dict[str, str]]:
    """The classes that the classifier confuses most often, where there is one."""
    rows = (material.run.facts.get("confused") or {}).get(material.split, [])
    return [{**row, "count": f"{row['n']:,} of {row['of']:,}"} for row in rows]


def _inside(material: Material, looked: Looked) -> list[str]:
    """What the page holds, and what it leaves out."""
    said = []
    if material.pictured is None:
        said.append("The images of this run could not be read when the page was written, so it has no pictures.")
    elif material.pictured.images.are_rows:
        said.append("Rows of numbers have no pictures: each stands as its class's name.")
    found = looked.searched
    if found is not None and len(found.rows) > QUERIES:
        said.append(f"{QUERIES:,} of {len(found.rows):,} queries are on this page: mistakes first, then a draw.")
    if len(looked.classes) > CLASSES:
        said.append(f"{CLASSES:,} of {len(looked.classes):,} classes are on this page, the hardest.")
    if found is not None and found.lone:
        lone = counted(found.lone, "image has", "images have")
        said.append(f"{lone} no other of the same class and {'is' if found.lone == 1 else 'are'} no query.")
    pictures = material.pictured is not None and not material.pictured.images.are_rows
    for book in _books(looked) if pictures else ():
        if book.pictures < len(book.rows):
            said.append(
                f"{book.pictures:,} of {len(book.rows):,} images that the page speaks of have a picture in it, those "
                "of pairs, confused classes and mistakes first; the others stand as their class's name."
            )
    return said
