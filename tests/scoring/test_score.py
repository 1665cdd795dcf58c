"""Scoring embeddings that lie in files."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from sandbox.data.formats.rows.embeddings import Embeddings
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import Labelled, evaluate
from sandbox.evaluation.verification import calibration
from sandbox.evaluation.verification import cross_validation as folds
from sandbox.recipe.episodes import Episodes
from sandbox.scoring.inputs import Inputs, Options, read
from sandbox.scoring.score import score

PEOPLE, IMAGES = 24, 6


def people(seed: int = 0, first: int = 0, noise: float = 0.8) -> Embeddings:
    """Unit rows of 24 people, 6 images each, numbered from `first`."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(PEOPLE), IMAGES)
    x = rng.normal(size=(PEOPLE, 16))[y] + noise * rng.normal(size=(len(y), 16))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    return Embeddings(x, y + first, tuple(f"p{number}" for number in range(first + PEOPLE)), None)


def some_pairs(part: Embeddings, seed: int = 0) -> Pairs:
    """Pairs of rows, every sixth of one person and the others of two."""
    rng = np.random.default_rng(seed)
    left = rng.integers(0, len(part), 600)
    right = np.where(
        np.arange(600) % 6 == 0,
        left // IMAGES * IMAGES + (left + 1 + rng.integers(0, IMAGES - 1, 600)) % IMAGES,
        (left + IMAGES * rng.integers(1, PEOPLE, 600)) % len(part),
    )
    return Pairs(left=left, right=right, same=part.labels[left] == part.labels[right])


def cosines(part: Embeddings, pairs: Pairs) -> np.ndarray:
    x = part.x.astype(np.float64)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return np.einsum("ij,ij->i", x[pairs.left], x[pairs.right]).astype(np.float32)


def test_over_all_pairs_it_is_the_report_of_the_evaluation() -> None:
    probe = people()
    found = score(Inputs(probe=probe), Options())
    assert found.figures == evaluate(Labelled(probe.x, probe.labels), Options()).figures
    assert found.findings == [] and found.ranks is None and found.verification is not None


def test_given_pairs_agree_with_scikit_learn() -> None:
    probe = people()
    pairs = some_pairs(probe)
    scores = cosines(probe, pairs)
    figures = score(Inputs(probe=probe, pairs=pairs), Options(far=(0.1, 0.03), clustering=True)).figures
    assert figures["verification/auc"]["value"] == pytest.approx(metrics.roc_auc_score(pairs.same, scores), abs=1e-9)
    far, tar, _ = metrics.roc_curve(pairs.same, scores, drop_intermediate=False)
    for rate, key in ((0.1, "1e-1"), (0.03, "3e-2")):
        assert figures[f"verification/tar@far={key}"]["value"] == pytest.approx(tar[far <= rate].max(), abs=1e-9)
    best = max(metrics.accuracy_score(pairs.same, scores >= cut) for cut in scores)
    assert figures["verification/accuracy"]["value"] == pytest.approx(best, abs=1e-9)
    assert figures["verification/auc"]["n"] == len(pairs)
    assert figures["clustering/ami"]["n"] == len(probe)


def test_folds_are_those_of_the_list_or_cut_here() -> None:
    probe = people()
    pairs = some_pairs(probe)
    scores = cosines(probe, pairs)
    cut = folds.even_folds(pairs.same, 7)
    wanted = folds.figures(folds.cross_validate(scores, pairs.same, cut))
    asked = score(Inputs(probe=probe, pairs=pairs), Options(folds=7)).figures
    listed = score(Inputs(probe=probe, pairs=replace(pairs, fold=cut)), Options()).figures
    assert asked["verification/accuracy@7-fold"] == wanted["verification/accuracy@7-fold"]
    assert listed == asked


def test_folds_that_contradict_the_list_are_refused() -> None:
    probe = people()
    pairs = some_pairs(probe)
    pairs = replace(pairs, fold=folds.even_folds(pairs.same, 3))
    with pytest.raises(SandboxError, match="--folds is 5, but the pair list has 3 folds"):
        score(Inputs(probe=probe, pairs=pairs), Options(folds=5))
    with pytest.raises(SandboxError, match="there is none"):
        score(Inputs(probe=probe), Options(folds=5))


def test_a_threshold_is_chosen_on_validation_and_applied_to_test() -> None:
    probe, held = people(0), people(1, first=PEOPLE)
    pairs, held_pairs = some_pairs(probe), some_pairs(held, 1)
    judged = Inputs(probe=probe, pairs=pairs, validation=held, validation_pairs=held_pairs)
    entry = score(judged, Options()).figures["verification/accuracy@validation"]
    threshold, _ = folds.best_threshold(cosines(held, held_pairs), held_pairs.same)
    assert entry["threshold"] == threshold
    assert entry["value"] == pytest.approx(np.mean((cosines(probe, pairs) >= threshold) == pairs.same), abs=1e-9)


