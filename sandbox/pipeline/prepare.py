"""From a recipe to everything that a run needs, found and checked; nothing is written here."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from sandbox.backbones.network import Network, make_network
from sandbox.data.augment import Augment
from sandbox.data.batches import batch_shape, make_batches
from sandbox.data.catalog import load as load_data
from sandbox.data.images.image_set import ImageSet
from sandbox.data.images.pixels import pixel_statistics
from sandbox.data.splits.splits import Splits, images_digest
from sandbox.errors import SandboxError
from sandbox.evaluation.register import try_metrics
from sandbox.objectives.bounded.demand import check_demand
from sandbox.objectives.expression import Expression
from sandbox.objectives.lengths import check_lengths
from sandbox.objectives.objective import Objective, build, check_batch
from sandbox.objectives.rehearsal import notes_on, rehearse
from sandbox.objectives.resolve import resolve
from sandbox.pipeline.going_on import notes_on_more
from sandbox.pipeline.judging.asked_for import check_asked
from sandbox.pipeline.judging.by_value import check_by
from sandbox.pipeline.judging.few_shot import check_episodes
from sandbox.pipeline.judging.monitor import check_classifies, check_key, check_pairs, check_trials
from sandbox.pipeline.judging.protocol import few_classes
from sandbox.pipeline.memory import Extent, check_objective, check_run
from sandbox.pipeline.published_form import form_of, with_published_form
from sandbox.pipeline.rows import for_rows
from sandbox.pipeline.transfer import notes_on_training
from sandbox.pipeline.warm_start import check_earlier, classes_digest, inherit
from sandbox.recipe.after import spell_steps
from sandbox.recipe.episodes import spell_tasks
from sandbox.recipe.extra import spell_extra
from sandbox.recipe.idle import idle_settings
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.size import size_of
from sandbox.recipe.specs import BackboneSpec, Recipe
from sandbox.recipe.specs import replace as with_setting
from sandbox.training.average import Average
from sandbox.training.clock import Clock
from sandbox.training.device import choose_autocast, choose_device
from sandbox.training.distributed import here
from sandbox.training.features import computed_once
from sandbox.training.loop import Training
from sandbox.training.optimizer import make_optimizer
from sandbox.training.shared_batch import check_shares, share_statistics

DEFAULT_STEPS = 1000
VALIDATIONS = 10
"""Of a run that does not say when it validates."""
_NO_END = 10**9
"""Steps of a run that ends by the clock."""


@dataclass
class Prepared:
    """A recipe with everything it names found and checked; nothing is written yet."""

    recipe: Recipe
    expression: Expression
    splits: Splits
    network: Network
    objective: Objective
    training: Training
    device: torch.device
    every: int
    notes: list[str]
    val_features: torch.Tensor | None = None
    """What a frozen trunk makes of the validation images (N, F) float32, once validation has asked for it."""


def prepare(recipe: Recipe, splits: Splits | None = None) -> Prepared:
    """Find and check everything a recipe names, spelling its objective, episodes, figures and steps canonically.

    Args:
        recipe: to be trained.
        splits: of its data, where they were loaded before.

    Raises:
        SandboxError: anything in it is unknown, out of range, missing or cannot work together.
    """
    expression = check(recipe)
    recipe, rows_notes = for_rows(replace(recipe, loss=str(expression), miner="none"))
    for name, spell in (("episodes", spell_tasks), ("figures", spell_extra), ("after", spell_steps)):
        recipe = with_setting(recipe, f"evaluate.{name}", spell(getattr(recipe.evaluate, name)))
    recipe, form_notes = with_published_form(recipe)
    ranks = here()
    device = choose_device(recipe.device, ranks.local)
    if recipe.threads:
        _check_threads(recipe.threads)
        torch.set_num_threads(recipe.threads)
    splits = load_data(recipe.data) if splits is None else splits
    few_shot_notes = check_episodes(recipe.evaluate, splits)
    batches, notes = make_batches(
        splits.train.labels, recipe.batch, repeats_needed=expression.takes_tuples, seed=recipe.seed
    )
    check_batch(expression, batches.size)
    check_shares(ranks, batches.size)
    _check_memory(recipe, expression, splits, batches.size // ranks.count, device)
    torch.manual_seed(recipe.seed)
    network = _make_network(recipe, expression, splits.train).to(device).to(memory_format=torch.channels_last)
    check_asked(recipe.evaluate, splits, network.dim)
    few_shot_notes = [*few_shot_notes, *check_by(recipe.evaluate.by, splits)]
    objective = build(expression, classes=len(splits.train.classes), dim=network.dim).to(device)
    check_classifies(recipe.evaluate.monitor, objective, splits)
    check_pairs(recipe.evaluate.monitor, splits)
    check_trials(recipe.evaluate.monitor, splits)
    if network.head_frozen and recipe.backbone.weights in ("", "pretrained") and not recipe.resume_from:
        raise SandboxError("backbone.freeze_head would keep a head of random weights: give resume_from, or weights")
    if recipe.resume_from:
        recipe, inherited = _inherit(recipe, network, objective, splits)
        notes = [*notes, *inherited]
    notes = [*notes, *form_notes, *rows_notes, *network.notes, *share_statistics(network, ranks, device, batches.size)]
    total = _steps(recipe, batches.steps_per_epoch)
    flip = recipe.augment.flip == "yes" or (recipe.augment.flip == "auto" and splits.mirror)
    augment = Augment(recipe.augment, flip, recipe.seed)
    clock = None if recipe.max_seconds is None else Clock(recipe.max_seconds)
    shown = total * batches.size  # by the clock nobody knows how many, and the most that may be are counted
    trunk_once, trunk_notes = computed_once(network, augment, images=len(splits.train), shown=shown)
    trunk_notes = [*(trunk_notes if total else []), *notes_on_training(recipe, network, objective, ranks)]
    training = Training(
        network=network,
        objective=objective,
        optimizer=make_optimizer(network, objective, recipe.optimizer, trains=total > 0),
        pixels=splits.train.pixels,
        labels=splits.train.labels,
        batches=batches,
        augment=augment,
        schedule=recipe.schedule,
        total=total,
        seed=recipe.seed,
        device=device,
        autocast=choose_autocast(recipe.precision, device),
        clip=recipe.optimizer.clip,
        steps_per_epoch=batches.steps_per_epoch,
        trunk_once=trunk_once,
        average=Average(network, objective, recipe.optimizer.ema) if recipe.optimizer.ema else None,
        ranks=ranks,
        head_first=recipe.optimizer.head_first,
        clock=clock,
    )
    every = recipe.evaluate.every or max(1, -(-total // VALIDATIONS))
    every = max(1, min(every, total))
    notes = [*splits.notes, *few_classes(splits), *few_shot_notes, *notes_on(expression), *notes, *trunk_notes]
    notes += notes_on_more(recipe)
    notes += idle_settings(recipe)
    return Prepared(recipe, expression, splits, network, objective, training, device, every, notes)


def check(recipe: Recipe) -> Expression:
    """Find what is wrong with a recipe as far as that can be known before any data is read.

    Returns:
        Its objective, with every name found.

    Raises:
        SandboxError: a name that is unknown, a number out of range, or an objective or a plug-in's metric that fails.
    """
    check_ranges(recipe)
    expression = resolve(recipe.loss, recipe.miner)
    check_key(recipe.evaluate)
    try_metrics(recipe.backbone.embedding_dim)
    if recipe.backbone.head != "none":
        check_lengths(expression, recipe.backbone.embedding_dim)
    check_objective(expression, classes=1, dim=recipe.backbone.embedding_dim)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a rehearsal's random rows are no reason to alarm anybody
        classes, samples = batch_shape(recipe.batch)
        check_demand(expression, [samples] * classes)
        if "class_weighted" not in str(expression):  # its list can be counted only once the classes are
            rehearse(expression, classes=min(classes, 32), samples=min(samples, max(4, 128 // min(classes, 32))))
    return expression


def facts(prepared: Prepared) -> dict[str, Any]:
    """What run.json holds of a run before its first step."""
    count = lambda module: sum(parameter.numel() for parameter in module.parameters())  # noqa: E731
    splits = prepared.splits
    sets = {"train": splits.train, "val": splits.val, "test": splits.embedded("test")}
    return {
        "objective": str(prepared.expression),
        "parameters": {
            "backbone": count(prepared.network.backbone),
            "head": count(prepared.network.head),
            "objective": count(prepared.objective),
        },
        "data": {name: {"images": len(s), "classes": len(s.classes)} for name, s in sets.items()},
        **({"trials": trials} if (trials := _trials(splits)) else {}),
        "split": prepared.splits.digest,
        # Runs of several folds differ in their splits, and may yet be compared image by image on test.
        **({"test_images": images_digest(sets["test"])} if prepared.recipe.data.val_fold else {}),
        "classes": classes_digest(prepared.splits.train.classes),
        "input": {
            "image_size": size_of(*prepared.splits.train.pixels.shape[1:3]),
            "channels": prepared.splits.train.pixels.shape[3],
        }
        | {"head": head_of(prepared.recipe.backbone, prepared.expression)}
        | ({"rows": True} if splits.train.are_rows else {})
        | ({"bits": prepared.splits.bits} if prepared.splits.bits else {}),
        **({"published_form": form.facts} if (form := form_of(prepared.recipe)) else {}),
        "batch": prepared.training.batches.size,
        "world_size": prepared.training.ranks.count,
        **({"planned_steps": prepared.training.total} if prepared.training.clock is None else {}),
        "device": str(prepared.device)
        if prepared.device.type == "cpu"
        else f"{prepared.device} ({torch.cuda.get_device_name(prepared.device)})",
        "precision": "bf16" if prepared.training.autocast else "float32",
        "threads": torch.get_num_threads(),
        "notes": prepared.notes,
    }


def _trials(splits: Splits) -> dict[str, int]:
    """How many one-shot trials each split has, of those that have some."""
    return {name: len(task.trials) for name in ("val", "test") if (task := splits.one_shot(name)) is not None}


def head_of(spec: BackboneSpec, expression: Expression) -> Literal["auto", "linear", "linear_bn", "none"]:
    """The head that a recipe's network gets."""
    if spec.head != "auto":
        return spec.head
    # Class weights hold embeddings best that cannot all drift one way, hence batch norm.
    return "linear_bn" if expression.owns_classes else "linear"


