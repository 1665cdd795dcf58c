"""Draw a picture by one command: python experiments/draw.py map --run results/runs/ID."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.called import called, results
from sandbox.cli import flags
from sandbox.cli.help import overview
from sandbox.cli.outputs import file_named
from sandbox.cli.progress import watch_run
from sandbox.cli.say import say
from sandbox.errors import SandboxError, unknown
from sandbox.recipe.specs import DataSpec

PROG = called("draw")


@dataclass(frozen=True, kw_only=True)
class Map:
    """What `map` takes."""

    run: str = ""
    """The folder of a finished run, whose data is read once more for its images."""
    embeddings: str = ""
    """Or an npz of embeddings, as evaluate.py takes it."""
    root: str = ""
    """Folder that the npz's paths are relative to, or where the run's data lies now."""
    split: Literal["test", "val"] = "test"
    """Which split of the run."""
    images: int = 500
    """Images at most, drawn by the seed."""
    classes: int = 12
    """Classes in colour at most, the most frequent; the others are grey."""
    thumbnails: bool = True
    """Draw the images; points without."""
    seed: int = 0
    """Draws the images, and the map."""
    out: str = "map.png"
    """The PNG to write."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What `scores` takes."""

    run: str = ""
    """The folder of a finished run; its validation chooses the threshold of its test split."""
    embeddings: str = ""
    """Or an npz of embeddings, as evaluate.py takes it."""
    split: Literal["test", "val"] = "test"
    """Which split of the run."""
    pairs: str = ""
    """Pairs of the npz's rows: LFW's lists, lines 'a b 0/1', or CSV; all pairs where not given."""
    validation: str = ""
    """An npz of people in no test, to choose the threshold on."""
    validation_pairs: str = ""
    """Pairs of its rows; all of them where not given."""
    far: float | None = None
    """Choose the threshold that falsely accepts at most this share, in place of the best balanced accuracy."""
    out: str = "scores.png"
    """The PNG to write."""


@dataclass(frozen=True, kw_only=True)
class Plane:
    """What `plane` takes."""

    data: DataSpec = DataSpec(name="digits", split="sample", colour="grey")
    weight: float = 0.1
    """Weight of center loss."""
    epochs: int = 30
    """Passes over the training images, of both networks."""
    seed: int = 0
    """Fixes both trainings."""
    threads: int = 0
    """CPU threads; 0 leaves torch's choice."""
    out: str = "plane.png"
    """The PNG to write."""
    out_runs: str = ""
    """Folder that the two run folders go into (results/runs where not given); no table takes them for results."""


WHAT = {
    "map": "t-SNE of embeddings, each image where it came to lie, framed in the colour of its class.",
    "scores": (
        "Distributions of genuine and impostor scores, all pairs counted, with a threshold chosen on validation and "
        "the FAR and FRR that it has."
    ),
    "plane": (
        "Train softmax and softmax with center loss on features of two numbers, and draw these for training and test "
        "images."
    ),
}


def main(argv: Sequence[str]) -> None:
    """Read what to draw and its flags, and draw it."""
    if not argv or argv[0] in ("-h", "--help"):
        usage = [f"{PROG} WHAT [--run DIR] [--out FILE.png] ..."]
        return say(overview(usage, WHAT, f"{PROG} WHAT --help lists the flags."))
    kinds: dict[str, Callable[[Sequence[str]], None]] = {"map": draw_map, "scores": draw_scores, "plane": draw_plane}
    if argv[0] not in kinds:
        raise unknown("picture", argv[0], kinds, f"{PROG} --help says what each shows")
    kinds[argv[0]](argv[1:])


def draw_map(argv: Sequence[str]) -> None:
    """Draw a map of a run's embeddings, or of a file's."""
    command = flags.parse(Map, argv, prog=f"{PROG} map", description=WHAT["map"])
    out = file_named("--out", command.out, ".png")
    _check_source(argv, command.run, command.embeddings, of_file=())
    if command.root and not command.thumbnails and not command.run:
        raise SandboxError("--root says where images lie, but --no_thumbnails draws none")
    if not 0 <= command.seed < 2**31:
        raise SandboxError(f"--seed is {command.seed}, but lies between 0 and {2**31 - 1:,}")
    flags.quiet_libraries()
    from sandbox.pictures import map as mapped
    from sandbox.reporting.plots import map as reporting
    from sandbox.reporting.plots.lettering import not_written
    from sandbox.reporting.plots.map_layout import check, choose

    check(images=command.images, classes=command.classes)  # before a look at the test split is counted
    if command.run:
        found = mapped.of_run(Path(command.run), command.split, command.root)
    else:
        found = mapped.of_file(Path(command.embeddings), command.root)
    _say([*found.joined, *(found.notes if command.thumbnails else ())])
    summary = reporting.draw_map(
        found.x,
        found.labels,
        found.classes,
        out,
        name=found.name,
        image=found.image if command.thumbnails else None,
        images=command.images,
        coloured=command.classes,
        seed=command.seed,
    )
    coloured = choose(found.labels, images=command.images, classes=command.classes, seed=command.seed).coloured
    _say(not_written([found.name, *(found.classes[label] for label in coloured)]))
    say(f"{out}: {summary}")


