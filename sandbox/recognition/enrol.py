"""Who is enrolled: from a folder of people, and one by one afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.identification.closed_set import Template
from sandbox.files import Watch, unwatched
from sandbox.inference.embedder import Embedder
from sandbox.recognition.folders import embedded_rows, people_in, strangers_in, two_names
from sandbox.recognition.gallery import Gallery, clean_name
from sandbox.recognition.people import Faces, NetworkFacts, People, Source, Threshold
from sandbox.recognition.reader import Reader, find_images
from sandbox.recognition.search import PeopleSearcher
from sandbox.recognition.strangers import check_names, of_run, without_enrolled, without_person
from sandbox.recognition.thresholds import calibrate, check_cosine, check_rate, fit_by_strangers, take_by_hand
from sandbox.wording import first_names

MOST_KEPT = 100_000
"""Gallery of strangers that the file keeps at most, to fit the threshold anew when people come and go."""


@dataclass(frozen=True)
class Options:
    """How people are to be enrolled."""

    faces: Faces = "whole"
    template: Template = "mean"
    strangers: Path | None = None
    """Images of people who are not enrolled; the validation images of the run where not given."""
    fpir: float = 0.01
    """False positive identification rate of the threshold."""
    threshold: float | None = None
    """Or a cosine by hand."""


def enrol(
    network: Embedder, path: Path, folder: Path, options: Options, watch: Watch = unwatched
) -> tuple[People, list[str]]:
    """Enrol a folder of people, a folder each.

    Args:
        network: makes the embeddings.
        path: where it lies; of a run, the validation images may serve as strangers.
        folder: holds the people's folders.
        options: how.
        watch: shows how far it is.

    Returns:
        The people, and sentences on what was left out and what to know.

    Raises:
        SandboxError: no folders, nobody with an image that can be used, two folders of one name, strangers who are
            enrolled, or nothing to fit a threshold on.
    """
    check_rate(options.fpir)
    if options.threshold is not None:
        check_cosine(options.threshold)
    files, whose, notes = people_in(folder)
    source: Source = "strangers" if options.strangers else "validation"
    strangers = None
    others, names = list[Path](), list[str]()
    if options.strangers:
        others, names, more = strangers_in(options.strangers)
        check_names(names, whose, options.strangers)
        notes += [f"strangers: {note}" for note in more]
    elif options.threshold is None:
        strangers = of_run(path)  # before the work, so that a want of strangers costs none
    reader = Reader(network, options.faces)
    reader.settle([*files, *others])
    rows, more = embedded_rows(reader, files, whose, watch)
    notes += more + two_names(rows)
    if options.strangers:
        strangers, more = embedded_rows(reader, others, names, watch)
        notes += [f"strangers: {note}" for note in more]
    if strangers is not None:
        strangers, more = without_enrolled(strangers, rows)
        notes += more
        if strangers is None:
            raise SandboxError(
                f"all strangers are enrolled; give other people with --strangers, or a --threshold by hand ({more[0]})"
            )
    if source == "validation" and strangers is not None and options.faces == "detect":
        notes.append(
            "the threshold is fitted on the run's validation images, which were not cut out of photographs as these "
            "faces are; --strangers with photographs fits it better"
        )
    people, more = _fitted(rows, strangers, NetworkFacts.of(network, path), options, source)
    return replace(people, bits=reader.bits), notes + more


def add(
    people: People, network: Embedder, name: str, given: Sequence[Path], watch: Watch = unwatched
) -> tuple[People, list[str]]:
    """Enrol images of one person, who may be enrolled already, and fit the threshold anew.

    Args:
        people: who is enrolled; the network must be theirs.
        network: makes the embeddings.
        name: whose images.
        given: images, or folders of images.
        watch: shows how far it is.

    Raises:
        SandboxError: no name, no image that can be used, or images that are all enrolled as this person's already.
    """
    name = clean_name(name)
    files, notes = find_images(given)
    reader = Reader(network, people.faces, people.bits)
    new, more = embedded_rows(reader, files, [name] * len(files), watch)
    people = replace(people, bits=reader.bits)
    notes += more
    rows = people.gallery
    if name in rows.names:
        held = {d for d, owner in zip(rows.digests, rows.person, strict=True) if rows.names[owner] == name}
        fresh = np.array([digest not in held for digest in new.digests])
        if not fresh.any():
            raise SandboxError(f"every image given is enrolled as {name}'s already")
        if not fresh.all():
            notes.append(
                f"enrolled already: {first_names([f for f, ok in zip(new.files, fresh, strict=True) if not ok])}"
            )
        new = new.take(fresh)
    else:
        alike = [other for other in rows.names if other.casefold() == name.casefold()]
        notes += [f"'{name}' is enrolled beside '{other}', as somebody else" for other in alike]
    rows = rows.joined(new)
    notes += [note for note in two_names(rows) if note not in two_names(people.gallery)]
    strangers = people.strangers
    if strangers is not None:
        strangers, more = without_person(strangers, name)
        notes += more
    if strangers is not None:
        strangers, more = without_enrolled(strangers, new)
        notes += more
    return _anew(people, rows, strangers, notes)


def remove(people: People, name: str) -> tuple[People, list[str]]:
    """The people without one of them, the threshold fitted anew.

    Raises:
        SandboxError: nobody of that name is enrolled, or nobody else is.
    """
    place = people.place(name if name in people.gallery.names else clean_name(name))
    if len(people.gallery.names) == 1:
        raise SandboxError(f"'{name}' is the only one enrolled; to be rid of everybody, delete the file")
    return _anew(people, people.gallery.take(people.gallery.person != place), people.strangers, [])


def _anew(people: People, rows: Gallery, strangers: Gallery | None, notes: list[str]) -> tuple[People, list[str]]:
    """Other rows, with a threshold that is fitted on the strangers that were kept."""
    was = people.threshold
    if strangers is None and was.images:
        notes.append(
            "the threshold stays as it was, since the file keeps no strangers to fit it on; enrol anew to fit it"
        )
        return replace(people, gallery=rows, strangers=strangers), notes
    options = Options(
        people.faces,
        people.template,
        fpir=0.01 if was.fpir is None else was.fpir,
        threshold=was.value if was.source == "by hand" else None,
    )
    changed, more = _fitted(rows, strangers, people.network, options, was.source)
    return replace(changed, bits=people.bits), notes + more


def _fitted(
    rows: Gallery, strangers: Gallery | None, network: NetworkFacts, options: Options, source: Source
) -> tuple[People, list[str]]:
    searcher = PeopleSearcher(rows, options.template)
    threshold: Threshold
    if options.threshold is not None or strangers is None:
        assert options.threshold is not None
        threshold = take_by_hand(searcher, strangers, options.threshold)
    else:
        threshold = fit_by_strangers(searcher, strangers, options.fpir, source)
    calibration = calibrate(rows, strangers, options.template)
    notes = []
    if calibration is None:
        notes.append(
            "no probability will be shown, for want of two images of one person and of two people to learn it from, or "
            "because images of one person are no more alike than those of two"
        )
    kept = strangers if strangers is not None and len(strangers) <= MOST_KEPT else None
    if strangers is not None and kept is None:
        notes.append(
            f"{len(strangers):,} images of strangers are too many to keep ({MOST_KEPT:,}), so that the threshold will "
            "stay as it is when people are added or removed"
        )
    return People(rows, kept, network, options.faces, options.template, threshold, calibration), notes
