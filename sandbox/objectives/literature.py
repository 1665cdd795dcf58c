"""What introspection cannot know of a name: its paper, the range worth searching, other spellings, why it is refused.

Ranges hold the optima of 50-trial searches on CUB-200, Cars-196 and Stanford Online Products with room on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.objectives.language import Tune


@dataclass(frozen=True)
class Note:
    """What the field says of one name."""

    line: str
    citation: str = ""
    tune: dict[str, Tune] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    refused: str = ""
    weight: Tune | None = None
    """Range worth searching for the term's weight."""
    alone: str = ""
    """What is to be said of a loss that separates no classes by itself, where no other stands beside it."""


def _log(low: float, high: float) -> Tune:
    return Tune(low, high, log=True)


LOSSES: dict[str, Note] = {
    "angular": Note(
        "bounds the angle at the negative of each triplet", "Wang et al., ICCV 2017", {"alpha": Tune(25, 60)}
    ),
    "arcface": Note(
        "softmax over cosines with an additive angular margin (degrees)",
        "Deng et al., CVPR 2019",
        {"margin": Tune(5.0, 45.0), "scale": _log(16.0, 220.0)},
    ),
    "circle": Note(
        "weighs each pair by its distance from its optimum",
        "Sun et al., CVPR 2020",
        {"m": Tune(0.1, 0.5), "gamma": _log(16.0, 256.0)},
    ),
    "contrastive": Note(
        "pulls positives below one distance, pushes negatives beyond another (linear; `hadsell` is the squared form)",
        "after Hadsell et al., CVPR 2006",
        {"pos_margin": Tune(0.0, 0.3), "neg_margin": Tune(0.3, 1.0)},
    ),
    "cosface": Note(
        "softmax over cosines with a margin taken off the target's",
        "Wang et al., CVPR 2018",
        {"margin": Tune(0.05, 0.6), "scale": _log(16.0, 160.0)},
    ),
    "cross_batch_memory": Note(
        "lets a pair loss compare the batch with a queue of earlier embeddings",
        "Wang et al., CVPR 2020",
        {"memory_size": Tune(512, 8192, log=True)},
    ),
    "dynamic_soft_margin": Note(
        "triplets weighed by a running histogram instead of a margin", "Zhang et al., ICCV 2019"
    ),
    "fast_ap": Note(
        "average precision from a histogram of distances", "Cakir et al., CVPR 2019", {"num_bins": Tune(5, 100)}
    ),
    "generalized_lifted_structure": Note(
        "all positives against all negatives of an anchor", "Hermans et al., 2017", {"neg_margin": Tune(0.3, 1.5)}
    ),
    "generic_pair": Note(
        "skeleton of pair losses", refused="it is the abstract skeleton of pair losses; name one, such as contrastive"
    ),
    "histogram": Note(
        "probability that a random negative pair is more alike than a random positive one; the reading given here "
        "to a course's 'pair-wise loss'",
        "Ustinova and Lempitsky, NeurIPS 2016",
        {"n_bins": Tune(20, 200)},
    ),
    "instance": Note("each image its own class over the batch", "Zheng et al., TOMM 2020", {"gamma": _log(8.0, 128.0)}),
    "intra_pair_variance": Note(
        "narrows the spread of positive and of negative similarities",
        "Yu and Tao, ICCV 2019",
        alone="narrows the spread of similarities and moves no class away from another",
    ),
    "large_margin_softmax": Note("multiplicative angular margin with weight norms", "Liu et al., ICML 2016"),
    "lifted_structure": Note(
        "lifted structured embedding", "Oh Song et al., CVPR 2016", {"neg_margin": Tune(0.3, 1.5)}
    ),
    "manifold": Note(
        "random-walk similarity to random proxies; reads no labels",
        "Aziere and Todorovic, CVPR 2019",
        alone="reads no labels, so that nothing tells it which classes to separate",
    ),
    "margin": Note(
        "distances against a boundary beta that may be learned",
        "Wu et al., ICCV 2017",
        {"beta": Tune(0.6, 1.5), "margin": Tune(0.03, 0.3)},
    ),
    "multi_similarity": Note(
        "weighs pairs by three kinds of similarity",
        "Wang et al., CVPR 2019",
        {"alpha": _log(0.01, 15.0), "beta": Tune(10.0, 80.0), "base": Tune(0.2, 1.0)},
    ),
    "multiple": Note("a list of losses", refused="a sum says the same: write for example triplet + 0.5*contrastive"),
    "n_pairs": Note("one negative of every other class at once", "Sohn, NeurIPS 2016"),
    "nca": Note(
        "neighbourhood components analysis",
        "Goldberger et al., NeurIPS 2004",
        {"softmax_scale": _log(1.0, 20.0)},  # beyond 21, exp(-scale * 4) leaves float32 and its gradient is infinite
    ),
    "nt_xent": Note(
        "normalised temperature-scaled cross-entropy", "Chen et al., ICML 2020", {"temperature": _log(0.005, 0.3)}
    ),
    "normalized_softmax": Note("softmax over cosines", "Zhai and Wu, BMVC 2019", {"temperature": _log(0.02, 0.3)}),
    "p2s_grad": Note("regresses cosines with the gradient of a hyperparameter-free softmax", "Zhang et al., CVPR 2019"),
    "pnp": Note("penalises negatives ranked before positives", "Li et al., AAAI 2022"),
    "proxy_anchor": Note(
        "proxies as anchors of all images",
        "Kim et al., CVPR 2020",
        {"margin": Tune(0.02, 0.5), "alpha": Tune(8.0, 64.0)},
    ),
    "proxy_nca": Note(
        "NCA against one proxy per class", "Movshovitz-Attias et al., ICCV 2017", {"softmax_scale": _log(1.0, 32.0)}
    ),
    "ranked_list": Note(
        "positives inside a ball, weighed negatives outside it",
        "Wang et al., CVPR 2019",
        {"margin": Tune(0.1, 1.0), "Tn": Tune(1.0, 20.0)},
        {"margin": 0.4, "Tn": 10},
    ),
    "self_supervised": Note(
        "labels made from augmented views", refused="images here carry labels, so its inner loss alone does the job"
    ),
    "signal_to_noise_ratio_contrastive": Note(
        "contrastive on the signal-to-noise distance",
        "Yuan et al., CVPR 2019",
        {"pos_margin": Tune(0.0, 0.4), "neg_margin": Tune(0.5, 1.2)},
    ),
    "soft_triple": Note(
        "several learned centres per class",
        "Qian et al., ICCV 2019",
        {"la": _log(5.0, 100.0), "margin": _log(0.005, 0.7)},
    ),
    "sphereface": Note("multiplicative angular margin (a_softmax is the annealed form)", "Liu et al., CVPR 2017"),
    "sub_center_arcface": Note(
        "ArcFace with several centres per class",
        "Deng et al., ECCV 2020",
        {"margin": Tune(5.0, 45.0), "scale": _log(16.0, 220.0), "sub_centers": Tune(1, 5)},
    ),
    "sup_con": Note("supervised contrastive", "Khosla et al., NeurIPS 2020", {"temperature": _log(0.02, 0.5)}),
    "threshold_consistent_margin": Note(
        "brings all classes to one threshold; a regularising term", "Zhang et al., ICLR 2024"
    ),
    "triplet_margin": Note(
        "anchor nearer to its positive than to its negative by a margin (Euclidean between unit rows)",
        "Schroff et al., CVPR 2015",
        {"margin": Tune(0.02, 0.5)},
    ),
    "tuplet_margin": Note("one positive against all negatives, angular slack in degrees", "Yu and Tao, ICCV 2019"),
    "vic_reg": Note(
        "variance, invariance and covariance of two views; the views here are two images of one class",
        "Bardes et al., ICLR 2022",
        {"invariance_lambda": _log(1.0, 50.0), "variance_mu": _log(1.0, 50.0)},
    ),
}