def draw_scores(argv: Sequence[str]) -> None:
    """Draw the scores of a run's pairs, or of a file's."""
    command = flags.parse(Scores, argv, prog=f"{PROG} scores", description=WHAT["scores"])
    out = file_named("--out", command.out, ".png")
    _check_source(argv, command.run, command.embeddings, of_file=("pairs", "validation", "validation_pairs"))
    if command.far is not None and not 0 < command.far < 1:
        raise SandboxError(f"--far is {command.far:g}, but is above 0 and below 1")
    flags.quiet_libraries()
    from sandbox.evaluation.figures import spell_threshold
    from sandbox.pictures.scores import scored
    from sandbox.reporting.plots.lettering import not_written
    from sandbox.reporting.plots.scores import draw_counts, spell_share
    from sandbox.scoring.from_run import of_run
    from sandbox.scoring.inputs import read

    path = lambda text: Path(text) if text else None  # noqa: E731
    if command.run:
        judged = of_run(Path(command.run), command.split)
        name = f"{Path(command.run).resolve().name}, {command.split}"
    else:
        judged = read(
            Path(command.embeddings),
            pairs=path(command.pairs),
            validation=path(command.validation),
            validation_pairs=path(command.validation_pairs),
        )
        name = Path(command.embeddings).name
    counts, mark, notes = scored(judged, far=command.far)
    _say([*judged.notes, *notes])
    which = "all pairs" if judged.pairs is None else "given pairs"
    draw_counts(counts, out, title=f"{name}: {which}", mark=mark)
    _say(not_written([name]))
    summary = f"{counts.genuine.sum():,} genuine and {counts.impostors.sum():,} impostor pairs"
    if mark is not None:
        rates = f"FAR {spell_share(mark.far)}, FRR {spell_share(mark.frr)}"
        summary += f"; threshold {spell_threshold(mark.threshold)} ({mark.chosen}): {rates}"
    say(f"{out}: {summary}")


def draw_plane(argv: Sequence[str]) -> None:
    """Train both networks and draw their features."""
    command = flags.parse(Plane, argv, prog=f"{PROG} plane", description=WHAT["plane"])
    out = file_named("--out", command.out, ".png")
    flags.value(argv, "--out_runs")  # an empty one is refused
    flags.quiet_libraries()
    from sandbox.pictures import plane as planes
    from sandbox.pipeline.run import run
    from sandbox.reporting.plots import plane
    from sandbox.reporting.plots.lettering import not_written
    from sandbox.reporting.plots.style import MOST_COLOURED

    both = planes.kinds(
        command.data, weight=command.weight, epochs=command.epochs, seed=command.seed, threads=command.threads
    )
    splits = planes.closed_splits(command.data)
    runs = Path(command.out_runs) if command.out_runs else results() / "runs"
    rows = []
    for kind in both:
        events = run(kind.recipe, out=runs, command=flags.program(), purpose="picture")
        done = watch_run(events, kind.name, brief=True)
        assert done is not None  # there is one process
        folder = done.folder
        rows.append(planes.panels(kind, folder, splits))
        for panel in rows[-1]:
            say(f"{panel.title}: top-1 {panel.accuracy:.4f}")
        say(f"run folder: {folder.path}")
    title = f"{command.data.name}: features of two numbers, {command.epochs} epochs, seed {command.seed}"
    plane.draw_plane(rows, splits.train.classes, out, title=title)
    _say(not_written(splits.train.classes[:MOST_COLOURED]))
    say(f"{out}: {title}")


def _check_source(argv: Sequence[str], run: str, embeddings: str, of_file: Sequence[str]) -> None:
    """Refuse no source or two, empty flags, and flags that the source has no use for."""
    given = {word[2:].split("=")[0].replace("-", "_") for word in argv if word.startswith("--")}
    for flag in ("run", "embeddings", "root", *of_file):
        flags.value(argv, f"--{flag}")  # an empty one is refused
    if bool(run) == bool(embeddings):
        raise SandboxError("give either --run DIR or --embeddings FILE.npz" + (", not both" if run else ""))
    for flag in of_file:
        if run and flag in given:
            raise SandboxError(f"--{flag} names rows of --embeddings; a run brings its own")
    if embeddings and "split" in given:
        raise SandboxError("--split is of a run; --embeddings is drawn whole")


def _say(notes: Sequence[str]) -> None:
    for note in notes:
        say(f"note: {note}", file=sys.stderr)
