"""Score embeddings that lie in files, or those of a finished run: what is read, checked, measured and drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from sandbox.data.formats.embeddings import Embeddings
from sandbox.errors import SandboxError
from sandbox.evaluation.clustering import clustering
from sandbox.evaluation.figures import Figures, on_whole_scale, shares, spell_rate
from sandbox.evaluation.identification.closed_set import cmc, search
from sandbox.evaluation.identification.open_set import dir_at_fpir
from sandbox.evaluation.intervals.bootstrap import bootstrap_means
from sandbox.evaluation.lint.embeddings import Finding, lint_embeddings, lint_split
from sandbox.evaluation.lint.identical_rows import first_identical
from sandbox.evaluation.lint.pairs import lint_pairs, lint_scores
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import both_kinds, verify
from sandbox.evaluation.retrieval.metrics import retrieval
from sandbox.evaluation.similarity import as_products
from sandbox.evaluation.verification import cross_validation as by_folds
from sandbox.evaluation.verification.calibration import Calibration, cllr, min_cllr
from sandbox.evaluation.verification.metrics import Verification, score_pairs
from sandbox.scoring.inputs import Ask, Judged
from sandbox.wording import counted

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Scored:
    """What came out."""

    figures: Figures
    findings: list[Finding]
    verification: Verification | None = field(repr=False)
    ranks: np.ndarray | None = field(default=None, repr=False)
    """(P,) identification rank of each probe whose person is in the gallery, 0 where never found."""


def score(judged: Judged, ask: Ask) -> Scored:
    """Every figure that the data allows, with what the linter has to say.

    Raises:
        SandboxError: folds or calibration without what they need, or data that no figure could be trusted on.
    """
    probe, pairs = judged.probe, _with_folds(judged.pairs, ask)
    findings = _lint(judged, pairs, ask)
    figures = _retrieval(judged, ask)
    given = None if pairs is None else (pairs.left, pairs.right, pairs.same)
    verification, threshold = None, None
    if judged.validation is not None:
        held = judged.validation_verify or judged.validation
        threshold, why = _threshold(held, judged.validation_pairs, ask)
        findings += [Finding("no-validation-threshold", f"accuracy@validation was left out: {why}")] if why else []
    verified = judged.verify or probe
    if both_kinds(verified.labels, given):
        verification = verify(verified.x, verified.labels, given, far=ask.far, threshold=threshold, metric=ask.metric)
        figures |= verification.figures(ask.far, threshold=threshold)
    if pairs is not None and verification is not None and verification.scores is not None:
        scores = verification.scores
        findings += lint_scores(scores, pairs.same)
        if pairs.fold is not None:
            figures |= by_folds.figures(by_folds.cross_validate(scores, pairs.same, pairs.fold))
        if ask.calibrate != "none":
            figures |= _calibrated(scores, pairs, judged, ask)
    elif ask.calibrate != "none":
        raise SandboxError("--calibrate needs --pairs with genuine and impostor pairs")
    ranks = None
    if judged.gallery is not None:
        enrolled = np.isin(probe.labels, judged.gallery.labels)
        ranks = _ranks(probe, judged.gallery, ask)[enrolled]
        hits = {f"identification/rank@{k}": hit for k, hit in cmc(ranks, RANKS).items()}
        figures |= shares(hits, probe.labels[enrolled])
    if judged.validation is not None and not judged.closed:
        try:
            figures |= _open_set(judged.validation, probe, ask)
        except SandboxError as error:  # the other figures stand without it
            findings.append(Finding("no-open-set", f"open-set identification was left out: {error}"))
    if ask.clustering:
        figures |= clustering(as_products(probe.x, ask.metric)[0] if ask.metric != "l2" else probe.x, probe.labels)[1]
    return Scored(figures, findings, verification, ranks)


def _with_folds(pairs: Pairs | None, ask: Ask) -> Pairs | None:
    if not ask.folds:
        return pairs
    if pairs is None:
        raise SandboxError(f"--folds {ask.folds} cuts a list of pairs into folds, but there is none (--pairs)")
    if pairs.fold is None:
        return replace(pairs, fold=by_folds.even_folds(pairs.same, ask.folds))
    there = len(np.unique(pairs.fold))
    if there != ask.folds:
        raise SandboxError(f"--folds is {ask.folds}, but the pair list has {there} folds of its own")
    return pairs


def _lint(judged: Judged, pairs: Pairs | None, ask: Ask) -> list[Finding]:
    probe, gallery, held = judged.probe, judged.gallery, judged.validation
    named = _names(probe)
    findings = lint_embeddings(probe.x, named, paths=probe.paths, normalised_expected=ask.metric == "cosine")
    if gallery is not None or not _among_themselves(judged):  # then no row searches the others
        findings = [finding for finding in findings if finding.rule not in ("single-row-classes", "one-class")]
    if pairs is not None:
        verified = _names(judged.verify or probe)
        findings += lint_pairs(pairs.left, pairs.right, pairs.same, pairs.fold, y=verified)
    if held is not None and not judged.closed:
        findings += lint_split(_names(held), named, held.x, probe.x)
    if gallery is not None:
        first = first_identical(gallery.x, probe.x)[len(gallery) :]
        twin = first < len(gallery)
        if twin.any():
            at = int(twin.argmax())
            findings.append(
                Finding(
                    "identical-rows-in-gallery",
                    f"{counted(twin.sum(), 'row is', 'rows are')} identical, byte by byte, to a row of the gallery, "
                    f"the first row {at} (gallery row {first[at]}): to find one image in itself is no recognition",
                )
            )
    return findings


def _names(part: Embeddings) -> np.ndarray:
    """(N,) the class of each row as it was named in its file."""
    return np.array(part.classes)[part.labels]


def _among_themselves(judged: Judged) -> bool:
    """Whether rows without a gallery search each other: not where pairs are given and no row has a match."""
    apart = judged.pairs is None or judged.verify is not None
    return judged.retrieve and (apart or np.bincount(judged.probe.labels).max() > 1)


def _retrieval(judged: Judged, ask: Ask) -> Figures:
    probe, gallery = judged.probe, judged.gallery
    if gallery is None and not _among_themselves(judged):
        return {}
    found = retrieval(
        probe.x,
        probe.labels,
        gallery=None if gallery is None else gallery.x,
        gallery_y=None if gallery is None else gallery.labels,
        recall_at=ask.recall_at,
        metric=ask.metric,
        index=ask.index,
    )
    return on_whole_scale(found.figures())


def _threshold(held: Embeddings, pairs: Pairs | None, ask: Ask) -> tuple[float | None, str]:
    """The threshold that is most accurate on validation; where there is none, why."""
    if pairs is not None:
        scores = score_pairs(held.x, pairs.left, pairs.right, metric=ask.metric)
        threshold = by_folds.best_threshold(scores, pairs.same)[0]
    elif both_kinds(held.labels, None):
        threshold = verify(held.x, held.labels, None, far=(), metric=ask.metric).curve.best_accuracy()[1]
    else:
        return None, "a threshold needs two classes in validation, and a class of two images"
    if np.isfinite(threshold):
        return threshold, ""
    every = "reject" if threshold > 0 else "accept"
    return None, f"no threshold is more often right on validation than to {every} every pair"


def _calibrated(scores: np.ndarray, pairs: Pairs, judged: Judged, ask: Ask) -> Figures:
    """Cllr of scores calibrated elsewhere: on validation, or for each fold on the others."""
    assert ask.calibrate != "none"
    if judged.validation is not None and judged.validation_pairs is not None:
        held = judged.validation_pairs
        fitted = score_pairs(
            (judged.validation_verify or judged.validation).x, held.left, held.right, metric=ask.metric
        )
        llr = Calibration.fit(fitted, held.same, method=ask.calibrate).apply(scores)
    elif pairs.fold is not None:
        llr = np.empty(len(scores))
        for fold in np.unique(pairs.fold):
            out = pairs.fold == fold
            llr[out] = Calibration.fit(scores[~out], pairs.same[~out], method=ask.calibrate).apply(scores[out])
    else:
        raise SandboxError("--calibrate fits on other pairs than it is judged on: give --folds or --validation_pairs")
    people = (judged.verify or judged.probe).labels
    floor = Calibration.fit(scores, pairs.same, method="isotonic").apply(scores)
    return {
        "verification/cllr": _cost_entry(llr, pairs, people, cllr(llr, pairs.same)),
        "verification/min_cllr": _cost_entry(floor, pairs, people, min_cllr(scores, pairs.same)),
    }


def _cost_entry(llr: np.ndarray, pairs: Pairs, y: np.ndarray, value: float) -> dict[str, float | int]:
    """A Cllr with its interval; a pair of two people is resampled with the left one, if these are several."""
    people = next((y[side] for side in (pairs.left, pairs.right) if len(np.unique(y[side])) > 1), np.arange(len(pairs)))
    cost = np.where(pairs.same, np.logaddexp(0, -llr), np.logaddexp(0, llr)) / np.log(2)
    share = pairs.same.mean()
    mean, low, high = bootstrap_means(cost * np.where(pairs.same, 0.5 / share, 0.5 / (1 - share)), people)
    off = value - float(mean[0])
    return {"value": value, "low": max(float(low[0]) + off, 0.0), "high": float(high[0]) + off, "n": len(pairs)}


def _ranks(probe: Embeddings, gallery: Embeddings, ask: Ask) -> np.ndarray:
    """The rank of each probe's person; by distance, a person is as near as the nearest of their images."""
    return search(
        as_products(probe.x, ask.metric)[0],
        probe.labels,
        as_products(gallery.x, ask.metric)[1],
        gallery.labels,
        template="best" if ask.metric == "l2" else ask.template,
        failed=_gave_nothing(probe),
        gallery_failed=_gave_nothing(gallery),
    ).rank


