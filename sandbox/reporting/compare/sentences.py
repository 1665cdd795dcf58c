"""What a comparison says, in sentences that one may print."""

from __future__ import annotations

import dataclasses
import math

from sandbox.evaluation.comparison.equal import Equivalence
from sandbox.evaluation.comparison.needed import MOST, Needed
from sandbox.reporting.compare.digits import equals_p, number, places
from sandbox.reporting.compare.names import figure_name
from sandbox.reporting.compare.seeds import FigureOverSeeds, OverSeeds
from sandbox.reporting.compare.single import FigureOfTwo, OfTwoRuns
from sandbox.wording import counted

_LEVEL = 0.05
FEW_IDENTITIES = 30
"""Below it an interval by identity is often too narrow: in a simulation of 200 test sets that of MAP@R held the mean in
0.81 of them with 20 identities, and in 0.94 with 60."""


def of_seeds(result: OverSeeds, figure: FigureOverSeeds) -> str:
    """What shared seeds say of one figure."""
    found, name, (a, b), equal = figure.found, figure_name(figure.key), result.names, figure.equal
    if math.isnan(found.half):
        said = _of_equal_differences(figure, a, b)
    else:
        decimals, family = places(found.half), len(result.figures)
        size = number(found.difference, decimals)
        low, high = number(found.low, decimals), number(found.high, decimals)
        corrected = f", {equals_p(figure.holm)} with Holm's correction for {family} figures" if family > 1 else ""
        test = f"n = {found.n} paired seeds, paired t-test {equals_p(found.p)}{corrected}"
        if found.p > _LEVEL:
            seen = f"A - B = {size}, 95 % interval {low} to {high}, {test}"
            said = f"{a} does not differ measurably from {b} in {name} ({seen}); {_more(figure.needed, found.n)}."
        else:
            turned = found.difference < 0
            size = number(abs(found.difference), decimals)
            ends = sorted((-found.low, -found.high) if turned else (found.low, found.high))
            first, second = (a, b) if turned == figure.lower else (b, a)
            seen = f"95 % interval {number(ends[0], decimals)} to {number(ends[1], decimals)}, {test}"
            said = f"{first} is better than {second} by {size} {name} ({seen})."
            equal = _turned(equal) if turned else equal
            if figure.holm > _LEVEL:
                said = (
                    f"{first} is ahead of {second} by {size} {name}, but not by more than chance allows once the "
                    f"{family} figures shown are counted ({seen}); {_more(figure.needed, found.n)}."
                )
    return said + _equal(equal)


def of_two(result: OfTwoRuns, figure: FigureOfTwo) -> str:
    """What two runs' test embeddings say of one figure."""
    found, name, (a, b) = figure.between, figure_name(figure.key), result.names
    if math.isnan(found.low):
        size = number(found.difference, 4)
        return f"{a} has {name} {number(found.a, 4)} and {b} {number(found.b, 4)} (A - B = {size}, no interval)."
    decimals = places((found.high - found.low) / 2)
    low, high = number(found.low, decimals), number(found.high, decimals)
    over = counted(found.identities, "test identity", "test identities")
    if found.episodes:
        over = counted(found.episodes, "episode", "episodes")
    drawn = f"paired over {over}, seed {result.seed} of each"
    if found.low <= 0 <= found.high:
        seen = f"A - B = {number(found.difference, decimals)}, 95 % interval {low} to {high}, {drawn}"
        said = f"These two networks cannot be told apart by {name} on this test set: {a} against {b} ({seen})."
    else:
        turned = found.difference < 0
        first, second = (a, b) if turned == figure.lower else (b, a)
        ends = sorted((-found.low, -found.high) if turned else (found.low, found.high))
        size = number(abs(found.difference), decimals)
        seen = f"95 % interval {number(ends[0], decimals)} to {number(ends[1], decimals)}, {drawn}"
        said = f"This network of {first} is better than that of {second} by {size} {name} ({seen})."
    return said + _equal(figure.equal)


def of_training_luck(result: OfTwoRuns) -> str:
    """What an interval over identities does not cover."""
    few = ""
    if result.identities < FEW_IDENTITIES:
        count = counted(result.identities, "identity", "identities")
        few = f" It comes from {count}, and of fewer than {FEW_IDENTITIES} it is often too narrow."
    return (
        "The interval covers which identities were tested, and not the luck of training: one seed of each says nothing "
        f"of whether another seed would agree (run.py --seeds 5 --against does).{few}"
    )


def _of_equal_differences(figure: FigureOverSeeds, a: str, b: str) -> str:
    found, name = figure.found, figure_name(figure.key)
    if found.difference == 0:
        return f"{a} and {b} have the same {name} with each of {found.n} paired seeds."
    size = number(found.difference, 4, sign=True)
    return (
        f"{a} differs from {b} by {size} {name} with each of {found.n} paired seeds, so that nothing tells how far "
        "another seed would stray."
    )


def _more(needed: Needed, n: int) -> str:
    """How many more seeds would settle it."""
    if needed.seeds is None:
        return f"more than {MOST:,} seeds would be needed to settle a difference of this size"
    if needed.seeds <= n:  # for this figure alone; what the others cost comes on top
        return "more seeds are needed to settle a difference of this size"
    more = needed.seeds - n
    least = max((needed.fewest or n) - n, 0)
    said = f"about {counted(more, 'more seed', 'more seeds')} would settle a difference of this size"
    return f"{said} ({least} if it is as large as the interval allows)" if 0 < least < more else said


def _turned(found: Equivalence | None) -> Equivalence | None:
    """The same of B - A, for a sentence that says by how much B is ahead."""
    return None if found is None else dataclasses.replace(found, low=-found.high, high=-found.low)


def _equal(found: Equivalence | None) -> str:
    """What a margin makes of it."""
    if found is None:
        return ""
    margin = f"{found.margin:g}"
    if found.verdict == "outside":
        return f" The 95 % interval lies outside the {margin} that count as equal."
    if math.isnan(found.p):
        said = "lies within" if found.verdict == "within" else "does not settle whether they are within"
        subject = "The 95 % interval" if found.verdict == "within" else "This"
        return f" {subject} {said} the {margin} that count as equal."
    decimals = places((found.high - found.low) / 2)
    ends = f"{number(found.low, decimals)} to {number(found.high, decimals)}"
    test = f"two one-sided t-tests at 5 %, {equals_p(found.p)}, 90 % interval {ends}"
    if found.verdict == "within":
        return f" They are equal within {margin} ({test})."
    return f" Whether they are equal within {margin} is undecided ({test})."
