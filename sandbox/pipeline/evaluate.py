"""What a trained network is worth: the figures of its splits, and the embeddings that they came from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from sandbox.backbones.embed import Pixels, embed, raw_embeddings
from sandbox.backbones.network import Network
from sandbox.data.catalog import data_sets
from sandbox.data.images.image_set import ImageSet
from sandbox.evaluation.classification import classification
from sandbox.evaluation.figures import Figures, shares
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.report import GivenPairs, both_kinds, evaluate, verify
from sandbox.evaluation.verification import cross_validation as by_folds
from sandbox.evaluation.verification.metrics import score_pairs
from sandbox.pipeline.prepare import Prepared
from sandbox.training.features import as_pixels, over_features, trunk_features


def judge(p: Prepared, splits: Sequence[str]) -> tuple[dict[str, Figures], dict[str, torch.Tensor]]:
    """The report of each split, ``val`` first, and the embeddings, labels and pairs to keep."""
    report: dict[str, Figures] = {}
    kept: dict[str, torch.Tensor] = {}
    for name in splits:
        images, pairs, to_verify = p.splits.part(name)
        x = _embed(p, images)
        apart = None if to_verify is None else _embed(p, to_verify.images)
        chosen = report["val"].get("verification/accuracy", {}).get("threshold") if name == "test" else None
        report[name] = _score(p, name, x, apart=apart, threshold=chosen) | _classification(p, images)
        if pairs is not None and pairs.fold is not None:
            scores = score_pairs(x, pairs.left, pairs.right)
            report[name] |= by_folds.figures(by_folds.cross_validate(scores, pairs.same, pairs.fold))
        if marks := data_sets()[p.recipe.data.name].marks:
            report[name] |= marks(report[name])
        kept |= _kept(name, x, images, pairs)
        if to_verify is not None and apart is not None:
            kept |= _kept(f"{name}/verify", apart, to_verify.images, to_verify.pairs)
    return report, kept


def validate(p: Prepared) -> Figures:
    """The figures of the validation split that the monitor needs, without intervals."""
    if p.training.trunk_once and p.val_features is None and not p.recipe.evaluate.flip:
        p.val_features = trunk_features(p.network, p.splits.val.pixels, device=p.device, autocast=p.training.autocast)
    monitor = p.recipe.evaluate.monitor
    figures = _score(p, "val", verification=monitor.startswith("verification"), final=False)
    return figures | (_classification(p, p.splits.val) if monitor.startswith("classification") else {})


def _score(
    p: Prepared,
    split: str,
    x: np.ndarray | None = None,
    *,
    apart: np.ndarray | None = None,
    threshold: float | None = None,
    verification: bool = True,
    final: bool = True,
) -> Figures:
    """Retrieval and verification of a split; where images to verify lie apart, verification is of those.

    Args:
        p: the run.
        split: val or test.
        x: embeddings of the split, if they are there already.
        apart: the same of its images to verify.
        threshold: a score chosen on validation.
        verification: leave it out to save time.
        final: with intervals.
    """
    images, pairs, to_verify = p.splits.part(split)
    spec = p.recipe.evaluate
    figures = evaluate(
        _embed(p, images) if x is None else x,
        images.labels,
        pairs=_given(pairs),
        recall_at=spec.recall_at,
        far=spec.far,
        threshold=threshold,
        verification=verification and to_verify is None,
        intervals=final,
    )
    if to_verify is not None and verification:
        apart = _embed(p, to_verify.images) if apart is None else apart
        given, labels = _given(to_verify.pairs), to_verify.images.labels
        if both_kinds(labels, given):
            judged = verify(apart, labels, given, far=spec.far, threshold=threshold)
            figures |= judged.figures(spec.far, threshold=threshold, intervals=final)
    return figures


def _given(pairs: Pairs | None) -> GivenPairs | None:
    return None if pairs is None else (pairs.left, pairs.right, pairs.same)


def _classification(p: Prepared, images: ImageSet) -> Figures:
    """Top-1 and top-5 of images whose classes were trained on, where a term of the objective classifies."""
    if not p.splits.closed_set:
        return {}
    network, pixels = _seen_by(p, images)
    logits = [
        scores.detach().float().cpu().numpy()
        for raw in raw_embeddings(network, pixels, device=p.device, autocast=p.training.autocast)
        if (scores := p.objective.logits(raw)) is not None
    ]
    if not logits:
        return {}
    hits = classification(np.concatenate(logits), images.labels).hits
    return shares({f"classification/top@{k}": hit for k, hit in hits.items()}, images.labels)


def _embed(p: Prepared, images: ImageSet) -> np.ndarray:
    network, pixels = _seen_by(p, images)
    return embed(network, pixels, device=p.device, autocast=p.training.autocast, flip=p.recipe.evaluate.flip)


def _seen_by(p: Prepared, images: ImageSet) -> tuple[Network, Pixels]:
    """The network and the images; of validation, where a frozen trunk's features are at hand, the head and those."""
    if p.val_features is not None and images is p.splits.val:
        return over_features(p.network), as_pixels(p.val_features)
    return p.network, images.pixels


def _kept(name: str, x: np.ndarray, images: ImageSet, pairs: Pairs | None) -> dict[str, torch.Tensor]:
    """What a run keeps of a set of images: embeddings, labels and the pairs that were judged."""
    kept = {f"{name}/embeddings": torch.from_numpy(x), f"{name}/labels": torch.from_numpy(images.labels.copy())}
    if pairs is not None:
        columns = [pairs.left, pairs.right, pairs.same, *([] if pairs.fold is None else [pairs.fold])]
        kept[f"{name}/pairs"] = torch.from_numpy(np.stack(columns, axis=1).astype(np.int64))
    return kept