def test_a_threshold_is_chosen_on_all_pairs_where_none_are_given() -> None:
    probe, held = people(0), people(1, first=PEOPLE)
    figures = score(Inputs(probe=probe, validation=held), Options()).figures
    every = Pairs(*np.triu_indices(len(held), 1), same=np.empty(0))  # type: ignore[misc]
    scores, same = cosines(held, every), held.labels[every.left] == held.labels[every.right]
    balanced = lambda s, kind, at: ((s[kind] >= at).mean() + (s[~kind] < at).mean()) / 2  # noqa: E731
    entry = figures["verification/balanced_accuracy@validation"]
    best = max(balanced(scores, same, cut) for cut in np.unique(scores[same])[::4])
    assert balanced(scores, same, entry["threshold"]) >= best - 1e-9
    alike = probe.labels[every.left] == probe.labels[every.right]
    expected = balanced(cosines(probe, every), alike, entry["threshold"])
    assert entry["value"] == pytest.approx(expected, abs=1e-3)
    assert not any(key.startswith("verification/accuracy") for key in figures)  # over all pairs: the impostors' share


def test_given_pairs_of_validation_choose_both_thresholds() -> None:
    probe, held = people(0), people(1, first=PEOPLE)
    pairs, held_pairs = some_pairs(probe), some_pairs(held, 1)
    both = score(Inputs(probe=probe, pairs=pairs, validation=held, validation_pairs=held_pairs), Options()).figures
    scores, same = cosines(held, held_pairs), held_pairs.same
    at = both["verification/balanced_accuracy@validation"]["threshold"]
    means = {cut: ((scores[same] >= cut).mean() + (scores[~same] < cut).mean()) / 2 for cut in scores[same]}
    assert means[np.float32(at)] == pytest.approx(max(means.values()))
    assert at != both["verification/accuracy@validation"]["threshold"]
    # Of all pairs of validation no threshold of accuracy is taken over: most of them are impostors.
    one = score(Inputs(probe=probe, pairs=pairs, validation=held), Options()).figures
    assert "verification/accuracy@validation" not in one and "verification/balanced_accuracy@validation" in one


def test_validation_without_both_kinds_leaves_its_accuracy_out_and_says_so() -> None:
    held = people(1, first=PEOPLE)
    one = Embeddings(held.x[:IMAGES], held.labels[:IMAGES], held.classes, None)
    found = score(Inputs(probe=people(), validation=one), Options())
    assert "verification/auc" in found.figures and not any(key.endswith("@validation") for key in found.figures)
    assert {"no-validation-threshold", "no-open-set"} == {finding.rule for finding in found.findings}