MINERS: dict[str, Note] = {
    "angular": Note(
        "triplets whose angle exceeds a bound (degrees)", "Wang et al., ICCV 2017", {"angle": Tune(10.0, 45.0)}
    ),
    "batch_easy_hard": Note(
        "one positive and one negative per anchor, each easy, semihard, hard or all", "Xuan et al., WACV 2020"
    ),
    "batch_hard": Note("hardest positive and hardest negative of each anchor", "Hermans et al., 2017"),
    "distance_weighted": Note(
        "negatives drawn evenly over distances", "Wu et al., ICCV 2017", {"cutoff": Tune(0.3, 0.7)}
    ),
    "embeddings_already_packaged_as_triplets": Note(
        "takes rows three by three",
        refused="batches here are not rows of anchor, positive, negative; name another miner",
    ),
    "hdc": Note("the hardest share of all pairs", "Yuan et al., ICCV 2017", {"filter_percentage": Tune(0.1, 0.9)}),
    "multi_similarity": Note(
        "pairs harder than the anchor's hardest of the other kind",
        "Wang et al., CVPR 2019",
        {"epsilon": Tune(0.05, 0.8)},
    ),
    "pair_margin": Note(
        "pairs that violate a margin", "", {"pos_margin": Tune(0.0, 0.4), "neg_margin": Tune(0.4, 1.2)}
    ),
    "triplet_margin": Note(
        "triplets by how far they violate a margin", "Schroff et al., CVPR 2015", {"margin": Tune(0.02, 0.5)}
    ),
    "uniform_histogram": Note("pairs drawn evenly over distances"),
}

