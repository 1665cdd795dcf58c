"""Score embeddings that lie in files, or those of a finished run: what is read, checked, measured and drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from sandbox.data.formats.rows.embeddings import Embeddings
from sandbox.errors import SandboxError
from sandbox.evaluation.clustering import clustering
from sandbox.evaluation.fewshot.suited import check_possible, passed_over
from sandbox.evaluation.figures import Figures, few_identities, shares, spell_rate
from sandbox.evaluation.identification.closed_set import cmc, search
from sandbox.evaluation.identification.open_set import dir_at_fpir
from sandbox.evaluation.intervals.bootstrap import bootstrap_means
from sandbox.evaluation.lint.embeddings import Finding, lint_embeddings, lint_split
from sandbox.evaluation.lint.identical_rows import first_identical
from sandbox.evaluation.lint.pairs import lint_pairs, lint_scores
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, both_kinds, evaluate, verify
from sandbox.evaluation.similarity import as_products, check_lengths
from sandbox.evaluation.verification import cross_validation as by_folds
from sandbox.evaluation.verification.calibration import Calibration, cllr, min_cllr
from sandbox.evaluation.verification.metrics import Verification, score_pairs
from sandbox.runs.embeddings import one_shot_figures
from sandbox.scoring.after import score_after
from sandbox.scoring.columns import said_of_groups
from sandbox.scoring.inputs import Inputs, Options
from sandbox.wording import counted

RANKS = (1, 5, 10)


@dataclass(frozen=True)
class Scored:
    """Figures, findings of the linter, and what pictures are drawn from."""

    figures: Figures
    findings: list[Finding]
    verification: Verification | None = field(repr=False)
    ranks: np.ndarray | None = field(default=None, repr=False)
    """(P,) identification rank of each probe whose person is in the gallery, 0 where never found."""


def score(inputs: Inputs, options: Options) -> Scored:
    """Every figure that the data allows, with what the linter has to say.

    Raises:
        SandboxError: folds or calibration without what they need, or data that no figure could be trusted on.
    """
    tried = {} if inputs.tried is None else one_shot_figures({"test": inputs.tried}, "test")
    if inputs.trials_alone:
        if options.folds or options.clustering or options.calibrate != "none" or options.extra or options.after:
            raise SandboxError(
                "--folds, --calibrate, --clustering, --figures and --after are of pairs and classes, but test holds "
                "one-shot trials alone; give --split val"
            )
        return Scored(tried, lint_embeddings(inputs.probe.x, _names(inputs.probe)), None)
    probe, gallery, pairs = inputs.probe, inputs.gallery, _with_folds(inputs.pairs, options)
    check_possible(probe.labels, options.episodes, setting="--episode_queries")
    findings = [Finding("as-read", note) for note in inputs.notes] + _lint(inputs, pairs, options)
    threshold = balanced = None
    if inputs.validation is not None:
        held = inputs.validation_verify or inputs.validation
        threshold, balanced, unchosen = _thresholds(held, inputs.validation_pairs, options, pairs)
        findings += [Finding("no-validation-threshold", text) for text in unchosen]
    _check_extra(pairs, options)
    searched = gallery is not None or _among_themselves(inputs)
    found = evaluate(
        Labelled(probe.x, probe.labels),
        replace(
            options,
            threshold=threshold,
            balanced_threshold=balanced,
            retrieval=searched,
            roles=inputs.roles,
            by=inputs.groups,
        ),
        gallery=None if gallery is None else Labelled(gallery.x, gallery.labels),
        pairs=pairs,
        verified=None if inputs.verify is None else Labelled(inputs.verify.x, inputs.verify.labels),
    )
    figures, verification = found.figures, found.verification
    findings += _left_out(figures, options)
    findings += [Finding("groups-left-out", text) for text in said_of_groups(inputs)]
    if inputs.gallery is not None and inputs.roles is not None:
        text = "identification was left out: it is of people, of whose images some cameras' do not count for a query"
        findings.append(Finding("no-identification", text))
    if pairs is not None and verification is not None and verification.scores is not None:
        scores = verification.scores
        findings += lint_scores(scores, pairs.same)
        if options.calibrate != "none":
            figures |= _calibrated(scores, pairs, inputs, options)
    elif options.calibrate != "none":
        raise SandboxError("--calibrate needs --pairs with genuine and impostor pairs")
    ranks = None
    if inputs.gallery is not None and inputs.roles is None:
        enrolled = np.isin(probe.labels, inputs.gallery.labels)
        ranks = _ranks(probe, inputs.gallery, options)[enrolled]
        hits = {f"identification/rank@{k}": hit for k, hit in cmc(ranks, RANKS).items()}
        figures |= shares(hits, probe.labels[enrolled])
    if inputs.validation is not None and not inputs.closed and inputs.roles is not None:
        text = "open-set identification was left out: it draws a gallery of its own, and knows no queries or cameras"
        findings.append(Finding("no-open-set", text))
    elif inputs.validation is not None and not inputs.closed:
        try:
            figures |= _open_set(inputs.validation, probe, options)
        except SandboxError as error:  # the other figures stand without it
            findings.append(Finding("no-open-set", f"open-set identification was left out: {error}"))
    if options.clustering:
        figures |= clustering(
            as_products(probe.x, options.metric)[0] if options.metric != "l2" else probe.x, probe.labels
        )[1]
    after, said = score_after(inputs, pairs, options, retrieval=searched)
    return Scored(figures | tried | after, findings + said, verification, ranks)


def _with_folds(pairs: Pairs | None, options: Options) -> Pairs | None:
    if not options.folds:
        return pairs
    if pairs is None:
        raise SandboxError(f"--folds {options.folds} cuts a list of pairs into folds, but there is none (--pairs)")
    if pairs.fold is None:
        return replace(pairs, fold=by_folds.even_folds(pairs.same, options.folds))
    there = len(np.unique(pairs.fold))
    if there != options.folds:
        raise SandboxError(f"--folds is {options.folds}, but the pair list has {there} folds of its own")
    return pairs


def _check_extra(pairs: Pairs | None, options: Options) -> None:
    """TAR over folds is of given pairs in folds; a figure that was asked for is not left out in silence."""
    for one in (one for one in options.extra if one.name == "fold_tar"):
        if pairs is None or pairs.fold is None:
            raise SandboxError(f"--figures asks for {one}, which is of given pairs in folds: give --pairs, and --folds")


def _left_out(figures: Figures, options: Options) -> list[Finding]:
    """A sentence on each figure that was asked for and that these data have none of."""
    said = []
    for one in (one for one in options.extra if one.key not in figures):
        pairs = one.key.startswith("verification")
        why = "there is no genuine or no impostor pair" if pairs else "no row searches another here"
        said.append(Finding("figure-left-out", f"{one} of --figures was left out: {why}"))
    return said


def _lint(inputs: Inputs, pairs: Pairs | None, options: Options) -> list[Finding]:
    probe, gallery, held = inputs.probe, inputs.gallery, inputs.validation
    named = _names(probe)
    findings = lint_embeddings(probe.x, named, paths=probe.paths, normalised_expected=options.metric == "cosine")
    apart = gallery is not None or (inputs.roles is not None and not inputs.roles.query.all())
    if apart or not _among_themselves(inputs):  # then no row searches the others
        findings = [finding for finding in findings if finding.rule not in ("single-row-classes", "one-class")]
    if pairs is not None:
        verified = _names(inputs.verify or probe)
        findings += lint_pairs(pairs.left, pairs.right, pairs.same, pairs.fold, y=verified)
    if held is not None and not inputs.closed:
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
    return findings + _lint_episodes(inputs, options)


def _lint_episodes(inputs: Inputs, options: Options) -> list[Finding]:
    """Which classes few-shot episodes leave out, and whether the others were trained on."""
    said = passed_over(inputs.probe.labels, inputs.probe.classes, options.episodes)
    found = [Finding("few-shot-small-classes", text) for text in said]
    if options.episodes.tasks and inputs.closed:
        text = (
            "few-shot accuracy is of classes that are not trained on, but these are: it is no figure for a few-shot "
            "table"
        )
        found.append(Finding("few-shot-closed-set", text))
    return found


def _names(part: Embeddings) -> np.ndarray:
    """(N,) the class of each row as it was named in its file."""
    return np.array(part.classes)[part.labels]


def _among_themselves(inputs: Inputs) -> bool:
    """Whether rows without a gallery search each other: not where pairs are given and no row has a match."""
    apart = inputs.pairs is None or inputs.verify is not None
    return inputs.retrieve and (apart or np.bincount(inputs.probe.labels).max() > 1)


def _thresholds(
    held: Embeddings, pairs: Pairs | None, options: Options, tested: Pairs | None
) -> tuple[float | None, float | None, list[str]]:
    """The thresholds of validation's best accuracy, where its pairs are given, and best balanced accuracy.

    That of accuracy is the best where genuine pairs are as frequent as among those that are tested.
    Where one is missing, a sentence says why.
    """
    if not both_kinds(held.labels, pairs):
        why = "a threshold needs two classes in validation, and a class of two images"
        return None, None, [f"balanced accuracy@validation was left out: {why}"]
    accurate, notes = None, []
    if pairs is not None:
        scores = score_pairs(held.x, pairs.left, pairs.right, metric=options.metric)
        accurate = by_folds.best_threshold(scores, pairs.same, None if tested is None else tested.mix)[0]
        if not np.isfinite(accurate):
            every = f"no threshold is more often right on validation than to {_verb(accurate)} every pair"
            accurate, notes = None, [f"accuracy@validation was left out: {every}"]
    value, balanced = verify(held.x, held.labels, pairs, far=(), metric=options.metric).curve.best_balanced_accuracy()
    if value > 0.5:
        return accurate, balanced, notes
    why = "no threshold tells genuine from impostor pairs of validation"
    return accurate, None, [*notes, f"balanced accuracy@validation was left out: {why}"]


def _verb(threshold: float) -> str:
    return "reject" if threshold > 0 else "accept"


def _calibrated(scores: np.ndarray, pairs: Pairs, inputs: Inputs, options: Options) -> Figures:
    """Cllr of scores calibrated elsewhere: on validation, or for each fold on the others."""
    assert options.calibrate != "none"
    if inputs.validation is not None and inputs.validation_pairs is not None:
        held = inputs.validation_pairs
        fitted = score_pairs(
            (inputs.validation_verify or inputs.validation).x, held.left, held.right, metric=options.metric
        )
        llr = Calibration.fit(fitted, held.same, method=options.calibrate).apply(scores)
    elif pairs.fold is not None:
        llr = np.empty(len(scores))
        for fold in np.unique(pairs.fold):
            out = pairs.fold == fold
            llr[out] = Calibration.fit(scores[~out], pairs.same[~out], method=options.calibrate).apply(scores[out])
    else:
        raise SandboxError("--calibrate fits on other pairs than it is inputs on: give --folds or --validation_pairs")
    people = (inputs.verify or inputs.probe).labels
    floor = Calibration.fit(scores, pairs.same, method="isotonic").apply(scores)
    return {
        "verification/cllr": _cost_entry(llr, pairs, people, cllr(llr, pairs.same)),
        "verification/min_cllr": _cost_entry(floor, pairs, people, min_cllr(scores, pairs.same)),
    }


def _cost_entry(llr: np.ndarray, pairs: Pairs, y: np.ndarray, value: float) -> dict[str, float | int]:
    """A Cllr with its interval; a pair of two people is resampled with the left one, if these are several."""
    named = next((y[side] for side in (pairs.left, pairs.right) if len(np.unique(y[side])) > 1), None)
    people = np.arange(len(pairs)) if named is None else named
    cost = np.where(pairs.same, np.logaddexp(0, -llr), np.logaddexp(0, llr)) / np.log(2)
    share = pairs.same.mean()
    mean, low, high = bootstrap_means(cost * np.where(pairs.same, 0.5 / share, 0.5 / (1 - share)), people)
    off = value - float(mean[0])
    marked = few_identities(None if named is None else len(np.unique(named)))
    return {
        "value": value,
        "low": max(float(low[0]) + off, 0.0),
        "high": float(high[0]) + off,
        "n": len(pairs),
    } | marked


def _ranks(probe: Embeddings, gallery: Embeddings, options: Options) -> np.ndarray:
    """The rank of each probe's person; by distance, a person is as near as the nearest of their images."""
    check_lengths(probe.x, gallery.x, options.metric)
    check_lengths(gallery.x, probe.x, options.metric)
    return search(
        as_products(probe.x, options.metric)[0],
        probe.labels,
        as_products(gallery.x, options.metric)[1],
        gallery.labels,
        template="best" if options.metric == "l2" else options.template,
        failed=_gave_nothing(probe),
        gallery_failed=_gave_nothing(gallery),
    ).rank


def _gave_nothing(part: Embeddings) -> np.ndarray:
    """(N,) bool: a row of zeros is an image that no embedding could be made of."""
    return np.asarray(~part.x.any(axis=1))


def _open_set(held: Embeddings, probe: Embeddings, options: Options) -> Figures:
    """DIR at each FPIR with thresholds fitted on validation's people."""
    if options.metric == "l2":
        raise SandboxError("it compares cosines or dot products, not --metric l2")
    shared = np.intersect1d(held.labels, probe.labels)
    if len(shared):
        raise SandboxError(
            f"its thresholds are fitted on people who are in no test, but {counted(len(shared), 'is', 'are')} in both, "
            f"the first '{probe.classes[shared[0]]}'"
        )
    found = dir_at_fpir(
        as_products(held.x, options.metric)[0],
        held.labels,
        as_products(probe.x, options.metric)[0],
        probe.labels,
        fpir=options.fpir,
        enrol=options.enrol,
        template=options.template,
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
