"""Counted scores against every pair looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.data.formats.rows.embeddings import Embeddings
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.similarity import as_products
from sandbox.pictures.scores import BINS, scored
from sandbox.scoring.inputs import Inputs


def part(seed: int, *, people: int = 6, each: int = 5, noise: float = 0.7, shift: float = 0.0) -> Embeddings:
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(people), each)
    x = rng.normal(size=(people, 8))[y] + noise * rng.normal(size=(len(y), 8)) + shift
    return Embeddings(x.astype(np.float32), y, tuple(map(str, range(people))), None)


def all_pairs(held: Embeddings) -> tuple[np.ndarray, np.ndarray]:
    """(scores, same) of every pair, float32 as everywhere in verification."""
    wide = as_products(held.x)[0].astype(np.float64)
    left, right = np.triu_indices(len(held), 1)
    return (wide @ wide.T)[left, right].astype(np.float32), held.labels[left] == held.labels[right]


def balanced(scores: np.ndarray, same: np.ndarray, at: float) -> float:
    """The mean of TAR and 1 - FAR."""
    return float(((scores[same] >= np.float32(at)).mean() + (scores[~same] < np.float32(at)).mean()) / 2)


@given(seed=st.integers(0, 100), shift=st.sampled_from([0.0, 3.0, 300.0]), noise=st.sampled_from([0.1, 1.0]))
def test_all_pairs_are_in_their_bins(seed: int, shift: float, noise: float) -> None:
    held = part(seed, shift=shift, noise=noise)
    scores, same = all_pairs(held)
    counts, mark, notes = scored(Inputs(probe=held))
    assert 0 < len(counts.genuine) <= BINS and not any("validation has" in note for note in notes)
    edges = counts.edges.astype(np.float32)  # the last bin holds what is rounded to just above 1 as well
    inner = np.concatenate([[-np.inf], edges[1:-1], [np.inf]])
    for kind, found in ((same, counts.genuine), (~same, counts.impostors)):
        assert np.array_equal(found, np.histogram(scores[kind], inner)[0])
    assert edges[0] <= scores.min() + 1e-6 and edges[-1] >= scores.max() - 1e-6
    if mark is not None:
        assert mark.chosen == "best balanced accuracy on these very pairs"
        assert np.isclose(mark.far, (scores[~same] >= np.float32(mark.threshold)).mean())
        assert np.isclose(mark.frr, (scores[same] < np.float32(mark.threshold)).mean())
        assert np.isclose(balanced(scores, same, mark.threshold), max(balanced(scores, same, at) for at in scores))


def test_the_threshold_is_that_of_validation() -> None:
    probe, validation = part(0), part(1)
    scores, same = all_pairs(probe)
    elsewhere, alike = all_pairs(validation)
    _, mark, notes = scored(Inputs(probe=probe, validation=validation))
    assert mark is not None and not notes and mark.chosen == "best balanced accuracy on validation"
    assert np.isclose(mark.threshold, max(elsewhere[alike], key=lambda at: (balanced(elsewhere, alike, at), at)))
    assert np.isclose(mark.frr, (scores[same] < np.float32(mark.threshold)).mean())
    _, mark, _ = scored(Inputs(probe=probe, validation=validation), far=0.1)
    assert mark is not None and mark.chosen == "FAR up to 1e-1 on validation"
    assert (elsewhere[~alike] >= np.float32(mark.threshold)).mean() <= 0.1
    accepted = elsewhere[alike][elsewhere[alike] < np.float32(mark.threshold)]  # any lower genuine score lets more in
    assert (elsewhere[~alike] >= accepted.max()).mean() > 0.1


def test_given_pairs_are_counted_in_place_of_all() -> None:
    held = part(2)
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 30, 200), rng.integers(0, 30, 200)
    pairs = Pairs(left=left, right=right, same=held.labels[left] == held.labels[right], fold=None)
    counts, mark, _ = scored(Inputs(probe=held, pairs=pairs))
    assert (counts.genuine.sum(), counts.impostors.sum()) == (pairs.same.sum(), (~pairs.same).sum())
    wide = as_products(held.x)[0].astype(np.float64)
    scores = np.einsum("ij,ij->i", wide[left], wide[right]).astype(np.float32)
    assert mark is not None and mark.chosen == "most accurate on these very pairs"
    assert np.isclose(mark.far, (scores[~pairs.same] >= np.float32(mark.threshold)).mean())
    right = max(((scores >= at) == pairs.same).mean() for at in [*scores, np.inf])
    assert np.isclose(((scores >= np.float32(mark.threshold)) == pairs.same).mean(), right)
    apart = part(3)
    counts, _, _ = scored(Inputs(probe=held, verify=apart))  # what is verified may be other images
    assert counts.genuine.sum() == 6 * 10 and counts.impostors.sum() == 30 * 29 // 2 - 60


def test_what_a_person_should_know_is_said() -> None:
    probe = part(4)
    one = Embeddings(probe.x[:5], probe.labels[:5], ("0",), None)
    _, mark, notes = scored(Inputs(probe=probe, validation=one))
    assert mark is not None and mark.chosen.endswith("these very pairs") and "validation has no" in notes[0]
    worst = Embeddings(np.eye(4, 3, dtype=np.float32)[[0, 1, 0, 1]], np.array([0, 0, 1, 1]), ("a", "b"), None)
    counts, mark, notes = scored(Inputs(probe=worst))
    assert mark is None and "none is better than to reject every pair" in notes[0]
    assert counts.genuine.sum() == 2 and counts.impostors.sum() == 4


def test_one_kind_of_pair_is_refused() -> None:
    probe = part(5)
    one = Embeddings(probe.x[:5], probe.labels[:5], ("0",), None)
    with pytest.raises(SandboxError, match="all 5 images show one class"):
        scored(Inputs(probe=one))
    lone = Embeddings(probe.x[::5], np.arange(6), tuple("abcdef"), None)
    with pytest.raises(SandboxError, match="there is no genuine pair to draw"):
        scored(Inputs(probe=lone))
    pairs = Pairs(left=np.array([0]), right=np.array([1]), same=np.array([True]), fold=None)
    with pytest.raises(SandboxError, match="there is no impostor pair to draw"):
        scored(Inputs(probe=probe, pairs=pairs))
