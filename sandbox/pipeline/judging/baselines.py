"""The baselines of a run, on the splits of its report: raw pixels, and its own network as it was at step 0.

Official one-shot trials have the modified Hausdorff distance beside them, of which there is a published figure.

They are scored after the choice of the weights, by the same evaluation, so that they change nothing. What a loss owns
has no part in them: a classifier that has learnt nothing is right by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from sandbox.backbones.weights import put_weights
from sandbox.errors import SandboxError
from sandbox.evaluation.fewshot.oneshot import ACCURACY as ONE_SHOT
from sandbox.evaluation.figures import Figures, lower_is_better, printed_name
from sandbox.pipeline.judging.evaluate import embedded, figures_of, mix_of_test
from sandbox.pipeline.judging.hausdorff import score_hausdorff
from sandbox.pipeline.judging.raw_pixels import score_raw_pixels
from sandbox.pipeline.prepare import Prepared
from sandbox.reporting.records.run import HAUSDORFF, RAW_PIXELS, ROWS, UNTRAINED, as_they_are
from sandbox.training import checkpoint

MAP_AT_R = "retrieval/map@r"
Weights = dict[str, torch.Tensor]
Report = dict[str, Figures]


def first_weights(network: nn.Module) -> Weights:
    """Copies on the CPU of what training will change of a network: as much memory as the weights that learn."""
    frozen = {name for name, weight in network.named_parameters() if not weight.requires_grad}
    return {name: tensor for name, tensor in checkpoint.kept(network).items() if name not in frozen}


def score_baselines(prepared: Prepared, first: Weights, splits: Sequence[str]) -> tuple[dict[str, Report], list[str]]:
    """Score the baselines; the network has the weights of step 0 afterwards.

    Args:
        prepared: the run's.
        first: see `first_weights`.
        splits: ``val``, and ``test`` where the run scores it.

    Returns:
        Baseline -> split -> figures, and a sentence on each that there is none of.
    """
    found: dict[str, Report] = {}
    notes = []
    spec = prepared.recipe.evaluate
    untouched = ROWS if prepared.splits.train.are_rows else RAW_PIXELS
    try:
        found[untouched] = score_raw_pixels(prepared.splits, splits, spec)
    except SandboxError as error:
        notes.append(f"{untouched} were not scored as a baseline: {error}")
    try:
        if classical := score_hausdorff(prepared.splits, splits):
            found[HAUSDORFF] = classical
            notes.append(
                "the official one-shot trials have raw pixels and the modified Hausdorff distance of their drawings at "
                "105 px beside them, as they are published (accuracy 0.217 and 0.612)"
            )
    except SandboxError as error:
        notes.append(f"the {HAUSDORFF} was not scored as a baseline: {error}")
    try:
        put_weights(prepared.network, {**prepared.network.state_dict(), **first})
        kept = embedded(prepared, splits)
        untrained: Report = {}
        mix = mix_of_test(prepared.splits, splits)
        for name in splits:
            untrained[name] = figures_of(kept, name, spec, untrained.get("val"), mix)
        found[UNTRAINED] = untrained
    except SandboxError as error:
        notes.append(f"the network at step 0 was not scored as a baseline: {error}")
    return found, notes


def worse_than_pixels(report: Mapping[str, Figures], baselines: Mapping[str, Report], monitor: str) -> str:
    """A sentence where MAP@R, one-shot accuracy or the monitor is worse than raw pixels'; else nothing.

    It is about the split that was scored last.
    """
    split = list(report)[-1]
    where = "validation" if split == "val" else split
    which, untouched = as_they_are(baselines)
    own, raw = report[split], untouched.get(split, {})
    worse, named = [], "that of the rows as they are," if which == ROWS else "raw pixels'"
    for key in dict.fromkeys((MAP_AT_R, ONE_SHOT, monitor)):
        if key not in own or key not in raw:
            continue
        here, there, side = own[key]["value"], raw[key]["value"], "above" if lower_is_better(key) else "below"
        if here != there and (here > there) == lower_is_better(key):
            worse.append(f"{printed_name(key)} {here:.4f} on {where} is {side} {named} {there:.4f}")
    things = "rows" if which == ROWS else "images"
    return f"{' and '.join(worse)}: the {things} themselves are told apart better" if worse else ""
