"""What a trained network is worth: the figures of its splits, and the embeddings that they came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from sandbox.backbones.embed import Pixels, embed, raw_embeddings
from sandbox.backbones.network import Network
from sandbox.backbones.views import Views
from sandbox.data.catalog import data_sets
from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.roles import roles_of
from sandbox.data.splits.splits import Splits
from sandbox.evaluation.classification import Classification, classification
from sandbox.evaluation.figures import Figures, shares, threshold_for_test
from sandbox.evaluation.report import Labelled, Options, evaluate
from sandbox.pipeline.judging.few_shot import asked, watched
from sandbox.pipeline.judging.lengths import figures_at
from sandbox.pipeline.prepare import Prepared
from sandbox.recipe.extra import parse_extra
from sandbox.recipe.specs import EvaluateSpec
from sandbox.runs.embeddings import KeptSet, one_shot_figures
from sandbox.training.features import as_pixels, over_features, trunk_features


@dataclass(frozen=True)
class Judgement:
    """What a network is worth, split by split."""

    report: dict[str, Figures]
    kept: dict[str, KeptSet]
    """The embeddings, labels and pairs to keep."""
    confused: dict[str, list[dict[str, Any]]]
    """Of each split whose images are classified, the classes confused most often, by name."""
    notes: list[str] = field(default_factory=list)
    """Sentences that a person should read."""


def judge(prepared: Prepared, splits: Sequence[str]) -> Judgement:
    """Score splits, ``val`` first, whose thresholds are used on ``test``."""
    kept = embedded(prepared, splits)
    report: dict[str, Figures] = {}
    confused: dict[str, list[dict[str, Any]]] = {}
    marks = data_sets()[prepared.recipe.data.name].marks
    mix = mix_of_test(prepared.splits, splits)
    for name in splits:
        images, _, _ = prepared.splits.part(name)
        own = partial(figures_of, name=name, spec=prepared.recipe.evaluate, mix=mix)
        report[name] = own(kept, validation=report.get("val"))
        report[name] |= figures_at(prepared.objective.lengths, kept, name, own, report.get("val"))
        classified = _classified(prepared, images)
        if classified is not None:
            report[name] |= _top(classified)
            confused[name] = [
                {"truth": images.classes[c.truth], "taken_for": prepared.splits.train.classes[c.taken_for]}
                | {"n": c.n, "of": c.of}
                for c in classified.most_confused()
            ]
        if marks:
            report[name] |= marks(report[name])
    return Judgement(report, kept, confused)


def embedded(prepared: Prepared, splits: Sequence[str]) -> dict[str, KeptSet]:
    """The embeddings of splits, by name, and of what is verified apart from them, as the network is now."""
    kept: dict[str, KeptSet] = {}
    for name in splits:
        images, pairs, to_verify = prepared.splits.part(name)
        task = prepared.splits.one_shot(name)
        own_trials = None if task is None or task.images is not None else task.trials
        if len(images):
            kept[name] = KeptSet(
                _embed(prepared, images), images.labels, pairs, own_trials, roles_of(images), images.columns
            )
        if to_verify is not None:
            apart = to_verify.images
            kept[f"{name}/verify"] = KeptSet(_embed(prepared, apart), apart.labels, to_verify.pairs)
        if task is not None and task.images is not None:
            kept[f"{name}/oneshot"] = KeptSet(_embed(prepared, task.images), task.images.labels, None, task.trials)
    return kept


def figures_of(
    kept: Mapping[str, KeptSet],
    name: str,
    spec: EvaluateSpec,
    validation: Figures | None = None,
    mix: tuple[int, int] | None = None,
) -> Figures:
    """Retrieval, few-shot and verification figures of rows that are in `kept`, and one-shot trials where it has them.

    Args:
        kept: rows by split, and what is verified or tried apart from them.
        name: ``val`` or ``test``.
        spec: what is reported.
        validation: the figures of ``val``, whose thresholds are used on ``test``.
        mix: of ``val``, what its thresholds are for (`mix_of_test`).
    """
    if name not in kept:
        return one_shot_figures(kept, name)
    options = options_of(name, spec, validation, mix)
    options = replace(options, episodes=asked(spec, kept[name].labels), roles=kept[name].roles)
    options = replace(options, by=kept[name].groups(spec.by) if spec.by else None)
    return _figures(kept[name], kept.get(f"{name}/verify"), options) | one_shot_figures(kept, name)


def mix_of_test(splits: Splits, names: Sequence[str]) -> tuple[int, int] | None:
    """Genuine and impostor pairs of test's list, where test is scored and has one.

    Validation's list may hold another share of genuine pairs, as where it is what is left of a list between people that
    were held out; the threshold that is best there is not for test's.
    """
    if "test" not in names:
        return None
    _, pairs, apart = splits.part("test")
    tested = pairs if apart is None else apart.pairs
    return None if tested is None else tested.mix


def options_of(
    name: str, spec: EvaluateSpec, validation: Figures | None = None, mix: tuple[int, int] | None = None
) -> Options:
    """How a split is evaluated, see `figures_of`."""
    chosen = {} if name == "val" or validation is None else validation
    return Options(
        recall_at=spec.recall_at,
        far=spec.far,
        threshold=threshold_for_test(chosen.get("verification/accuracy", {})),
        balanced_threshold=chosen.get("verification/balanced_accuracy", {}).get("threshold"),
        mix=mix if name == "val" else None,
        episodes=asked(spec),
        extra=parse_extra(spec.figures),
    )


def validate(prepared: Prepared) -> Figures:
    """The figures of the validation split that the monitor needs, without intervals."""
    p, spec = prepared, prepared.recipe.evaluate
    if p.training.trunk_once and p.val_features is None and not spec.flip and spec.views == 1:
        p.val_features = trunk_features(p.network, p.splits.val.pixels, device=p.device, autocast=p.training.autocast)
    images, pairs, to_verify = p.splits.part("val")
    verification = spec.monitor.startswith("verification")
    apart = None
    if to_verify is not None and verification:
        apart = KeptSet(_embed(p, to_verify.images), to_verify.images.labels, to_verify.pairs)
    options = Options(
        recall_at=spec.recall_at,
        far=spec.far,
        verification=verification,
        episodes=watched(spec),
        extra=tuple(one for one in parse_extra(spec.figures) if one.key == spec.monitor),
        roles=roles_of(images),
        quick=True,
    )
    task = p.splits.val_oneshot
    own = KeptSet(_embed(p, images), images.labels, pairs, None if task is None else task.trials)
    figures = _figures(own, apart, options) | one_shot_figures({"val": own}, "val")
    classified = _classified(p, images) if spec.monitor.startswith("classification") else None
    return figures if classified is None else figures | _top(classified)


def _figures(own: KeptSet, apart: KeptSet | None, options: Options) -> Figures:
    """Retrieval and verification of a split; where images to verify lie apart, verification is of those."""
    verified = None if apart is None else Labelled(apart.x, apart.labels)
    pairs = own.pairs if apart is None else apart.pairs
    return evaluate(Labelled(own.x, own.labels), options, pairs=pairs, verified=verified).figures


def _classified(prepared: Prepared, images: ImageSet) -> Classification | None:
    """What images whose classes were trained on are taken for, where a term of the objective classifies."""
    if not prepared.splits.closed_set:
        return None
    network, pixels = _seen_by(prepared, images)
    logits = [
        scores.detach().float().cpu().numpy()
        for raw in raw_embeddings(network, pixels, device=prepared.device, autocast=prepared.training.autocast)
        if (scores := prepared.objective.logits(raw)) is not None
    ]
    return classification(np.concatenate(logits), images.labels) if logits else None


def _top(classified: Classification) -> Figures:
    """Top-1 and top-5 accuracy."""
    return shares({f"classification/top@{k}": hit for k, hit in classified.hits.items()}, classified.y)


def _embed(prepared: Prepared, images: ImageSet) -> np.ndarray:
    network, pixels = _seen_by(prepared, images)
    spec = prepared.recipe.evaluate
    views, autocast = Views(spec.views, spec.view_strength), prepared.training.autocast
    return embed(network, pixels, device=prepared.device, autocast=autocast, flip=spec.flip, views=views)


def _seen_by(prepared: Prepared, images: ImageSet) -> tuple[Network, Pixels]:
    """The network and the images; of validation, where a frozen trunk's features are at hand, the head and those."""
    if prepared.val_features is not None and images is prepared.splits.val:
        return over_features(prepared.network), as_pixels(prepared.val_features)
    return prepared.network, images.pixels
