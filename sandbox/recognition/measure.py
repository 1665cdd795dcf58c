"""How often naming faces goes wrong: on images of enrolled people and of strangers, none of them used before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.data.names import same_name
from sandbox.errors import SandboxError
from sandbox.evaluation.figures import Figures, shares, spell_rate
from sandbox.evaluation.identification.open_set import fit_threshold
from sandbox.files import Tell, Watch, untold, unwatched
from sandbox.inference.embedder import Embedder
from sandbox.recognition.classify import Classified, classes_of, classify
from sandbox.recognition.folders import file_digest, people_in, strangers_in
from sandbox.recognition.people import Faces, People
from sandbox.recognition.people_file import load_people, network_of
from sandbox.recognition.reader import Reader, refuse_unreadable
from sandbox.recognition.strangers import embedded_in
from sandbox.recognition.thresholds import check_rate
from sandbox.wording import counted, first_names


@dataclass(frozen=True)
class Trial:
    """What became of N images, one face of each."""

    truth: np.ndarray
    """(N,) object: whose image it is."""
    named: np.ndarray
    """(N,) object: the most alike of those who could be named; None where there is no face."""
    scores: np.ndarray
    """(N,) float32: how alike, or how probable; -inf where there is no face."""


def figures(trial: Trial, enrolled: Sequence[str], fitted_on: np.ndarray, fpir: Sequence[float]) -> Figures:
    """Shares of images that are treated right, each with its 95 % interval by identity.

    Args:
        trial: images of enrolled people and of strangers, who are all whose name is not in `enrolled`.
        enrolled: who can be named.
        fitted_on: (S,) top scores of other strangers, on whom a threshold is fitted for each rate; -inf for no face.
        fpir: the false positive identification rates wanted.

    Returns:
        ``identification/rank@1``: enrolled people's images whose most alike person is right, whatever the score. For
        each rate: ``identification/dir@fpir=R``, those that are right and reach the threshold (detection and
        identification rate); ``identification/strangers@fpir=R``, strangers' images that are taken for somebody, which
        is what the threshold was fitted to hold at R on others; ``identification/accuracy@fpir=R``, images of both
        that are treated right.

    Raises:
        SandboxError: a rate out of range, nobody to fit on, or no image of anybody enrolled.
    """
    mated = np.isin(trial.truth.astype(str), [str(name) for name in enrolled])
    if not mated.any():
        raise SandboxError("none of the images is of somebody who can be named, so that nobody can be found")
    people = np.unique(trial.truth.astype(str), return_inverse=True)[1]
    right = mated & (trial.truth == trial.named)
    found = shares({"identification/rank@1": right[mated]}, people[mated])
    for rate in fpir:
        check_rate(rate)
        threshold, _ = fit_threshold(fitted_on, rate)
        taken = (trial.scores >= np.float32(threshold)) & np.isfinite(trial.scores)
        key = spell_rate(rate)
        beside: dict[str, float | int] = {"supported": bool(len(fitted_on) * rate >= 30), "fitted_on": len(fitted_on)}
        if np.isfinite(threshold):  # else everybody is accepted
            beside["threshold"] = threshold
        each = {
            f"dir@fpir={key}": ((right & taken)[mated], people[mated]),
            f"strangers@fpir={key}": (taken[~mated], people[~mated]),
            f"accuracy@fpir={key}": (np.where(mated, right & taken, ~taken), people),
        }
        for name, (share, whose) in each.items():
            for full, entry in shares({f"identification/{name}": share}, whose).items():
                found[full] = entry | beside
    return found


@dataclass(frozen=True)
class Images:
    """What naming is measured on, none of it used before."""

    folder: Path
    """Of enrolled people, a folder each."""
    strangers: Path | None = None
    """Of people who cannot be named."""


def measure(
    known: Path,
    images: Images,
    fpir: Sequence[float],
    *,
    fit: Path | None = None,
    faces: Faces | None = None,
    network: str = "",
    watch: Watch = unwatched,
    tell: Tell = untold,
) -> Figures:
    """`figures` of a file of enrolled people, or of the classifier of a run.

    Args:
        known: the file, or the folder of the run.
        images: what it is measured on.
        fpir: the false positive identification rates wanted.
        fit: of a run, the folder of people whom thresholds are fitted on; a file keeps its own.
        faces: of a run, whether each image is one face, or a photograph.
        network: of a file, where its network is now.
        watch: shows how far it is.
        tell: is told what was passed over, and how deep files were scaled.

    Raises:
        SandboxError: a flag that such a thing has no use for or lacks, a rate out of range, or as `measure_people` and
            `measure_classes`.
    """
    for rate in fpir:
        check_rate(rate)
    if known.is_dir():
        if fit is None:
            raise SandboxError("a run keeps no strangers: give --fit FOLDER, with images to fit the thresholds on")
        if network:
            raise SandboxError("--network is for a file of enrolled people; a run is its own network")
        return measure_classes(known, images, fit, fpir, faces=faces or "whole", watch=watch, tell=tell)
    if faces:
        raise SandboxError(f"--faces is for the folder of a run; {known} says itself how images are read")
    if fit:
        raise SandboxError(f"--fit is for the folder of a run; {known} keeps the strangers that it was fitted on")
    people = load_people(known)
    return measure_people(people, network_of(people, known, network), images, fpir, watch, tell)


def measure_people(
    people: People,
    network: Embedder,
    images: Images,
    fpir: Sequence[float],
    watch: Watch = unwatched,
    tell: Tell = untold,
) -> Figures:
    """`figures` of people who are enrolled in a file; its strangers are who thresholds are fitted on.

    Raises:
        SandboxError: the file keeps no strangers; or an image, or a stranger, that was enrolled or fitted on already.
    """
    if people.strangers is None:
        raise SandboxError("the file keeps no strangers to fit thresholds on; enrol anew with --strangers FOLDER")
    files, truth = _files(images, people.gallery.names, tell)
    used = dict.fromkeys(people.gallery.digests, "enrolled")
    used |= dict.fromkeys(people.strangers.digests, "what the threshold was fitted on")
    used.pop("", None)
    _refuse_used(files, used)
    both = sorted(set(truth) & set(people.strangers.names))
    if both:
        raise SandboxError(
            f"the threshold was fitted on {first_names(both)}, who cannot be strangers in a test as well"
        )
    reader = Reader(network, people.faces, people.bits)
    read = list(reader.embedded(files, foremost=True, watch=watch))
    refuse_unreadable(read)
    for note in reader.notes():
        tell(note)
    x = np.concatenate([one.x for one in read])
    there = np.array([len(one.x) > 0 for one in read])
    nameless = np.array([not digest for digest in people.strangers.digests])  # embeddings of a run's validation
    again = embedded_in(x, people.strangers.x[nameless])
    if again.any():
        raise SandboxError(
            f"{counted(int(again.sum()), 'image is', 'images are')} no test, such as "
            f"{read[int(np.flatnonzero(there)[again.argmax()])].file}: the threshold was fitted on it"
        )
    found = people.search(x)
    named, scores = np.full(len(files), None, object), np.full(len(files), -np.inf, np.float32)
    named[there], scores[there] = found.names[:, 0], found.scores[:, 0]
    on = people.search(people.strangers.x).scores[:, 0]
    return figures(Trial(np.array(truth, object), named, scores), people.gallery.names, on, fpir)


def measure_classes(
    run: Path,
    images: Images,
    fit: Path,
    fpir: Sequence[float],
    *,
    faces: Faces = "whole",
    watch: Watch = unwatched,
    tell: Tell = untold,
) -> Figures:
    """`figures` of a run's classifier: the score is the largest probability, thresholds are fitted on the folder `fit`.

    That no image was trained on is for the person to see to: a run keeps no images.

    Raises:
        SandboxError: as `classify`, or a stranger in both folders.
    """
    classes = tuple(map(same_name, classes_of(run)))
    files, truth = _files(images, classes, tell)
    others, names, notes = strangers_in(fit)
    for note in notes:
        tell(f"{fit}: {note}")
    both = sorted((set(truth) | set(classes)) & set(names))
    if both:
        raise SandboxError(f"{first_names(both)} in {fit} cannot be who the threshold is fitted on and in the test too")
    _refuse_used(files, {file_digest(file): "what the threshold is fitted on" for file in others})
    rows = classify(run, files, faces=faces, unknown_below=0.0, watch=watch, tell=tell)
    on = _trial(others, names, classify(run, others, faces=faces, unknown_below=0.0, watch=watch, tell=tell)).scores
    return figures(_trial(files, truth, rows), classes, on, fpir)


def _files(images: Images, known: Sequence[str], tell: Tell) -> tuple[list[Path], list[str]]:
    """Files and whose each is: people by the folders they lie in, and a folder of strangers, none of whom is known."""
    files, truth, notes = people_in(images.folder)
    if images.strangers is not None:
        others, names, more = strangers_in(images.strangers)
        notes += [f"strangers: {note}" for note in more]
        both = sorted(set(names) & set(known))
        if both:
            raise SandboxError(f"{first_names(both)} in {images.strangers} can be named, and so is no stranger")
        files, truth = [*files, *others], [*truth, *names]
    for note in notes:
        tell(note)
    return files, truth


def _refuse_used(files: Sequence[Path], used: dict[str, str]) -> None:
    again = [(file, used[digest]) for file in files if (digest := file_digest(file)) in used]
    if again:
        images = counted(len(again), "image is", "images are")
        raise SandboxError(f"{images} no test: {again[0][0]} is, byte by byte, among {again[0][1]}")


def _trial(files: Sequence[Path], truth: Sequence[str], rows: Sequence[Classified]) -> Trial:
    """The first face of each file, which is the foremost."""
    first: dict[str, Classified] = {}
    for row in rows:
        first.setdefault(row.image, row)
    kept = [first[str(file)] for file in files]
    return Trial(
        truth=np.array(truth, object),
        named=np.array([row.most_alike and same_name(row.most_alike) for row in kept], object),
        scores=np.array([-np.inf if row.probability is None else row.probability for row in kept], np.float32),
    )