def _gave_nothing(part: Embeddings) -> np.ndarray:
    """(N,) bool: a row of zeros is an image that no embedding could be made of."""
    return np.asarray(~part.x.any(axis=1))


def _open_set(held: Embeddings, probe: Embeddings, ask: Ask) -> Figures:
    """DIR at each FPIR with thresholds fitted on validation's people."""
    if ask.metric == "l2":
        raise SandboxError("it compares cosines or dot products, not --metric l2")
    shared = np.intersect1d(held.labels, probe.labels)
    if len(shared):
        raise SandboxError(
            f"its thresholds are fitted on people who are in no test, but {counted(len(shared), 'is', 'are')} in both, "
            f"the first '{probe.classes[shared[0]]}'"
        )
    found = dir_at_fpir(
        as_products(held.x, ask.metric)[0],
        held.labels,
        as_products(probe.x, ask.metric)[0],
        probe.labels,
        fpir=ask.fpir,
        enrol=ask.enrol,
        template=ask.template,
        calibration_failed=_gave_nothing(held),
        test_failed=_gave_nothing(probe),
    )
    figures: Figures = {}
    people = probe.labels[found.test.mated]
    strangers = probe.labels[found.test.strangers]
    for place, rate in enumerate(found.fpir):
        key = f"identification/dir@fpir={spell_rate(rate)}"
        figures |= shares({key: found.identified[place]}, people)
        figures[key] |= {
            "fpir": float(found.false_positive[place].mean()),
            "strangers": len(strangers),
            "gallery": found.test_gallery,
            "supported": bool(found.supported[place]),
        }
        if np.isfinite(found.thresholds[place]):  # else all are accepted of whom anybody is returned
            figures[key]["threshold"] = float(found.thresholds[place])
    return figures
