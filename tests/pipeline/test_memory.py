"""What cannot fit is refused before it is made, with its numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from sandbox.data.images.form import Form
from sandbox.data.images.resize import resized
from sandbox.errors import SandboxError
from sandbox.objectives.resolve import resolve
from sandbox.pipeline.memory import Extent, check_objective, check_run
from sandbox.pipeline.prepare import check, prepare
from sandbox.recipe.specs import BackboneSpec, BatchSpec, DataSpec, Recipe

CPU = torch.device("cpu")
SMALL = Extent(channels=1, image_size=32, classes=10, batch=32, evaluated=100)


@pytest.mark.parametrize(
    ("spec", "extent", "said"),
    [
        (BackboneSpec(name="conv4", embedding_dim=65_536), replace(SMALL, image_size=4096, batch=128), "in its layers"),
        (BackboneSpec(name="conv4"), replace(SMALL, image_size=1024, batch=2**20), "1,048,576 images"),
        (BackboneSpec(name="conv4"), replace(SMALL, classes=10**10), r"10,000,000,000 x 512 weights of the objective"),
        (BackboneSpec(name="conv6"), replace(SMALL, evaluated=10**11), r"100,000,000,000 x 512 embeddings"),
        (BackboneSpec(name="torchvision:resnet18"), replace(SMALL, image_size=4096, batch=1024), "in its layers"),
    ],
)
def test_what_cannot_fit_is_refused_with_its_numbers(spec: BackboneSpec, extent: Extent, said: str) -> None:
    with pytest.raises(SandboxError, match=said) as caught:
        check_run(replace(spec, head="linear"), resolve("arcface"), extent, CPU)
    assert re.search(r"takes [\d,.]+ GB of memory at the least, and [\d,.]+ [GM]B are left", str(caught.value))


def test_what_fits_is_not() -> None:
    check_run(BackboneSpec(name="conv6", head="linear"), resolve("arcface"), SMALL, CPU)


@pytest.mark.parametrize(
    "loss",
    [
        "cross_batch_memory(triplet, memory_size=1000000000000)",
        "sub_center_arcface(sub_centers=1000000000000)",
        "soft_triple(centers_per_class=1000000000000)",
    ],
)
def test_what_an_objective_owns_is_counted_before_its_rehearsal(loss: str) -> None:
    with pytest.raises(SandboxError, match=r"=1,000,000,000,000\) takes .* GB"):
        check(Recipe(loss=loss))
    check_objective(resolve(loss.replace("000000000000", "00")), classes=10, dim=512)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe(threads=4096), "threads is 4096, but lies between 0 and 1024"),
        (Recipe(batch=BatchSpec(size=10**9)), "batch.size is 1000000000, but lies between"),
        (Recipe(epochs=10**18), "epochs is 1000000000000000000, but"),
        (Recipe(data=DataSpec(root="a\udcff")), r"data.root is 'a\\xff', which is no text in UTF-8"),
    ],
)
def test_numbers_that_no_machine_has_room_for_are_refused(recipe: Recipe, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        prepare(recipe)


def test_images_are_counted_before_they_are_resized() -> None:
    many = np.broadcast_to(np.uint8(0), (10**9, 8, 8, 1))
    with pytest.raises(SandboxError, match="1,000,000,000 images of 4096 x 4096 pixels do not fit into memory"):
        resized(many, Form(4096, "grey"))
