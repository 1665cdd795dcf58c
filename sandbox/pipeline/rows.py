"""A recipe whose data is rows of numbers, such as embeddings: which settings of images it takes on, and which not."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

from sandbox.backbones.catalog import own_backbones
from sandbox.data.catalog import data_sets
from sandbox.errors import SandboxError, near
from sandbox.recipe.specs import AugmentSpec, BackboneSpec, EvaluateSpec, Recipe

UNCHANGED = AugmentSpec(rotate=0.0, scale=0.0, shear=0.0, translate=0.0, flip="no")
"""No augmentation."""
LINEAR = "linear"


def of_rows(recipe: Recipe) -> bool:
    """Whether a recipe's data set holds rows of numbers."""
    return data_sets()[recipe.data.name].rows


def for_rows(recipe: Recipe) -> tuple[Recipe, list[str]]:
    """The recipe as rows take it, and sentences on what that means; one of images is as it was.

    Rows are not augmented, and the network is the linear head where none, that is the default of images, is named.

    Raises:
        SandboxError: a setting that means something for images alone has another value than its default.
    """
    if recipe.data.name not in data_sets() or not of_rows(recipe):
        return recipe, []
    _refuse(recipe)
    if recipe.augment == AugmentSpec():
        recipe = replace(recipe, augment=UNCHANGED)
    notes = []
    if recipe.backbone.name == BackboneSpec.name:
        recipe = replace(recipe, backbone=replace(recipe.backbone, name=LINEAR))
        notes = ["the network is the linear head alone (--backbone.name mlp puts a hidden layer before it)"]
    return recipe, notes


def _refuse(recipe: Recipe) -> None:
    why = "but rows of numbers are no images"
    allowed = [name for name, own in own_backbones().items() if own.rows]
    name = recipe.backbone.name
    if name not in (*allowed, BackboneSpec.name):
        raise SandboxError(f"backbone.name is {name}, {why}: they take {' or '.join(allowed)}{near(name, allowed)}")
    if recipe.backbone.weights == "pretrained" or recipe.data.normalize in ("library", "imagenet"):
        what = "data.normalize" if recipe.data.normalize != "auto" else "backbone.weights"
        value = recipe.data.normalize if recipe.data.normalize != "auto" else "pretrained"
        raise SandboxError(f"{what} is {value}, {why}, and nothing is published for them: leave it out")
    for field in dataclasses.fields(AugmentSpec):
        value = getattr(recipe.augment, field.name)
        if value not in (getattr(AugmentSpec(), field.name), getattr(UNCHANGED, field.name)):
            raise SandboxError(f"augment.{field.name} is {value}, {why}, and are never changed: leave it out")
    for setting in ("flip", "views"):
        if (value := getattr(recipe.evaluate, setting)) != getattr(EvaluateSpec(), setting):
            raise SandboxError(f"evaluate.{setting} is {value}, {why} that could be turned: leave it out")