def _make_network(recipe: Recipe, expression: Expression, images: ImageSet) -> Network:
    _, height, width, channels = images.pixels.shape
    if form := form_of(recipe):
        mean, std = list(form.mean), list(form.std)
    else:
        usual = "none" if images.are_rows else "dataset"
        kind = usual if recipe.data.normalize == "auto" else recipe.data.normalize
        mean, std = pixel_statistics(images.pixels, images.labels, kind)
    spec = replace(recipe.backbone, head=head_of(recipe.backbone, expression))
    return make_network(spec, channels=channels, image_size=size_of(height, width), mean=mean, std=std)


def _check_threads(threads: int) -> None:
    """More threads than a machine can use take memory each, and wait for each other."""
    most = max(64, 4 * (os.cpu_count() or 1))
    if threads > most:
        raise SandboxError(
            f"threads is {threads}, but this machine has {os.cpu_count()} processors; at most {most} fit"
        )


def _check_memory(recipe: Recipe, expression: Expression, splits: Splits, batch: int, device: torch.device) -> None:
    """Refuse what cannot fit into memory before any of it is made."""
    _, height, width, channels = splits.train.pixels.shape
    evaluated = max(len(part) for part in (splits.val, splits.test))
    kept = 2 if choose_autocast(recipe.precision, device) else 4
    check_objective(expression, classes=len(splits.train.classes), dim=recipe.backbone.embedding_dim, device=device)
    extent = Extent(channels, size_of(height, width), len(splits.train.classes), batch, evaluated, kept)
    check_run(replace(recipe.backbone, head=head_of(recipe.backbone, expression)), expression, extent, device)


def _inherit(recipe: Recipe, network: Network, objective: Objective, splits: Splits) -> tuple[Recipe, list[str]]:
    """Take over an earlier run's weights; its digest becomes part of what this recipe asks for."""
    after, notes = inherit(network, objective, check_earlier(recipe.resume_from), splits.train.classes)
    if recipe.after and recipe.after != after:
        raise SandboxError(
            f"this recipe goes on from a run with digest {recipe.after}, but {recipe.resume_from} has {after}"
        )
    return replace(recipe, after=after), notes


def _steps(recipe: Recipe, steps_per_epoch: int) -> int:
    if recipe.max_seconds is not None:
        return _NO_END
    if recipe.epochs is None:
        return DEFAULT_STEPS if recipe.max_steps is None else recipe.max_steps
    total = recipe.epochs * steps_per_epoch
    return min(total, recipe.max_steps or total)
