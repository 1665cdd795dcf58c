"""Open-set identification: is it anybody enrolled, at thresholds that were fitted on people who are in no test.

DIR is the share of mated probes that are identified, FPIR the share of strangers that are false positives
(ISO/IEC 19795-1; Phillips, Grother and Micheals, "Evaluation Methods in Face Recognition", 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.identification.closed_set import Search, Template, check_rows, search


@dataclass(frozen=True)
class OpenSet:
    """Decisions at T thresholds over P probes."""

    mated: np.ndarray
    """(P,) bool, whether the probe's person was to be enrolled; the other probes are strangers."""
    identified: np.ndarray
    """(T, P) bool: a mated probe whose right person comes first, at or above the threshold. False for strangers."""
    false_positive: np.ndarray
    """(T, P) bool: a stranger of whom anybody is returned, at or above the threshold. False for mated probes."""


def fit_threshold(stranger_top_scores: np.ndarray, fpir: float) -> tuple[float, float]:
    """The lowest threshold at which no more than `fpir` of the strangers are accepted (so the largest DIR).

    Args:
        stranger_top_scores: (S,) the top score of each non-mated probe, compared as float32; -inf where nobody was
            returned, which is a stranger rejected.
        fpir: false positive identification rate, 0 to 1.

    Returns:
        (threshold, the FPIR reached). A probe is accepted at or above the threshold. It is the next float32 above the
        highest score that has to be rejected, and equal scores are rejected together, so that the rate reached may
        lie below the one asked for; -inf where all may be accepted.

    Raises:
        SandboxError: no scores, a score that is NaN or +inf, or a rate outside 0..1.
    """
    if not 0 <= fpir <= 1:
        raise SandboxError(f"a false positive rate lies between 0 and 1, not at {fpir}")
    if stranger_top_scores.ndim != 1 or len(stranger_top_scores) == 0:
        raise SandboxError(
            f"a threshold is fitted on the top scores (S,) of strangers, not on {stranger_top_scores.shape}"
        )
    levels, counts = np.unique(stranger_top_scores.astype(np.float32), return_counts=True)
    if not levels[-1] < np.inf:  # NaN sorts last
        raise SandboxError("the top scores of strangers hold NaN or +inf; only -inf, nobody returned, is allowed")
    above = (counts.sum() - counts.cumsum()) / counts.sum()  # the FPIR just above each level
    returned = above[0] if levels[0] == -np.inf else 1.0
    if returned <= fpir:
        return -np.inf, float(returned)
    place = int(np.argmax(above <= fpir))
    return float(np.nextafter(levels[place], np.float32(np.inf))), float(above[place])


@dataclass(frozen=True)
class Draw:
    """Rows of one part, each in one role; nobody who is a stranger is in the gallery."""

    gallery: np.ndarray
    """(G,) int64 rows enrolled."""
    mated: np.ndarray
    """(P,) int64 rows of people who are enrolled with other rows."""
    strangers: np.ndarray
    """(S,) int64 rows of people who are not enrolled: the non-mated probes."""


@dataclass(frozen=True)
class DirAtFpir:
    """DIR at T targets of FPIR, probe by probe: its thresholds come from one set of people and judge another."""

    fpir: tuple[float, ...]
    """The targets."""
    thresholds: np.ndarray
    """(T,) float32, fitted on the strangers of the calibration part against its gallery."""
    supported: np.ndarray
    """(T,) bool: the target allows 30 or more false positives among the strangers it was fitted on."""
    calibration_fpir: np.ndarray
    """(T,) float64, what the threshold reaches where it was fitted."""
    identified: np.ndarray
    """(T, P) bool, for each row of `test.mated`; the mean over P is the DIR."""
    false_positive: np.ndarray
    """(T, S) bool, for each row of `test.strangers`; the mean over S is the FPIR that was reached."""
    calibration: Draw
    test: Draw
    calibration_gallery: int
    """People in the gallery of the calibration part. FPIR grows with the gallery: where `test_gallery` is larger,
    more strangers are taken for somebody than the target says."""
    test_gallery: int
    """People in the gallery of the test part."""


