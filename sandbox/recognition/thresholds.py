"""The threshold from which a face is taken for somebody, and the probability that a similarity stands for."""

from __future__ import annotations

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.blocks import evenly
from sandbox.evaluation.identification.closed_set import Template
from sandbox.evaluation.identification.open_set import fit_threshold
from sandbox.evaluation.similarity import unit
from sandbox.evaluation.verification.calibration import Calibration
from sandbox.recognition.gallery import Gallery
from sandbox.recognition.people import Calibrated, Source, Threshold
from sandbox.recognition.search import PeopleSearcher

_PEOPLE, _IMAGES = 5_000, 50  # of whom genuine scores are taken, and images of each
_PROBES, _COMPARED = 1_000, 4_000  # images that impostor scores are taken of, and rows they are compared with


def fit_by_strangers(searcher: PeopleSearcher, strangers: Gallery, fpir: float, source: Source) -> Threshold:
    """The lowest threshold at which at most a share `fpir` of the strangers' images is taken for anybody.

    Raises:
        SandboxError: a rate that is not between 0 and 1.
    """
    check_rate(fpir)
    value, reached = fit_threshold(searcher.search(strangers.x).scores[:, 0], fpir)
    return Threshold(value, source, fpir, reached, len(strangers), len(strangers.names))


def take_by_hand(searcher: PeopleSearcher, strangers: Gallery | None, value: float) -> Threshold:
    """A threshold that a person chose, and the share of the strangers' images, if there are any, that it lets in.

    Raises:
        SandboxError: it is no cosine.
    """
    check_cosine(value)
    if strangers is None:
        return Threshold(value, "by hand", None, None, 0, 0)
    reached = float((searcher.search(strangers.x).scores[:, 0] >= np.float32(value)).mean())
    return Threshold(value, "by hand", None, reached, len(strangers), len(strangers.names))


def calibrate(rows: Gallery, strangers: Gallery | None, template: Template) -> Calibrated | None:
    """Logistic regression of whether an image and a person's template belong together, at even odds.

    Genuine scores are of images with the template of the other images of their person: enrolled people with two
    images or more, and strangers with as many, whose templates are of no more images than enrolled people have (by
    the median). Impostor scores are of strangers with enrolled people, and of enrolled images with other enrolled
    people. Where there are many people or images, some thousands spread evenly over them are taken.

    Targets follow Platt's rule of succession, (n + 1) / (n + 2) in place of 1 (Platt, "Probabilistic outputs for
    support vector machines", 1999): where few scores were there to learn from, no probability is near certainty.

    Returns:
        None where there is no score of one kind, or genuine scores are no higher.
    """
    usual = int(np.median(rows.counts))
    genuine = [genuine_scores(rows, template, None)]
    if strangers is not None:
        genuine.append(genuine_scores(strangers, template, usual))
    same, other = np.concatenate(genuine), impostor_scores(rows, strangers, template)
    if not len(same) or not len(other):
        return None
    scores = np.concatenate([same, other])
    kind = np.repeat([True, False], [len(same), len(other)])
    sure = np.where(kind, (len(same) + 1) / (len(same) + 2), (len(other) + 1) / (len(other) + 2))
    fitted = Calibration.fit(np.tile(scores, 2), np.append(kind, ~kind), weights=np.append(sure, 1 - sure))
    return Calibrated(fitted.slope, fitted.offset, len(same), len(other)) if fitted.slope > 0 else None


def genuine_scores(rows: Gallery, template: Template, most: int | None) -> np.ndarray:
    """(M,) float64: each image's score with a template of up to `most` other images of its person; all where None."""
    starts = np.append(0, np.cumsum(rows.counts))
    several = np.flatnonzero(rows.counts > 1)
    scores = [np.empty(0)]
    for person in several[evenly(len(several), _PEOPLE)]:
        x = rows.x[starts[person] : starts[person + 1]].astype(np.float64)
        x = x[evenly(len(x), _IMAGES)]
        take = len(x) - 1 if most is None else min(most, len(x) - 1)
        others = (np.arange(len(x))[:, None] + np.arange(1, take + 1)) % len(x)  # the next ones, round and round
        if template == "mean":
            scores.append((unit(x[others].sum(axis=1)) * x).sum(axis=1))
        else:
            scores.append(np.take_along_axis(x @ x.T, others, axis=1).max(axis=1))
    return np.concatenate(scores)


def impostor_scores(rows: Gallery, strangers: Gallery | None, template: Template) -> np.ndarray:
    """(M,) float64: scores of enrolled images, and of strangers, with templates of other enrolled people."""
    chosen = evenly(len(rows.names), max(1, _COMPARED * len(rows.names) // len(rows)))
    gallery = rows.take(np.isin(rows.person, chosen))
    searcher = PeopleSearcher(gallery, template)
    number = np.full(len(rows.names), -1)
    number[chosen] = np.arange(len(chosen))
    probes = evenly(len(rows), _PROBES)
    x, whose = rows.x[probes], number[rows.person[probes]]
    if strangers is not None:
        some = evenly(len(strangers), _PROBES)
        x, whose = np.concatenate([x, strangers.x[some]]), np.append(whose, np.full(len(some), -1))
    scores = x.astype(np.float64) @ searcher.x.astype(np.float64).T
    scores = np.maximum.reduceat(scores, np.flatnonzero(np.diff(searcher.person, prepend=-1)), axis=1)
    return scores[whose[:, None] != np.arange(len(chosen))]


def check_rate(fpir: float) -> None:
    """Refuse what is no false positive identification rate that a threshold can be fitted for."""
    if not 0 < fpir < 1:
        raise SandboxError(f"--fpir is {fpir:g}, but is above 0 and below 1")


def check_cosine(value: float) -> None:
    """Refuse what is no cosine."""
    if not -1 <= value <= 1:
        raise SandboxError(f"--threshold is {value:g}, but a similarity lies between -1 and 1")
