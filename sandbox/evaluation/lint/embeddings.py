"""What is wrong with a protocol, found before its figures are printed.

Nothing here changes a figure. Each check looks at bare arrays and says in a sentence what it found, how often, where
first, and what it does to the figures. Findings come in the order in which the rules stand, the gravest first.
Pairs and their scores are looked at in `lint_pairs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.errors import SandboxError
from sandbox.evaluation.lint.identical_rows import first_identical, row_blocks
from sandbox.wording import counted

_LENGTH_MARGIN = 1e-3  # rounding a unit row to float16 moves its length by 5e-4 at most
_SPREAD = 1e-4  # below it the mean cosine of two rows is above 0.9999
_ROUNDING = 1e-6  # below it cosines, which are compared as float32, have a few values near 1 alone


@dataclass(frozen=True)
class Finding:
    """One thing that a protocol does to its figures."""

    rule: str
    """A short key that does not change, such as ``duplicate-pairs``."""
    text: str
    """A sentence: what, how many, the first example, and what it does to the figures."""


def lint_embeddings(
    x: np.ndarray, y: np.ndarray, *, paths: Sequence[str] | None = None, normalised_expected: bool = True
) -> list[Finding]:
    """Findings on embeddings and their labels.

    Rules: ``not-finite``, ``not-unit-length``, ``zero-rows``, ``constant-embeddings``,
    ``identical-rows-across-labels``, ``identical-rows-within-label``, ``single-row-classes``, ``one-class``.

    Args:
        x: (N, D) embeddings.
        y: (N,) labels, numbers or names.
        paths: (N,) where each row came from, for the examples.
        normalised_expected: rows should have length 1, as cosine makes them; also says of which rows, those of unit
            length or those given, it is asked whether they are all the same.

    Raises:
        SandboxError: shapes that do not fit.
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim != 2 or y.shape != (len(x),):
        raise SandboxError(f"embeddings {x.shape} and labels {y.shape} do not fit: (N, D) and (N,) are needed")
    if paths is not None and len(paths) != len(x):
        raise SandboxError(f"there are {len(paths):,} paths for {len(x):,} embeddings; one for each is needed")
    if len(x) == 0:
        return []

    def row(place: int) -> str:
        return f"row {place}" if paths is None else f"row {place} ({paths[place]})"

    length = _lengths(x)
    return [
        *_lint_values(x, length, row, normalised_expected),
        *_lint_twins(x, y, ~np.isnan(length), row),
        *_lint_classes(y, row),
    ]


def lint_split(
    train_y: Sequence[str] | Sequence[int] | np.ndarray,
    test_y: Sequence[str] | Sequence[int] | np.ndarray,
    train_x: np.ndarray | None = None,
    test_x: np.ndarray | None = None,
) -> list[Finding]:
    """Findings on a split: what stands in both of its sides.

    Rules: ``identities-in-both``, ``identical-rows-in-both``.

    Args:
        train_y: (N,) names of the identities.
        test_y: (T,) names of the identities.
        train_x: (N, ...) images or embeddings, any dtype; looked at where both are given.
        test_x: (T, ...) images or embeddings of the same shape.

    Raises:
        SandboxError: rows that differ in shape, or are not as many as their names.
    """
    found = list(_lint_both_names(np.asarray(train_y), np.asarray(test_y)))
    if train_x is None or test_x is None:
        return found
    for side, rows, names in (("train", train_x, train_y), ("test", test_x, test_y)):
        if len(rows) != len(names):
            raise SandboxError(f"there are {len(rows):,} {side} rows and {len(names):,} names; one for each is needed")
    if train_x.shape[1:] != test_x.shape[1:]:
        raise SandboxError(f"train rows {train_x.shape[1:]} and test rows {test_x.shape[1:]} differ in shape")
    return [*found, *_lint_both_rows(train_x, test_x)]


def _lint_values(
    x: np.ndarray, length: np.ndarray, row: Callable[[int], str], normalised_expected: bool
) -> Iterator[Finding]:
    bad, zero = np.isnan(length), length == 0
    if bad.any():
        yield Finding(
            "not-finite",
            f"{counted(bad.sum(), 'row is', 'rows are')} not finite, the first {row(int(bad.argmax()))}: "
            "no figure can be counted over them",
        )
    usable = np.flatnonzero(~bad & ~zero)
    off = np.abs(length[usable] - 1) > _LENGTH_MARGIN
    if normalised_expected and off.any():
        lengths, at = length[usable], int(usable[off.argmax()])
        yield Finding(
            "not-unit-length",
            f"{counted(off.sum(), 'row is', 'rows are')} not of length 1, the first {row(at)}; lengths run from "
            f"{lengths.min():.4g} to {lengths.max():.4g}: cosine normalises them, the inner product and l2 do not",
        )
    if zero.any():
        yield Finding(
            "zero-rows",
            f"{counted(zero.sum(), 'row is', 'rows are')} zero, the first {row(int(zero.argmax()))}: "
            "a row without direction has no cosine, and ties with everything",
        )
    if len(x) - bad.sum() > 1 and (spread := _spread(x, length, normalised_expected)) < _SPREAD:
        chance = "neighbours are chosen by rounding, and every figure is chance"
        fine = "they are told apart by the last digits alone, which a rounding (float16, another machine) takes away"
        yield Finding(
            "constant-embeddings",
            f"all {len(x) - int(bad.sum()):,} finite rows are the same or nearly (total variance "
            f"{max(spread, 0):.1e} of the mean squared length, as in {row(int(bad.argmin()))}): "
            f"{chance if spread < _ROUNDING else fine}",
        )


