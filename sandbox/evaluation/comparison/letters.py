"""Groups of equals in a column of a table: rows that share a letter are not shown to differ.

Every pair of rows is compared by a paired t-test on the seeds that both have, with Holm over all pairs of the column.
The letters are a compact display after Piepho, "An Algorithm for a Letter-Based Representation of All-Pairwise
Comparisons" (JCGS 13, 2004): two rows share a letter exactly where their test shows no difference.

scikit-posthocs has such a display as well, and the tests compare the two. It lists every largest set of equals, of
which eighteen rows may have 512; it has 52 letters and raises beyond; and it takes a pair without a test for one that
differs. Here each letter covers a pair that no other covers, so that there are never more letters than pairs.
"""

from __future__ import annotations

import math
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sandbox.evaluation.intervals.paired import holm, paired

LEVEL = 0.05
"""Chance at most that any two rows which are equal are told apart."""
MOST_ROWS = 60
"""In a table of more rows nothing is told apart: 1,770 tests leave a single one next to no chance."""
_LETTERS = string.ascii_lowercase + string.ascii_uppercase


@dataclass(frozen=True)
class Lettered:
    """The letters of a column."""

    letters: tuple[str, ...]
    """Of each row, such as ``ab``; empty for a row that could not be tested against the others."""
    pairs: int
    """Tests that were made, over which Holm's correction is."""

    def equals_of(self, row: int) -> tuple[int, ...]:
        """The rows that share a letter with one, itself among them; none where it has no letter."""
        mine = set(self.letters[row])
        return tuple(place for place, theirs in enumerate(self.letters) if mine & set(theirs))


def letters(rows: Sequence[Mapping[int, float]]) -> Lettered:
    """The letters of the rows of a column.

    Rows get letters where each has been tested against each: the largest such set that is found. Two rows are tested
    on the seeds that both have, two at least; where all differ by the same there is no test either.

    Args:
        rows: seed -> value of each row, the best first: its letter is a.

    Raises:
        SandboxError: a value that is not finite.
    """
    none = Lettered(("",) * len(rows), 0)
    if not 2 <= len(rows) <= MOST_ROWS:
        return none
    p = {(a, b): _p(rows[a], rows[b]) for a, b in combinations(range(len(rows)), 2)}
    tested = _tested_together(len(rows), {pair for pair, value in p.items() if not math.isnan(value)})
    pairs = list(combinations(tested, 2))
    if not pairs:
        return none
    adjusted = dict(zip(pairs, holm([p[pair] for pair in pairs]), strict=True))
    different = [(tested.index(a), tested.index(b)) for (a, b), value in adjusted.items() if value <= LEVEL]
    shown = display(len(tested), different)
    if shown is None:
        return none
    by_row = dict(zip(tested, shown, strict=True))
    return Lettered(tuple(by_row.get(row, "") for row in range(len(rows))), len(pairs))


def display(rows: int, different: Sequence[tuple[int, int]]) -> tuple[str, ...] | None:
    """Letters for rows of which some pairs differ: two share a letter exactly where they do not.

    Letters are in the order of the best row that has each, of equally good ones in that of how many rows have it. The
    best row has but one exactly where those that do not differ from it do not differ from each other either.

    Args:
        rows: how many; those in front get the first letters.
        different: the pairs that differ, by place.

    Returns:
        The letters of each row; None where more than 52 are needed.
    """
    apart = {frozenset(pair) for pair in different}
    equal = [{b for b in range(rows) if b != a and frozenset((a, b)) not in apart} for a in range(rows)]
    cover: list[set[int]] = []
    for a in range(rows):
        left = {b for b in equal[a] if not any({a, b} <= one for one in cover)}
        if not left and not any(a in one for one in cover):
            cover.append({a})
        while left:
            one = {a, min(left)}
            # Pairs that no letter covers come first, then whatever else fits, so that a letter says all it can.
            for b in [*sorted(left), *sorted(equal[a] - left)]:
                if all(b in equal[other] for other in one if other != b):
                    one.add(b)
            cover.append(one)
            left -= one
    cover = sorted(_swept(cover), key=_place)
    if len(cover) > len(_LETTERS):
        return None
    return tuple("".join(_LETTERS[k] for k, one in enumerate(cover) if row in one) for row in range(rows))


def _place(one: set[int]) -> tuple[int, int, list[int]]:
    """Sorts the sets of rows that share a letter."""
    return min(one), -len(one), sorted(one)


def _swept(cover: Sequence[set[int]]) -> list[set[int]]:
    """The same without what says nothing: a row loses a letter where it shares others with all that have it.

    It is the last step of Piepho's, from the best row down, so that those in front have few letters.
    """
    kept = [set(one) for one in cover]
    for row in sorted(set().union(*kept)):
        for one in sorted((one for one in kept if row in one), key=_place, reverse=True):
            others = [other for other in kept if other is not one and row in other]
            if others and one - {row} <= set().union(*others):
                one.discard(row)
    return [one for one in kept if one]


def _p(one: Mapping[int, float], other: Mapping[int, float]) -> float:
    """P of the paired test on the seeds that both have; NaN where there is none."""
    shared = sorted(one.keys() & other.keys())
    return paired([one[seed] for seed in shared], [other[seed] for seed in shared]).p if len(shared) > 1 else math.nan


def _tested_together(rows: int, tested: set[tuple[int, int]]) -> list[int]:
    """A large set of rows each of which has been tested against each; of equally large ones, that of the better row."""
    best: list[int] = []
    for first in range(rows):
        found = [first]
        for row in range(rows):
            if row != first and all((min(row, other), max(row, other)) in tested for other in found):
                found.append(row)
        if len(found) > len(best):
            best = sorted(found)
    return best if len(best) > 1 else []