DISTANCES: dict[str, Note] = {
    "batched": Note(
        "a distance in slices", refused="it hands slices to a callback and returns no matrix; name its inner distance"
    ),
    "cosine_similarity": Note("cosine of the two rows"),
    "dot_product_similarity": Note("inner product"),
    "lp": Note("p-norm of the difference, raised to a power"),
    "snr": Note("variance of the difference over variance of the anchor", "Yuan et al., CVPR 2019"),
}

REDUCERS: dict[str, Note] = {
    "avg_non_zero": Note("mean over losses above zero"),
    "class_weighted": Note("mean weighed by a list of one weight per class"),
    "divisor": Note("sum over a divisor that the loss gives"),
    "do_nothing": Note("returns the parts", refused="it returns no number to minimise; name mean, sum or avg_non_zero"),
    "mean": Note("mean"),
    "multiple": Note('a reducer for each part of a loss: multiple({"loss": mean})'),
    "per_anchor": Note("reduces per anchor first"),
    "sum": Note("sum"),
    "threshold": Note("mean over losses between two thresholds"),
}

REGULARIZERS: dict[str, Note] = {
    "center_invariant": Note("class weights of equal norm", "Wu et al., 2017"),
    "lp": Note("p-norm of the rows"),
    "regular_face": Note("spreads class weights apart", "Zhao et al., CVPR 2019"),
    "sparse_centers": Note(
        "merges centres of one class (soft_triple)", "Qian et al., ICCV 2019", defaults={"centers_per_class": 10}
    ),
    "zero_mean": Note("embeddings that sum to zero"),
}

ALIASES: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "loss": {
        "triplet": ("triplet_margin", {}),
        "supcon": ("sup_con", {}),
        "ntxent": ("nt_xent", {}),
        "info_nce": ("nt_xent", {}),
        "xbm": ("cross_batch_memory", {}),
        "ms": ("multi_similarity", {}),
        "softmax": ("cross_entropy", {}),
        "snr_contrastive": ("signal_to_noise_ratio_contrastive", {}),
        "lifted": ("lifted_structure", {}),
        "pair_wise": ("histogram", {}),
        "angular_softmax": ("a_softmax", {"lambda_max": 1000, "gamma": 0.12, "first_step": 1}),
        "tcm": ("threshold_consistent_margin", {}),
        "vicreg": ("vic_reg", {}),
    },
    "miner": {
        "hard": ("batch_hard", {}),
        "semihard": ("triplet_margin", {"type_of_triplets": "semihard"}),
        "easy": ("triplet_margin", {"type_of_triplets": "easy"}),
        "all_hard": ("triplet_margin", {"type_of_triplets": "hard"}),
        "easy_positive": ("batch_easy_hard", {}),
        "random": ("random_triplet", {}),
    },
    "distance": {
        "cosine": ("cosine_similarity", {}),
        "dot": ("dot_product_similarity", {}),
        "dot_product": ("dot_product_similarity", {}),
        "euclidean": ("lp", {"p": 2}),
        "l2": ("lp", {"p": 2}),
        "squared_l2": ("lp", {"p": 2, "power": 2}),
    },
    "reducer": {"nonzero": ("avg_non_zero", {})},
    "regularizer": {},
}

NOTES: dict[str, dict[str, Note]] = {
    "loss": LOSSES,
    "miner": MINERS,
    "distance": DISTANCES,
    "reducer": REDUCERS,
    "regularizer": REGULARIZERS,
}

LISTED: dict[str, str] = {
    "loss": "losses",
    "miner": "miners",
    "distance": "distances",
    "reducer": "reducers",
    "regularizer": "regularizers",
}
"""Slot -> what --list calls its catalogue."""

CHOICES: dict[str, tuple[str, ...]] = {
    "type_of_triplets": ("all", "hard", "semihard", "easy"),
    "pos_strategy": ("easy", "semihard", "hard", "all"),
    "neg_strategy": ("easy", "semihard", "hard", "all"),
    "variant": ("Ds", "Dq", "Iu", "Ib", "O"),
    "sample_to_class": ("unified", "softmax"),
}

WEIGHT_RANGE = _log(1e-2, 10.0)