def dir_at_fpir(
    calibration_x: np.ndarray,
    calibration_y: np.ndarray,
    test_x: np.ndarray,
    test_y: np.ndarray,
    *,
    fpir: Sequence[float] = (1e-1, 1e-2),
    enrol: int = 1,
    strangers: float = 0.5,
    template: Template = "mean",
    calibration_failed: np.ndarray | None = None,
    test_failed: np.ndarray | None = None,
    seed: int = 0,
) -> DirAtFpir:
    """Open-set identification with thresholds fitted on people who are in no test.

    A row that failed to give an embedding keeps its role: as a mated probe, or as the only enrolled row of a person, it
    makes misses; as a stranger it is rejected.

    Args:
        calibration_x: (M, D) float embeddings of the people that thresholds are fitted on; unit rows for the cosine.
        calibration_y: (M,) int64.
        test_x: (N, D) float embeddings of other people.
        test_y: (N,) int64.
        fpir: false positive identification rates wanted, 0 to 1.
        enrol: rows enrolled for each person.
        strangers: the share of people, above 0 and below 1, who are drawn to be strangers; those of the others who
            have no more than `enrol` rows join them.
        template: how several enrolled rows make one score, as in `search`.
        calibration_failed: (M,) bool, rows without an embedding.
        test_failed: (N,) bool.
        seed: of the draw, which is made in each part by itself.

    Raises:
        SandboxError: a label in both parts, a part that leaves nobody to enrol or no stranger, settings out of range,
            or as `search`.
    """
    shared = np.intersect1d(calibration_y, test_y)
    if len(shared):
        raise SandboxError(
            f"thresholds are fitted on people who are in no test, but {len(shared)} "
            f"{'labels are' if len(shared) > 1 else 'label is'} in both parts, such as {shared[0]}"
        )
    # Checked before the draw, so that an error names a bad row as the caller counts it.
    calibration_lost = check_rows("calibration", calibration_x, calibration_y, calibration_failed)
    test_lost = check_rows("test", test_x, test_y, test_failed)
    fitted_on = draw(calibration_y, enrol=enrol, strangers=strangers, seed=(seed, 0), part="calibration")
    tested_on = draw(test_y, enrol=enrol, strangers=strangers, seed=(seed, 1), part="test")
    top = _search_rows(calibration_x, calibration_y, calibration_lost, fitted_on, fitted_on.strangers, template).top
    fits = [fit_threshold(top, target) for target in fpir]
    thresholds = np.array([threshold for threshold, _ in fits], np.float32)
    probes = np.concatenate([tested_on.mated, tested_on.strangers])
    judged = decide(_search_rows(test_x, test_y, test_lost, tested_on, probes, template), thresholds)
    return DirAtFpir(
        fpir=tuple(fpir),
        thresholds=thresholds,
        supported=np.array([len(top) * target >= 30 for target in fpir], bool),
        calibration_fpir=np.array([reached for _, reached in fits]),
        identified=judged.identified[:, : len(tested_on.mated)],
        false_positive=judged.false_positive[:, len(tested_on.mated) :],
        calibration=fitted_on,
        test=tested_on,
        calibration_gallery=_people(calibration_y, calibration_lost, fitted_on),
        test_gallery=_people(test_y, test_lost, tested_on),
    )


def draw(y: np.ndarray, *, enrol: int, strangers: float, seed: int | Sequence[int], part: str = "given") -> Draw:
    """Give each row of one part its role, as `dir_at_fpir` says; `part` names it in an error.

    Strangers are drawn whatever number of rows they have, so that they are not only the people with few.

    Raises:
        SandboxError: `enrol` below 1, `strangers` not between 0 and 1, or nobody to enrol.
    """
    if enrol < 1 or not 0 < strangers < 1:
        raise SandboxError(
            f"enrol must be 1 or more and the share of strangers lie between 0 and 1, not {enrol} and {strangers}"
        )
    rng = np.random.default_rng(seed)
    people, person, counts = np.unique(y, return_inverse=True, return_counts=True)
    stranger = counts <= enrol
    stranger[rng.permutation(len(people))[: max(1, round(strangers * len(people)))]] = True
    if stranger.all():
        raise SandboxError(
            f"the {part} part leaves nobody to enrol: of {len(people)} people {int((counts > enrol).sum())} have more "
            f"than {enrol} row{'s' if enrol > 1 else ''}, and a share of {strangers} is drawn as strangers"
        )
    order = np.lexsort((rng.random(len(y)), person))  # people one after another, the rows of each shuffled
    place = np.empty(len(y), np.int64)
    place[order] = np.arange(len(y)) - (counts.cumsum() - counts)[person[order]]
    unknown = stranger[person]
    return Draw(*(np.flatnonzero(role) for role in (~unknown & (place < enrol), ~unknown & (place >= enrol), unknown)))


def decide(found: Search, thresholds: np.ndarray) -> OpenSet:
    """What thresholds (T,), compared as float32, make of a search in which the probe may be a stranger."""
    # An infinite top is nobody returned, which no threshold, not even -inf, turns into an acceptance.
    accepted = (found.top >= np.asarray(thresholds, np.float32)[:, None]) & np.isfinite(found.top)
    return OpenSet(found.mated, accepted & found.mated & (found.rank == 1), accepted & ~found.mated)


def _search_rows(
    x: np.ndarray, y: np.ndarray, failed: np.ndarray, drawn: Draw, probes: np.ndarray, template: Template
) -> Search:
    return search(
        x[probes], y[probes], x[drawn.gallery], y[drawn.gallery],
        template=template, failed=failed[probes], gallery_failed=failed[drawn.gallery],
    )  # fmt: skip


def _people(y: np.ndarray, failed: np.ndarray, drawn: Draw) -> int:
    return len(np.unique(y[drawn.gallery[~failed[drawn.gallery]]]))
