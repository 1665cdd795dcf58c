"""Name faces with a trained network: python experiments/recognise.py enrol RUN FOLDER --out people.npz."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.called import called
from sandbox.cli import flags
from sandbox.cli.help import overview
from sandbox.cli.outputs import check_json, file_named, refuse_overwriting, write_json
from sandbox.cli.progress import watched
from sandbox.cli.recognise.words import TAKES, WHAT, Add, Classify, Enrol, Identify, List, Measure, Remove, Verify
from sandbox.cli.say import say
from sandbox.cli.tables import print_figures, print_rows
from sandbox.errors import SandboxError, unknown
from sandbox.wording import printable

if TYPE_CHECKING:
    from sandbox.recognition.identify import Named
    from sandbox.recognition.people import People

PROG = called("recognise")


def main(argv: Sequence[str]) -> None:
    """Read what to do and its flags, and do it."""
    if not argv or argv[0] in ("-h", "--help"):
        return say(overview([f"{PROG} WHAT ..."], WHAT, f"{PROG} WHAT --help lists what each takes."))
    if argv[0] not in WHAT:
        raise unknown("thing to do", argv[0], WHAT, f"{PROG} --help says what each does")
    for before, word in pairwise(argv):
        if not word or (word.startswith("--") and word.endswith("=")):
            what = word[:-1] or (before if before.startswith("--") else f"a word after '{before}'")
            raise SandboxError(f"{what} is empty")
    do: dict[str, Any] = {"enrol": enrol, "add": add, "remove": remove, "list": show, "identify": identify}
    (do | {"classify": classify, "verify": verify, "measure": measure})[argv[0]](argv[1:])


def enrol(argv: Sequence[str]) -> None:
    """Enrol a folder of people."""
    command = _parse(Enrol, argv, "enrol")
    out = file_named("--out", command.out, ".npz", "people.npz")
    if out.exists() and not command.replace:
        raise SandboxError(f"{out} is there already: `add` enrols more people in it, and --replace writes it anew")
    from sandbox.inference.load import load_network
    from sandbox.recognition import enrol as enrolling
    from sandbox.recognition.people_file import save_people

    strangers = Path(command.strangers) if command.strangers else None
    options = enrolling.Options(command.faces, command.template, strangers, command.fpir, command.threshold)
    path = Path(command.network)
    people, notes = enrolling.enrol(load_network(path), path, Path(command.folder), options, watched)
    save_people(people, out)
    _say(notes, people, out)


def add(argv: Sequence[str]) -> None:
    """Enrol one person more, or more images of one."""
    command = _parse(Add, argv, "add")
    if not command.name:
        raise SandboxError("--name says whose images they are; give it")
    from sandbox.recognition import enrol as enrolling
    from sandbox.recognition.people_file import load_people, network_of, save_people

    file = Path(command.people)
    people = load_people(file)
    network = network_of(people, file, command.network)
    people, notes = enrolling.add(people, network, command.name, [Path(image) for image in command.images], watched)
    save_people(people, file)
    _say(notes, people, file)


def remove(argv: Sequence[str]) -> None:
    """Take one person out."""
    command = _parse(Remove, argv, "remove")
    from sandbox.recognition import enrol as enrolling
    from sandbox.recognition.people_file import load_people, save_people

    file = Path(command.people)
    people, notes = enrolling.remove(load_people(file), command.name)
    save_people(people, file)
    _say(notes, people, file)


def show(argv: Sequence[str]) -> None:
    """Say who is enrolled."""
    command = _parse(List, argv, "list")
    from sandbox.recognition.people_file import load_people

    file = Path(command.people)
    people = load_people(file)
    _say((), people, file)
    last: dict[int, str] = {}
    for owner, day in zip(people.gallery.person.tolist(), people.gallery.dates, strict=True):
        last[owner] = max(day, last.get(owner, ""))
    rows = [
        (name, f"{count:,}", last[place])
        for place, (name, count) in enumerate(zip(people.gallery.names, people.gallery.counts, strict=True))
    ]
    print_rows(("name", "images", "last enrolled"), rows, right=(1,))


def identify(argv: Sequence[str]) -> None:
    """Name the faces in images."""
    command = _parse(Identify, argv, "identify")
    picture = file_named("--picture", command.picture, ".png") if command.picture else None
    check_json(command.json)
    from sandbox.recognition import identify as naming
    from sandbox.recognition.people_file import load_people, network_of
    from sandbox.recognition.reader import find_images

    file = Path(command.people)
    people = load_people(file)
    images, notes = find_images([Path(image) for image in command.images])
    refuse_overwriting([command.json, command.picture], [command.people, *map(str, images)])
    network = network_of(people, file, command.network)
    for note in notes:
        _tell(note)
    named = naming.identify(
        people, network, images, threshold=command.threshold, index=command.index, watch=watched, tell=_tell
    )
    write_json([row.as_json() for row in named], command.json)
    if command.json != "-":
        _named(named, people, command.threshold)
    if picture:  # last: what was found should not be lost where it cannot be drawn
        from sandbox.recognition.picture import draw_named

        for note in draw_named(named, picture):
            print(f"note: {note}", file=sys.stderr)


def _named(named: Sequence[Named], people: People, by_hand: float | None) -> None:
    """The faces as a table, and where UNKNOWN begins."""
    from sandbox.recognition.gallery import UNKNOWN
    from sandbox.recognition.identify import percent
    from sandbox.recognition.people import threshold_clause

    rows = []
    for row in named:
        score = "" if row.similarity is None else f"{row.similarity:.4f}"
        chance = "" if row.probability is None else percent(row.probability)
        box = "" if row.box is None else " ".join(f"{edge:.0f}" for edge in row.box)
        rows.append((row.image, row.label, score, chance, *([box] if people.faces == "detect" else [])))
    names = ("image", "name", "similarity", "probability", *(["box"] if people.faces == "detect" else []))
    print_rows(names, rows, right=(2, 3, 4))
    threshold = people.threshold.value if by_hand is None else by_hand
    why = ", by hand" if by_hand is not None else threshold_clause(people.threshold)
    say(f"{UNKNOWN} below a similarity of {threshold:.4f}{why}")


def classify(argv: Sequence[str]) -> None:
    """Say which class of a run's images show."""
    command = _parse(Classify, argv, "classify")
    from sandbox.recognition import classify as classes
    from sandbox.recognition.reader import find_images

    check_json(command.json)
    images, notes = find_images([Path(image) for image in command.images])
    refuse_overwriting([command.json], map(str, images))
    for note in notes:
        _tell(note)
    rows = classes.classify(
        Path(command.run), images, faces=command.faces, unknown_below=command.unknown_below, watch=watched, tell=_tell
    )
    write_json([row.as_json() for row in rows], command.json)
    if command.json != "-":
        for row in rows:
            say(f"{row.image}: {row}")