def test_open_set_is_left_out_with_a_note_where_people_are_in_both() -> None:
    probe = people()
    found = score(Inputs(probe=probe, validation=people(1, first=PEOPLE // 2)), Options())
    assert not any(key.startswith("identification/") for key in found.figures)
    (note,) = (finding.text for finding in found.findings if finding.rule == "no-open-set")
    assert "12 are in both" in note and "'p12'" in note
    assert "identities-in-both" in {finding.rule for finding in found.findings}


def test_a_closed_validation_is_no_fault_and_opens_no_set() -> None:
    found = score(Inputs(probe=people(0), validation=people(1), closed=True), Options())
    assert found.findings == []
    assert "verification/balanced_accuracy@validation" in found.figures
    assert not any(key.startswith("identification/") for key in found.figures)


def test_a_row_of_zeros_is_a_miss_in_identification() -> None:
    gallery, probe = people(0, noise=0.1), people(0, noise=0.2)
    clean = score(Inputs(probe=probe, gallery=gallery), Options())
    assert clean.figures["identification/rank@1"]["value"] == 1.0
    x = probe.x.copy()
    x[::4] = 0
    failed = score(Inputs(probe=replace(probe, x=x), gallery=gallery), Options())
    assert failed.figures["identification/rank@10"]["value"] == pytest.approx(0.75)
    assert failed.ranks is not None and (failed.ranks[::4] == 0).all()
    assert "zero-rows" in {finding.rule for finding in failed.findings}
    x = gallery.x.copy()
    x[:IMAGES] = 0  # a person who could not be enrolled
    lost = score(Inputs(probe=probe, gallery=replace(gallery, x=x)), Options(template="best"))
    assert lost.ranks is not None and (lost.ranks[:IMAGES] == 0).all() and (lost.ranks[IMAGES:] == 1).all()


def test_a_row_of_zeros_is_a_miss_in_open_set_identification() -> None:
    probe, held = people(0, noise=0.1), people(1, first=PEOPLE, noise=0.1)
    x = probe.x.copy()
    x[::2] = 0
    for part, most in ((probe, 1.0), (replace(probe, x=x), 0.6), (replace(probe, x=0 * x), 0.0)):
        found = score(Inputs(probe=part, validation=held), Options(fpir=(0.1,)))
        assert found.figures["identification/dir@fpir=1e-1"]["value"] <= most
    assert score(Inputs(probe=probe, validation=held), Options(fpir=(0.1,))).figures["identification/dir@fpir=1e-1"][
        "value"
    ] == pytest.approx(1.0)


def test_strangers_to_the_gallery_are_in_no_rank() -> None:
    whole = people()
    gallery = Embeddings(whole.x[: 10 * IMAGES : 2], whole.labels[: 10 * IMAGES : 2], whole.classes, None)
    found = score(Inputs(probe=whole, gallery=gallery), Options())
    assert found.figures["identification/rank@1"]["n"] == 10 * IMAGES
    assert found.ranks is not None and len(found.ranks) == 10 * IMAGES
    assert found.ranks.min() >= 1
    assert found.figures["retrieval/unmatched"]["value"] == (PEOPLE - 10) * IMAGES


def test_ranks_by_distance_are_those_of_the_nearest_image() -> None:
    probe, gallery = people(2), people(3)
    probe, gallery = replace(probe, x=3 * probe.x), replace(gallery, x=gallery.x * np.float32(2))
    found = score(Inputs(probe=probe, gallery=gallery), Options(metric="l2"))
    apart = ((probe.x[:, None, :].astype(np.float64) - gallery.x[None]) ** 2).sum(2)
    nearest = apart.reshape(len(probe), PEOPLE, IMAGES).min(2)
    own = nearest[np.arange(len(probe)), probe.labels]
    np.testing.assert_array_equal(found.ranks, (nearest <= own[:, None]).sum(1))


@pytest.mark.parametrize("method", ["logistic", "isotonic"])
def test_calibration_is_fitted_on_other_pairs_than_it_is_judged_on(method: str) -> None:
    probe, held = people(0), people(1, first=PEOPLE)
    pairs, held_pairs = some_pairs(probe), some_pairs(held, 1)
    scores = cosines(probe, pairs)
    ask = Options(calibrate=method)  # type: ignore[arg-type]
    judged = Inputs(probe=probe, pairs=pairs, validation=held, validation_pairs=held_pairs)
    by_validation = score(judged, ask).figures["verification/cllr"]
    fit = calibration.Calibration.fit(cosines(held, held_pairs), held_pairs.same, method=ask.calibrate)  # type: ignore[arg-type]
    assert by_validation["value"] == pytest.approx(calibration.cllr(fit.apply(scores), pairs.same), abs=1e-6)
    figures = score(Inputs(probe=probe, pairs=pairs), replace(ask, folds=4)).figures
    llr, fold = np.empty(len(pairs)), folds.even_folds(pairs.same, 4)
    for number in range(1, 5):
        out = fold == number
        fit = calibration.Calibration.fit(scores[~out], pairs.same[~out], method=ask.calibrate)  # type: ignore[arg-type]
        llr[out] = fit.apply(scores[out])
    assert figures["verification/cllr"]["value"] == pytest.approx(calibration.cllr(llr, pairs.same), abs=1e-6)
    assert figures["verification/min_cllr"]["value"] == pytest.approx(
        calibration.min_cllr(scores, pairs.same), abs=1e-6
    )
    for entry in (by_validation, figures["verification/cllr"], figures["verification/min_cllr"]):
        assert entry["low"] < entry["value"] < entry["high"]


def test_pairs_of_one_person_with_others_still_give_an_interval() -> None:
    probe = people()
    right = np.r_[1:IMAGES, IMAGES * np.arange(1, 16)]
    pairs = Pairs(left=np.zeros(len(right), np.int64), right=right, same=right < IMAGES)
    figures = score(Inputs(probe=probe, pairs=pairs), Options(folds=2, calibrate="logistic")).figures
    assert np.isfinite([figures["verification/cllr"][end] for end in ("low", "high")]).all()


def test_one_identity_leaves_the_whole_scale_open() -> None:
    probe = people()
    one = Embeddings(probe.x[:IMAGES], probe.labels[:IMAGES], probe.classes, None)
    figures = score(Inputs(probe=one), Options()).figures
    entry = figures["retrieval/map@r"]
    assert (entry["low"], entry["value"], entry["high"]) == (0.0, 1.0, 1.0)
    assert not any(key.startswith("verification/") for key in figures)


def test_notes_on_rows_without_a_match_are_kept_for_rows_that_search_each_other() -> None:
    probe, gallery = people(), people(1)
    x, y = np.vstack([probe.x, probe.x[:1] * -1]), np.append(probe.labels, PEOPLE)
    lone = Embeddings(x, y, (*probe.classes, "lone"), None)
    rules = [{f.rule for f in score(Inputs(probe=lone, gallery=part), Options()).findings} for part in (None, gallery)]
    assert rules == [{"single-row-classes"}, set()]


def test_classes_of_one_name_are_one_class_over_files(tmp_path: Path) -> None:
    probe, gallery = people(0), people(0, noise=0.3)
    keep = gallery.labels >= 4
    np.savez(tmp_path / "probe.npz", embeddings=probe.x, labels=probe.labels)
    np.savez(tmp_path / "gallery.npz", embeddings=gallery.x[keep], labels=gallery.labels[keep].astype(str))
    judged = read(tmp_path / "probe.npz", gallery=tmp_path / "gallery.npz")
    assert judged.gallery is not None and judged.gallery.classes == judged.probe.classes
    np.testing.assert_array_equal(judged.probe.labels, probe.labels)
    np.testing.assert_array_equal(judged.gallery.labels, gallery.labels[keep])


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    probe = people()
    np.savez(tmp_path / "a.npz", embeddings=probe.x, labels=probe.labels)
    np.savez(tmp_path / "b.npz", embeddings=probe.x[:, :5], labels=probe.labels)
    with pytest.raises(SandboxError, match=r"b\.npz has 5 dimensions, but .*a\.npz has 16"):
        read(tmp_path / "a.npz", validation=tmp_path / "b.npz")
    (tmp_path / "pairs.txt").write_text("0 1 1\n0 9 0\n")
    with pytest.raises(SandboxError, match="--validation, which is missing"):
        read(tmp_path / "a.npz", validation_pairs=tmp_path / "pairs.txt")


def test_query_gallery_and_list_meet_in_any_spelling_and_it_is_told(tmp_path: Path) -> None:
    held = people()
    names = [f"Zo\xeb {label:02d}" for label in held.labels]
    paths = [f"{name}/{name}_{place % IMAGES + 1:04d}.jpg" for place, name in enumerate(names)]
    wide = [unicodedata.normalize("NFD", name) for name in names]
    np.savez(tmp_path / "query.npz", embeddings=held.x, labels=names, paths=paths)
    np.savez(tmp_path / "gallery.npz", embeddings=people(1).x, labels=[f" {name}" for name in wide])
    lines = [f"{wide[0]}\t1\t2", f"{wide[0]}\t1\t{wide[-1]}\t1"]
    (tmp_path / "pairs.txt").write_text("\n".join(["1", *lines]))
    read_in = read(tmp_path / "query.npz", gallery=tmp_path / "gallery.npz", pairs=tmp_path / "pairs.txt")
    assert read_in.gallery is not None and read_in.probe.classes == read_in.gallery.classes
    assert np.array_equal(read_in.probe.labels, read_in.gallery.labels)
    assert len(read_in.notes) == 2
    assert read_in.notes[0].startswith("24 names are each spelt in several ways and taken for one: ' Zoe\\u0308 00' = ")
    assert read_in.notes[1].startswith("the list names 3 images in another spelling than the paths of the embeddings")
    found = score(read_in, Options())
    assert [finding.text for finding in found.findings if finding.rule == "as-read"] == list(read_in.notes)
    np.savez(tmp_path / "same.npz", embeddings=people(1).x, labels=names)
    assert (
        found.figures
        == score(
            read(tmp_path / "query.npz", gallery=tmp_path / "same.npz", pairs=tmp_path / "pairs.txt"), Options()
        ).figures
    )


def test_episodes_are_drawn_and_what_is_odd_of_them_is_found() -> None:
    part = people()
    rows = np.flatnonzero((part.labels > 2) | (np.arange(len(part)) % IMAGES < 3))  # three people have three images
    part = replace(part, x=part.x[rows], labels=part.labels[rows])
    asked = Options(episodes=Episodes.of("5w1s, 2w2s", 30, 4))
    for closed in (False, True):
        scored = score(Inputs(probe=part, closed=closed), asked)
        assert scored.figures.keys() >= {"fewshot/accuracy@5-way-1-shot", "fewshot/accuracy@2-way-2-shot"}
        rules = [finding.rule for finding in scored.findings if finding.rule.startswith("few-shot")]
        assert rules == ["few-shot-small-classes"] * 2 + ["few-shot-closed-set"] * closed
    (_, small) = [finding.text for finding in score(Inputs(probe=part), asked).findings if "small" in finding.rule]
    assert small == (
        "5-way 1-shot episodes leave out 3 of 24 classes, which have fewer than 5 images (1 known, 4 asked for): "
        "p0, p1, p2"
    )
    with pytest.raises(SandboxError, match=r"but 21 of 24 classes of the embeddings have as many.*\(--episode_queries"):
        score(Inputs(probe=part), Options(episodes=Episodes.of("22w1s", 30, 4)))
