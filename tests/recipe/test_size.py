"""Sizes of images: numbers, height x width, and their one spelling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.cli import flags
from sandbox.errors import SandboxError
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.size import sides, size_of
from sandbox.recipe.specs import DataSpec, Recipe, digest
from sandbox.recipe.text import from_toml, to_flags, to_toml


def of_flags(*words: str) -> Recipe:
    return flags.parse(Recipe, words, prog="run.py", description="")


@pytest.mark.parametrize("given", ["256x128", "256X128", " 256 x 128 ", "256\u00d7128"])
def test_height_comes_first_and_is_spelt_in_one_way(given: str) -> None:
    recipe = of_flags("--data.image_size", given)
    assert recipe.data.image_size == "256x128" and sides("256x128") == (256, 128)
    assert recipe == Recipe(data=DataSpec(image_size=given)) == from_toml(f'[data]\nimage_size = "{given}"')
    assert digest(recipe) == digest(from_toml(to_toml(recipe))) != digest(Recipe(data=DataSpec(image_size="128x256")))
    assert to_flags(recipe) == ["--data.image_size", "256x128"]


def test_a_square_is_a_number_however_it_is_written() -> None:
    plain = Recipe(data=DataSpec(image_size=64))
    assert digest(plain) == "a6ce0e2e9bdb" and digest(Recipe()) == "cd2dbe962748"  # as before there were others
    for given in ("64", "64x64"):
        assert of_flags("--data.image_size", given) == plain == from_toml(f'[data]\nimage_size = "{given}"')
    assert "image_size = 64\n" in to_toml(plain) and size_of(64, 64) == 64
    assert of_flags("--data.image_size", "None").data.image_size is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("wide", "data.image_size is 'wide', but is a number of pixels, or height x width as in 256x128"),
        ("256x", "data.image_size is '256x', but is a number of pixels, or height x width"),
        ("256x128x3", "is '256x128x3', but is a number of pixels"),
        ("-8x8", "is '-8x8', but is a number of pixels"),
        ("0x8", "lies between 4 and 4096|is '0x8', but is a number"),
        ("256x2", "data.image_size is 256x2, but lies between 4 and 4096"),
        ("9000x128", "data.image_size is 9000x128, but lies between 4 and 4096"),
        (3, "data.image_size is 3, but lies between 4 and 4096"),
        ("", "data.image_size is '', but is a number of pixels"),
    ],
)
def test_what_is_no_size_is_refused_in_a_sentence(given: str | int, said: str) -> None:
    with pytest.raises(SandboxError, match=said) as refused:
        check_ranges(Recipe(data=DataSpec(image_size=given)))
    assert "\n" not in str(refused.value)


def test_what_is_cut_out_fits_into_what_it_is_cut_out_of() -> None:
    data = DataSpec(image_size="256x128", resize=256)
    check_ranges(Recipe(data=data))
    with pytest.raises(SandboxError, match=r"data\.resize is 200, but is at least data\.image_size \(256\)"):
        check_ranges(Recipe(data=replace(data, resize=200)))
