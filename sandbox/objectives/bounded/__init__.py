"""Losses and miners of pytorch-metric-learning in bounded memory: `BOUNDED` says which class stands in for which.

limit      from which size on             pairs     mined pairs once; sums over the negatives of an anchor
contrast   NT-Xent, tuplet, lifted        gathered  angular loss and miner, threshold-consistent margin
rankings   PNP                            demand    what a step will take, counted before it
histogram_ends   dynamic soft margin, whose histogram the library leaves at its end
histogram        the histogram loss without triplets          positives   what ranking losses ask of positive pairs

Each gives the library's numbers, bit by bit up to the limit, and to rounding beyond it.
"""

from __future__ import annotations

from torch import nn

from sandbox.objectives.bounded.contrast import LiftedStructureLoss, NTXentLoss, TupletMarginLoss
from sandbox.objectives.bounded.gathered import AngularLoss, AngularMiner, ThresholdConsistentMarginLoss
from sandbox.objectives.bounded.histogram import HistogramLoss
from sandbox.objectives.bounded.histogram_ends import DynamicSoftMarginLoss
from sandbox.objectives.bounded.rankings import PNPLoss

_STAND_INS = (
    AngularLoss,
    AngularMiner,
    DynamicSoftMarginLoss,
    HistogramLoss,
    LiftedStructureLoss,
    NTXentLoss,
    PNPLoss,
    ThresholdConsistentMarginLoss,
    TupletMarginLoss,
)
BOUNDED: dict[type[nn.Module], type[nn.Module]] = {kind.__bases__[-1]: kind for kind in _STAND_INS}
"""A class of the library, and what is made in its place; of its name, by which a memory knows what it can hold."""
