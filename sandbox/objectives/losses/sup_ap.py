"""SupAP, an upper bound of one minus average precision, and the calibration that makes it decomposable (ROADMAP).

Ramzi, Thome, Rambour, Audebert, Bitot, "Robust and Decomposable Average Precision for Image Retrieval", NeurIPS 2021.
For a query and its matches i: rank+_i = 1 + the matches at least as near, counted and not differentiated;
rank-_i = the sum over negatives j of H(sim_j - sim_i), H(x) = sigmoid(x / tau) for x <= 0, sigmoid(x / tau) + 1/2 up to
delta, and beyond it rho (x - delta) + sigmoid(delta / tau) + 1/2, whose gradient never vanishes.
L_SupAP = 1 - mean over queries and matches of rank+ / (rank+ + rank-),
L_cal = mean [alpha - sim_positive]_+ + mean [sim_negative - beta]_+, L = (1 - lambda) L_SupAP + lambda L_cal.
The authors' code (elias-ramzi/ROADMAP, roadmap/losses/smooth_rank_ap.py) has rho x + 1.44 beyond delta, which jumps by
5 there, counts the query among its own matches, and adds both losses with weight 1; means of L_cal are over the pairs
above zero. Taken is the piece without a jump, as in the text and their later code (elias-ramzi/HAPPIER, hap_loss.py),
matches without the query, means over pairs above zero, and lambda = 1/2, which is half of their sum. The numbers are
theirs.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from sandbox.objectives.bounded.positives import over_positives
from sandbox.objectives.language import Tune
from sandbox.objectives.literature import Note
from sandbox.objectives.register import own_loss


@own_loss(
    "sup_ap",
    Note(
        "ROADMAP: an upper bound of one minus average precision, with a calibration of similarities over batches",
        "Ramzi et al., NeurIPS 2021",
        {"temperature": Tune(0.005, 0.1, log=True), "slope": Tune(10.0, 200.0, log=True), "calibration": Tune(0, 0.9)},
    ),
)
class SupAPLoss(nn.Module):
    """Of every image of the batch that has a match there; `calibration` is lambda, `slope` rho."""

    def __init__(
        self,
        temperature: float = 0.01,
        slope: float = 100.0,
        delta: float = 0.05,
        calibration: float = 0.5,
        alpha: float = 0.9,
        beta: float = 0.6,
    ):
        super().__init__()
        for name, value in (("temperature", temperature), ("slope", slope)):
            if value <= 0:
                raise ValueError(f"{name} is {value}, but is above 0")
        if delta < 0:
            raise ValueError(f"delta is {delta}, but is at least 0")
        if not 0 <= calibration <= 1:
            raise ValueError(f"calibration is {calibration}, but lies in [0, 1]: what it weighs beside the ranks")
        self.temperature, self.slope, self.delta = temperature, slope, delta
        self.calibration, self.alpha, self.beta = calibration, alpha, beta

    def forward(self, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Loss of x (N, D) float32, y (N,) int64; costs N comparisons for each positive pair."""
        unit = F.normalize(embeddings)
        similarity = unit @ unit.T
        alike = labels[:, None] == labels[None, :]
        calibration = self._calibration(similarity, alike)
        precision, query = over_positives(partial(self._precision, labels), similarity, labels)
        if not len(query):
            return self.calibration * calibration
        count = torch.bincount(query, minlength=len(labels))
        average = torch.zeros_like(similarity[0]).index_add(0, query, precision / count[query])
        return (1 - self.calibration) * (1 - average[count > 0].mean()) + self.calibration * calibration

    def _precision(
        self, labels: torch.Tensor, similarity: torch.Tensor, query: torch.Tensor, positive: torch.Tensor
    ) -> torch.Tensor:
        """Precision (M,) at each positive."""
        rows, places = similarity[query], positive[:, None]
        alike = labels[query, None] == labels[None, :]
        ahead = rows - rows.gather(1, places)
        counted = (ahead >= 0) & alike  # the positive itself is one of them, and the query is not
        matches = counted.scatter(1, query[:, None], False).sum(1)
        return matches / (matches + (self._step(ahead) * ~alike).sum(1))

    def _step(self, x: torch.Tensor) -> torch.Tensor:
        """H: at least the step at 0, continuous but there, and rising without end."""
        smooth = (x.clamp(max=self.delta) / self.temperature).sigmoid()
        return smooth + 0.5 * (x > 0) + self.slope * (x - self.delta).clamp(min=0)

    def _calibration(self, similarity: torch.Tensor, alike: torch.Tensor) -> torch.Tensor:
        """Mean lack of positives below alpha plus mean excess of negatives above beta, over those that have some."""
        apart = ~torch.eye(len(alike), dtype=torch.bool, device=alike.device)
        lack = (self.alpha - similarity).clamp(min=0) * (alike & apart)
        excess = (similarity - self.beta).clamp(min=0) * ~alike
        return sum((part.sum() / (part > 0).sum().clamp(min=1) for part in (lack, excess)), similarity.new_zeros(()))
