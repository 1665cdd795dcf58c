"""A recipe whose network has published weights gets the images that these were made for, as their library says."""

from __future__ import annotations

from dataclasses import replace

from sandbox.backbones.pixel_form import PixelForm, pixel_form
from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe

_HERE = "bilinear"
"""What images are resampled by (`sandbox.data.images.decode`)."""


def with_published_form(recipe: Recipe) -> tuple[Recipe, list[str]]:
    """The recipe with the side and crop of pretrained weights where it gives no side, and sentences on that.

    Raises:
        SandboxError: `data.normalize` is library, and no library publishes that network.
    """
    form, size = form_of(recipe), recipe.data.image_size
    if form is None:
        return recipe, []
    notes = [f"pixel statistics are those of {recipe.backbone.name} as its library gives them: {form.statistics}"]
    if recipe.backbone.weights == "pretrained":
        if size is None:
            data = replace(recipe.data, image_size=form.image_size, resize=form.resize or None)
            recipe = replace(recipe, data=data)
            cut = f", cut out of {form.resize}" if form.resize else ", the whole of them squeezed in"
            notes.append(f"images are of {form.image_size} pixels{cut}, as its library gives them (--data.image_size)")
        if form.interpolation != _HERE:
            notes.append(f"its library resizes images {form.interpolation}, and here they are resized {_HERE}")
    return recipe, notes


def form_of(recipe: Recipe) -> PixelForm | None:
    """What the library gives for a recipe's network, where its statistics are taken; else None.

    Raises:
        SandboxError: they are asked for, and there are none.
    """
    kind, name = recipe.data.normalize, recipe.backbone.name
    if kind != "library" and not (kind == "auto" and recipe.backbone.weights == "pretrained"):
        return None
    form = pixel_form(name)
    if form is None and kind == "library":
        raise SandboxError(
            f"data.normalize is library, but no library publishes weights of {name}: give dataset, imagenet or none"
        )
    return form
