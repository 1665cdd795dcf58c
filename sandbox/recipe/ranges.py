"""What a setting may be: numbers in their ranges, and settings that fit together."""

from __future__ import annotations

from sandbox.errors import SandboxError
from sandbox.recipe.after import parse_steps
from sandbox.recipe.episodes import MOST, check_episodes
from sandbox.recipe.extra import parse_extra
from sandbox.recipe.fold import check_folds
from sandbox.recipe.length import check_length
from sandbox.recipe.rotations import check_rotations
from sandbox.recipe.size import check_size
from sandbox.recipe.specs import EvaluateSpec, Recipe, flat
from sandbox.wording import printable

_RANGES: dict[str, tuple[float, float]] = {
    "data.resize": (4, 8192),
    "data.validation": (0.0, 0.9),
    "data.test": (0.0, 0.9),
    "data.min_images": (1, 10**9),
    "data.split_seed": (0, 2**31),
    "data.fold_seed": (0, 2**31),
    "augment.rotate": (0.0, 180.0),
    "augment.scale": (0.0, 0.9),
    "augment.shear": (0.0, 2.0),
    "augment.translate": (0.0, 1.0),
    "augment.contrast": (0.0, 1.0),
    "augment.erase": (0.0, 1.0),
    "augment.elastic": (0.0, 0.5),
    "augment.stroke": (0.0, 0.25),
    "backbone.embedding_dim": (1, 65536),
    "batch.size": (2, 2**20),
    "batch.classes": (2, 2**20),
    "batch.samples": (2, 2**20),
    "optimizer.lr": (1e-12, 100.0),
    "optimizer.loss_lr": (0.0, 100.0),
    "optimizer.weight_decay": (0.0, 10.0),
    "optimizer.momentum": (0.0, 1.0),
    "optimizer.clip": (0.0, 1e9),
    "optimizer.ema": (0.0, 0.999999),
    "optimizer.layer_decay": (0.01, 1.0),
    "optimizer.head_first": (0, 10**9),
    "schedule.warmup": (0.0, 1.0),
    "schedule.gamma": (1e-9, 1.0),
    "schedule.period": (1e-9, 1e9),
    "evaluate.every": (1, 10**9),
    "evaluate.patience": (0, 10**9),
    "evaluate.recall_at": (1, 10**6),
    "evaluate.far": (1e-12, 1.0),
    "evaluate.episode_count": (2, 10**5),
    "evaluate.episode_queries": (1, MOST),
    "evaluate.views": (1, 64),
    "evaluate.view_strength": (0.01, 5.0),
    "epochs": (1, 10**7),
    "max_steps": (0, 10**9),
    "max_seconds": (0.001, 10**9),
    "seed": (0, 2**31),
    "threads": (0, 1024),
}


def check_ranges(recipe: Recipe) -> None:
    """Refuse numbers that no run could use.

    Raises:
        SandboxError: names the setting, its value and its range.
    """
    rows = flat(recipe)
    for name, text in rows.items():
        if isinstance(text, str) and not text.isascii() and text != text.encode("utf-8", "replace").decode():
            raise SandboxError(
                f"{name} is '{printable(text)}', which is no text in UTF-8 and cannot be kept in a recipe; rename it, "
                "or give a link with another name"
            )
    for name, (low, high) in _RANGES.items():
        values = rows[name] if isinstance(rows[name], tuple) else (rows[name],)
        if not values:
            raise SandboxError(f"{name} is empty; give at least one value")
        for value in values:
            if value is not None and not low <= value <= high:
                raise SandboxError(f"{name} is {value}, but lies between {low:g} and {high:g}")
    check_size(recipe.data.image_size, recipe.data.resize)
    if recipe.evaluate.views == 1 and recipe.evaluate.view_strength != EvaluateSpec.view_strength:
        raise SandboxError(
            f"evaluate.view_strength is {recipe.evaluate.view_strength}, but changes nothing with evaluate.views 1: "
            "give evaluate.views, from 2 to 64"
        )
    check_length(recipe)
    check_folds(recipe.data.val_fold, recipe.data.test_fold)
    check_episodes(recipe.evaluate.episodes, recipe.evaluate.episode_count, recipe.evaluate.episode_queries)
    parse_extra(recipe.evaluate.figures)
    parse_steps(recipe.evaluate.after)
    check_rotations(recipe.data.rotations, recipe.augment.rotate)
    if recipe.data.validation + recipe.data.test >= 1:
        raise SandboxError("data.validation and data.test together leave nothing to train on: their sum is below 1")