def _lint_twins(x: np.ndarray, y: np.ndarray, finite: np.ndarray, row: Callable[[int], str]) -> Iterator[Finding]:
    first = first_identical(x)
    names, label = np.unique(y, return_inverse=True)
    mixed = np.zeros(len(x), bool)  # of a group's first row: whether the group has several labels
    mixed[first[label != label[first]]] = True
    across = mixed[first] & finite
    if across.any():
        one = int(across.argmax())
        other = int(((first == one) & (label != label[one])).argmax())
        yield Finding(
            "identical-rows-across-labels",
            f"{counted(across.sum(), 'row is', 'rows are')} identical, byte by byte, to a row with another label, the "
            f"first {row(one)} and {row(other)} (labels '{y[one]}' and '{y[other]}'): "
            "no embedding can get both right, or an image has a wrong label",
        )
    key = first * len(names) + label
    _, group, size = np.unique(key, return_inverse=True, return_counts=True)
    within = (size[group] > 1) & finite
    if within.any():
        one, other = (int(place) for place in np.flatnonzero(key == key[within.argmax()])[:2])
        yield Finding(
            "identical-rows-within-label",
            f"{counted(within.sum(), 'row is', 'rows are')} identical, byte by byte, to a row with the same label, the "
            f"first {row(one)} and {row(other)} (label '{y[one]}'): recall@1 is trivially right for them",
        )


def _lint_classes(y: np.ndarray, row: Callable[[int], str]) -> Iterator[Finding]:
    names, label, size = np.unique(y, return_inverse=True, return_counts=True)
    lone = size[label] == 1
    if lone.any():
        at = int(lone.argmax())
        yield Finding(
            "single-row-classes",
            f"{counted(lone.sum(), 'class has', 'classes have')} a single row, the first '{y[at]}' ({row(at)}): "
            "as a query it has no match, and is not scored",
        )
    if len(names) == 1 and len(y) > 1:
        yield Finding(
            "one-class",
            f"all {len(y):,} rows have the label '{names[0]}': every neighbour is a match, no pair an impostor",
        )


def _lint_both_names(train_y: np.ndarray, test_y: np.ndarray) -> Iterator[Finding]:
    names, label = np.unique(np.concatenate([train_y, test_y]), return_inverse=True)
    train, test = label[: len(train_y)], label[len(train_y) :]
    both = (np.bincount(train, minlength=len(names)) > 0) & (np.bincount(test, minlength=len(names)) > 0)
    if both.any():
        at = int(both[test].argmax())
        yield Finding(
            "identities-in-both",
            f"{counted(both.sum(), 'identity is', 'identities are')} in both train and test "
            f"({counted(both[test].sum(), 'test row', 'test rows')} of {len(test):,}), the first '{names[test[at]]}' "
            f"(train row {(train == test[at]).argmax()}, test row {at}): these are no unseen identities",
        )


def _lint_both_rows(train_x: np.ndarray, test_x: np.ndarray) -> Iterator[Finding]:
    first = first_identical(train_x, test_x)[len(train_x) :]
    twin = first < len(train_x)
    if twin.any():
        at = int(twin.argmax())
        yield Finding(
            "identical-rows-in-both",
            f"{counted(twin.sum(), 'test row is', 'test rows are')} identical, byte by byte, to a train row, the first "
            f"test row {at} (train row {first[at]}): what was learnt by heart counts as recognised",
        )


def _lengths(x: np.ndarray) -> np.ndarray:
    """(N,) float64 Euclidean lengths; NaN where a row is not finite."""
    out = np.empty(len(x))
    with np.errstate(over="ignore", invalid="ignore"):
        for part in row_blocks(len(x), x.shape[1]):
            block = x[part].astype(np.float64)
            squares = np.einsum("ij,ij->i", block, block)
            out[part] = np.where(np.isfinite(block).all(1), np.sqrt(squares), np.nan)
    return out


def _spread(x: np.ndarray, length: np.ndarray, unit: bool) -> float:
    """Total variance over mean squared length of the finite rows, made unit rows if asked: 0 where all are one."""
    total, squares, count = np.zeros(x.shape[1]), 0.0, 0
    with np.errstate(over="ignore", invalid="ignore"):
        for part in row_blocks(len(x), x.shape[1]):
            use = ~np.isnan(length[part])
            block, size = x[part][use].astype(np.float64), length[part][use]
            if unit:
                block /= np.where(size > 0, size, 1)[:, None]
                size = (size > 0).astype(np.float64)
            total += block.sum(0)
            squares += float(size @ size)
            count += len(size)
        return 1 - float(total @ total) / (count * squares) if squares else 0.0
