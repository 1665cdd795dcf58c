"""Several ways of training over several data sets: ranks, Friedman's test, and every pair by Wilcoxon's.

After Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 2006. Pairs are told apart by the
signed-rank test with Holm's correction and not by Nemenyi's distance of mean ranks, in which whether two ways differ
depends on which others are looked at (Benavoli, Corani and Mangili, "Should We Really Use Post-Hoc Tests Based on
Mean-Ranks?", JMLR 2016).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from sandbox.errors import SandboxError
from sandbox.wording import counted

FEWEST = 5
"""Data sets below which nothing is said: signed ranks of four leave p at 0.125 or more."""
_ROUNDING = 1e-12


@dataclass(frozen=True)
class PairOfWays:
    """Two ways over all data sets."""

    first: int
    second: int
    difference: float
    """Mean over data sets of first - second."""
    p: float
    """Of the two-sided signed-rank test; ties share their rank, and no difference counts half each way."""
    holm: float
    """The same, corrected for how many pairs there are."""
    wins: int
    """Data sets on which the first is better."""
    ties: int
    losses: int


@dataclass(frozen=True)
class Ranked:
    """What ranks over data sets say."""

    ranks: np.ndarray = field(repr=False)
    """(M,) mean rank of each way, 1 for one that is best everywhere; ties share theirs."""
    statistic: float
    """Friedman's chi-square; NaN for two ways, which the signed-rank test compares by itself."""
    p: float
    """Of Friedman's test that all are alike."""
    pairs: tuple[PairOfWays, ...]
    least: float
    """The smallest corrected p that so few data sets allow any pair."""


def ranked(values: np.ndarray, *, lower: bool = False) -> Ranked:
    """Rank ways over data sets and compare each two.

    Args:
        values: (D, M) a figure of M ways on D data sets.
        lower: whether less is better.

    Raises:
        SandboxError: fewer than five data sets or two ways, or a value that is not finite.
    """
    from scipy import stats
    from statsmodels.stats.multitest import multipletests

    sets, ways = values.shape
    if sets < FEWEST:
        raise SandboxError(
            f"ranks over {counted(sets, 'data set', 'data sets')} say nothing, as no signed-rank test of fewer than "
            f"{FEWEST} comes near 5 %; train on {FEWEST} or more"
        )
    if ways < 2 or not np.isfinite(values).all():
        given = counted(ways, "way is", "ways are")
        raise SandboxError(f"{given} given to be ranked; two or more are, with finite figures throughout")
    gains = _settled(-values if lower else values)
    ranks = np.stack([stats.rankdata(-row) for row in gains]).mean(0)
    statistic, p = math.nan, math.nan
    if ways > 2:
        alike = bool((gains == gains[:, :1]).all())
        statistic, p = (0.0, 1.0) if alike else map(float, stats.friedmanchisquare(*gains.T))
    chosen = list(combinations(range(ways), 2))
    apart = [gains[:, i] - gains[:, k] for i, k in chosen]
    alone = [float(stats.wilcoxon(each, zero_method="zsplit").pvalue) if each.any() else 1.0 for each in apart]
    corrected = multipletests(alone, method="holm")[1]
    pairs = tuple(
        PairOfWays(
            *(i, k, float((values[:, i] - values[:, k]).mean()), p_alone, float(p_holm)),
            *(int((each > 0).sum()), int((each == 0).sum()), int((each < 0).sum())),
        )
        for (i, k), each, p_alone, p_holm in zip(chosen, apart, alone, corrected, strict=True)
    )
    return Ranked(ranks, statistic, p, pairs, min(1.0, len(chosen) * 2.0 ** (1 - sets)))


def _settled(values: np.ndarray) -> np.ndarray:
    """The same with what a rounding parts made equal."""
    step = _ROUNDING * max(float(np.abs(values).max()), 1e-300)
    return np.rint(values / step) * step
