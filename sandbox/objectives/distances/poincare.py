"""Distance in the Poincare ball, in which room grows with the distance from the centre.

Ermolov et al., "Hyperbolic Vision Transformers: Combining Improvements in Metric Learning", CVPR 2022: raw rows
become points of the ball by x = tanh(sqrt(c) ||v||) v / (sqrt(c) ||v||), and
d(x, y) = 2 / sqrt(c) artanh(sqrt(c) ||-x (+) y||), (+) the Moebius addition of curvature c.
From the authors' code (htdt/hyp_metric, hyptorch/nn.py) and pmath.py of leymir/hyperbolic-image-embeddings on which it
stands: a row is first cut to a length of `clip`, 2.3 in the paper, and a point lies at most 0.999 of the way to the
edge. The length of -x (+) y is computed as ||x - y|| / sqrt(1 - 2 c <x, y> + c^2 ||x||^2 ||y||^2), which needs no
matrix of pairs by numbers; theirs adds 1e-5 to the divisor of the addition, which is left out.
"""

from __future__ import annotations

import torch
from pytorch_metric_learning.distances import BaseDistance

from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_distance

_EDGE = 1 - 1e-3


@own_distance(
    "poincare",
    Note(
        "hyperbolic distance of raw rows in the ball of curvature c; figures of a run are by cosine all the same",
        "Ermolov et al., CVPR 2022, section 3",
        {"c": Tune(0.01, 1.0, log=True), "clip": Tune(1.0, 4.0)},
    ),
)
class PoincareDistance(BaseDistance):
    """Of raw embeddings, whose length is how far from the centre they lie."""

    def __init__(self, c: float = 0.1, clip: float = 2.3):
        super().__init__(normalize_embeddings=False)
        if c <= 0:
            raise ValueError(f"c is {c}, but is above 0: at 0 the ball is flat, and lp is its distance")
        if clip <= 0:
            raise ValueError(f"clip is {clip}, but is above 0")
        self.c, self.clip = c, clip

    def points(self, rows: torch.Tensor) -> torch.Tensor:
        """The points (N, D) of the ball, of length below 1 / sqrt(c), that raw rows (N, D) become."""
        norm = rows.norm(dim=1, keepdim=True).clamp(min=1e-5)
        reach = self.c**0.5 * norm.clamp(max=self.clip)
        return rows / norm * reach.tanh().clamp(max=_EDGE) / self.c**0.5

    def compute_mat(self, query_emb: torch.Tensor, ref_emb: torch.Tensor) -> torch.Tensor:
        """Distances (N, M) of raw rows (N, D) and (M, D)."""
        x, y = self.points(query_emb), self.points(ref_emb)
        apart = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")  # exact where rows nearly coincide
        return self._distance(apart, x @ y.T, x.square().sum(1)[:, None], y.square().sum(1))

    def pairwise_distance(self, query_emb: torch.Tensor, ref_emb: torch.Tensor) -> torch.Tensor:
        """Distances (N,) of raw rows (N, D) and (N, D)."""
        x, y = self.points(query_emb), self.points(ref_emb)
        apart = (x - y).square().sum(1).clamp(min=1e-12).sqrt()
        return self._distance(apart, (x * y).sum(1), x.square().sum(1), y.square().sum(1))

    def _distance(self, apart: torch.Tensor, product: torch.Tensor, xx: torch.Tensor, yy: torch.Tensor) -> torch.Tensor:
        """From ||x - y||, <x, y> and both squared lengths, which are broadcast."""
        length = apart / (1 - 2 * self.c * product + self.c**2 * xx * yy).sqrt()
        return 2 / self.c**0.5 * (self.c**0.5 * length).clamp(max=1 - 1e-6).atanh()