def verify(argv: Sequence[str]) -> None:
    """Say whether two images are of one person."""
    command = _parse(Verify, argv, "verify")
    from sandbox.recognition import identify as naming
    from sandbox.recognition import verify as verifying

    first, second = Path(command.first), Path(command.second)
    file = Path(command.people) if command.people else None
    found = verifying.verify(
        first, second, network=command.network, file=file, faces=command.faces, threshold=command.threshold
    )
    for note in found.notes:
        _tell(note)
    chance = "" if found.probability is None else f", {naming.percent(found.probability)} probability at even odds"
    say(f"{first!s} and {second!s}: similarity {found.similarity:.4f}{chance}")
    verdict = "one person" if found.same else "two people"
    say(f"{verdict}, by a threshold of {found.cut.value:.4f} ({found.cut.source})")


def measure(argv: Sequence[str]) -> None:
    """Say how often naming goes wrong."""
    command = _parse(Measure, argv, "measure")
    from sandbox.recognition import measure as measuring

    check_json(command.json)
    images = measuring.Images(Path(command.folder), Path(command.strangers) if command.strangers else None)
    figures = measuring.measure(
        Path(command.known),
        images,
        command.fpir,
        fit=Path(command.fit) if command.fit else None,
        faces=command.faces,
        network=command.network,
        watch=watched,
        tell=_tell,
    )
    print_figures(figures)
    write_json(figures, command.json)


def _parse(kind: Any, argv: Sequence[str], name: str) -> Any:
    """The flags; what stands without a flag must be there, and none of it empty."""
    command = flags.parse(kind, argv, prog=f"{PROG} {name}", description=WHAT[name])
    places = [field.name for field in fields(kind) if str(field.type).startswith("Positional")]
    if not all(getattr(command, place) for place in places):
        raise SandboxError(f"{name} takes {TAKES[name]} (--help says more)")
    flags.quiet_libraries()
    return command


def _tell(note: str) -> None:
    print(f"note: {printable(note)}", file=sys.stderr)


def _say(notes: Iterable[str], people: People, file: Path) -> None:
    from sandbox.recognition.people import head_lines

    for note in notes:
        _tell(note)
    say("\n".join(head_lines(people, str(file))))
