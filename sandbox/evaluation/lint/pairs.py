"""What is wrong with the pairs of a verification protocol, or with their scores.

As in `lint`: nothing here changes a figure, and findings come in the order in which the rules stand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.lint.embeddings import Finding
from sandbox.evaluation.pairs import check_shapes
from sandbox.wording import counted

_FOLD_MARGIN = 0.05  # of a fold's pairs
_CHANCE = 2  # standard errors


def lint_pairs(
    left: np.ndarray,
    right: np.ndarray,
    same: np.ndarray,
    fold: np.ndarray | None = None,
    *,
    y: np.ndarray | None = None,
) -> list[Finding]:
    """Findings on pairs to verify.

    Rules: ``duplicate-pairs`` ((a, b) and (b, a) are one pair), ``contradicting-pairs``, ``self-pairs``,
    ``labels-against-identities``, ``unbalanced-folds`` (sizes, or shares of genuine pairs, that differ by more than 5 %
    and by more than two pairs), ``identities-across-folds``.

    Args:
        left: (M,) rows.
        right: (M,) rows.
        same: (M,) bool, whether a pair is genuine.
        fold: (M,) fold of each pair.
        y: (N,) the identity of each row.

    Raises:
        SandboxError: shapes that do not fit, or a row that is not there (the first is named).
    """
    left, right, same = np.asarray(left), np.asarray(right), np.asarray(same).astype(bool)
    fold = None if fold is None else np.asarray(fold)
    _check_pairs(left, right, same, fold, 2**32 if y is None else len(y))
    if len(same) == 0:
        return []
    found = [*_lint_repeats(left, right, same), *_lint_selves(left, right)]
    identity = None
    if y is not None:
        names, identity = np.unique(np.asarray(y), return_inverse=True)
        found += _lint_labels(left, right, same, identity, names)
    if fold is not None:
        folds, fold = np.unique(fold, return_inverse=True)
        found += _lint_balance(same, fold, folds)
        if identity is not None:
            found += _lint_shared(identity[left], identity[right], fold, names, folds)
    return found


def lint_scores(scores: np.ndarray, same: np.ndarray) -> list[Finding]:
    """Findings on the scores of pairs, compared as float32 as the figures compare them.

    Rules: ``not-finite``, ``tied-scores`` (more than half occur more than once), ``reversed-scores`` (AUC below 0.5
    by more than chance explains), ``equal-scores`` (then no others are given: they follow).

    Args:
        scores: (M,) higher should be more alike.
        same: (M,) bool, whether a pair is genuine.

    Raises:
        SandboxError: shapes that do not fit.
    """
    scores, same = np.asarray(scores), np.asarray(same).astype(bool)
    check_shapes(scores, same)
    with np.errstate(over="ignore"):
        scores = scores.astype(np.float32)
    found = []
    bad = ~np.isfinite(scores)
    if bad.any():
        found.append(
            Finding(
                "not-finite",
                f"{counted(bad.sum(), 'score is', 'scores are')} not finite as float32, the first in row "
                f"{bad.argmax()}: no figure can be counted over them",
            )
        )
        scores, same = scores[~bad], same[~bad]
    return [*found, *_lint_levels(scores, same)] if len(scores) else found


def _check_pairs(left: np.ndarray, right: np.ndarray, same: np.ndarray, fold: np.ndarray | None, rows: int) -> None:
    given = {"left": left, "right": right, "same": same} | ({} if fold is None else {"fold": fold})
    if same.ndim != 1 or any(array.shape != same.shape for array in given.values()):
        shapes = ", ".join(f"{name} {array.shape}" for name, array in given.items())
        raise SandboxError(f"{shapes} do not fit: all are (M,)")
    for side, places in (("left", left), ("right", right)):
        out = (places < 0) | (places >= rows)
        if out.any():
            at = int(out.argmax())
            raise SandboxError(f"{side} of pair {at} is row {places[at]}; rows run from 0 to {rows - 1:,}")


def _lint_repeats(left: np.ndarray, right: np.ndarray, same: np.ndarray) -> Iterator[Finding]:
    low, high = np.minimum(left, right).astype(np.uint64), np.maximum(left, right).astype(np.uint64)
    key = low << np.uint64(32) | high
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    size, genuine = np.diff(np.append(starts, len(key))), np.add.reduceat(same[order].astype(np.int64), starts)

    def first_of(groups: np.ndarray) -> np.ndarray:
        """The places in the list of the pair that stands first there."""
        group = groups[order[starts[groups]].argmin()]
        return order[starts[group] : starts[group] + size[group]]

    repeated, torn = np.flatnonzero(size > 1), np.flatnonzero((genuine > 0) & (genuine < size))
    if len(repeated):
        one, other = first_of(repeated)[:2]
        yield Finding(
            "duplicate-pairs",
            f"{counted(len(repeated), 'pair occurs', 'pairs occur')} more than once ({size[repeated].sum():,} of "
            f"{len(same):,} lines), the first (rows {left[one]} and {right[one]}, pairs {one} and {other}): "
            "a duplicate counts each time in every figure",
        )
    if len(torn):
        places = first_of(torn)
        one, other = places[0], places[same[places] != same[places[0]]][0]
        yield Finding(
            "contradicting-pairs",
            f"{counted(len(torn), 'pair is', 'pairs are')} called both the same and different, the first (rows "
            f"{left[one]} and {right[one]}, pairs {one} and {other}): one of the two always counts as wrong",
        )


def _lint_selves(left: np.ndarray, right: np.ndarray) -> Iterator[Finding]:
    itself = left == right
    if itself.any():
        at = int(itself.argmax())
        yield Finding(
            "self-pairs",
            f"{counted(itself.sum(), 'pair holds', 'pairs hold')} one image twice, the first pair {at} "
            f"(row {left[at]}): it scores highest whatever the embeddings are",
        )


def _lint_labels(
    left: np.ndarray, right: np.ndarray, same: np.ndarray, identity: np.ndarray, names: np.ndarray
) -> Iterator[Finding]:
    agree = identity[left] == identity[right]
    wrong = agree != same
    if wrong.any():
        at = int(wrong.argmax())
        one, other = names[identity[left[at]]], names[identity[right[at]]]
        yield Finding(
            "labels-against-identities",
            f"{counted(wrong.sum(), 'pair contradicts', 'pairs contradict')} the identities "
            f"({int((same & ~agree).sum()):,} called the same, {int((~same & agree).sum()):,} called different), the "
            f"first pair {at} (rows {left[at]} and {right[at]}, '{one}' and '{other}', called "
            f"{'the same' if same[at] else 'different'}): a right score counts as wrong",
        )


def _lint_balance(same: np.ndarray, fold: np.ndarray, folds: np.ndarray) -> Iterator[Finding]:
    size = np.bincount(fold)
    share = np.bincount(fold, weights=same) / size
    small, large, low, high = size.argmin(), size.argmax(), share.argmin(), share.argmax()
    faults = []
    # A pair or two is what is left over when pairs do not divide by the folds.
    if size[large] - size[small] > max(_FOLD_MARGIN * size.mean(), 2):
        faults.append(f"fold {folds[small]} has {size[small]:,} pairs and fold {folds[large]} {size[large]:,}")
    if share[high] - share[low] > max(_FOLD_MARGIN, 2 / size[small]) + 1e-9:  # 0.55 - 0.5 is above 0.05
        faults.append(f"fold {folds[low]} is {share[low]:.1%} genuine and fold {folds[high]} {share[high]:.1%}")
    if faults:
        yield Finding(
            "unbalanced-folds",
            f"{', and '.join(faults)} (more than 5 % apart): each fold weighs the same in the mean, and its threshold "
            "is chosen on a mix that is not its own",
        )


def _lint_shared(
    left: np.ndarray, right: np.ndarray, fold: np.ndarray, names: np.ndarray, folds: np.ndarray
) -> Iterator[Finding]:
    seen = np.unique(np.concatenate([left, right]) * len(folds) + np.tile(fold, 2))
    identity = seen // len(folds)
    spread = np.bincount(identity, minlength=len(names)) > 1
    if spread.any():
        first = int(spread.argmax())
        its = folds[seen[identity == first] % len(folds)]
        yield Finding(
            "identities-across-folds",
            f"{counted(spread.sum(), 'identity stands', 'identities stand')} in more than one fold, the first "
            f"'{names[first]}' (folds {its[0]} and {its[1]}): a threshold is judged on identities it was chosen on",
        )


def _lint_levels(scores: np.ndarray, same: np.ndarray) -> Iterator[Finding]:
    levels, level, counts = np.unique(scores, return_inverse=True, return_counts=True)
    if len(levels) == 1 and len(scores) > 1:
        yield Finding(
            "equal-scores",
            f"all {len(scores):,} scores are {levels[0]:.6g}: no threshold tells genuine pairs from impostors",
        )
        return
    tied, at = int(counts[counts > 1].sum()), int(counts.argmax())
    if 2 * tied > len(scores):
        yield Finding(
            "tied-scores",
            f"{tied:,} of {len(scores):,} scores ({tied / len(scores):.2%}) occur more than once, most often "
            f"{levels[at]:.6g} ({counts[at]:,} pairs): a threshold takes tied pairs all or none, so rates move in "
            "steps; were the scores rounded?",
        )
    if same.any() and not same.all():
        genuine = np.bincount(level[same], minlength=len(levels))
        yield from _lint_direction(genuine, counts - genuine)


def _lint_direction(genuine: np.ndarray, impostors: np.ndarray) -> Iterator[Finding]:
    """`genuine` and `impostors` count the pairs at each distinct score, lowest first."""
    below = np.cumsum(impostors) - impostors
    p, n = int(genuine.sum()), int(impostors.sum())
    auc = float((genuine * (below + 0.5 * impostors)).sum() / (p * n))
    # Of the rank statistic where both kinds score alike (Mann and Whitney, 1947); ties only make it smaller.
    error = math.sqrt((p + n + 1) / (12 * p * n))
    if auc < 0.5 - _CHANCE * error:
        yield Finding(
            "reversed-scores",
            f"the AUC of {p:,} genuine and {n:,} impostor pairs is {auc:.4f}, {(0.5 - auc) / error:.1f} standard "
            "errors below 0.5: higher has to mean more alike; is it a distance? use --metric l2 or negate it",
        )
