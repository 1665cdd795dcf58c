from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from sandbox.data.augment import Augment
from sandbox.recipe.specs import AugmentSpec

NOTHING = AugmentSpec(rotate=0, scale=0, shear=0, translate=0)
BEFORE = AugmentSpec(contrast=0.5, erase=0.5)
EVERYTHING = replace(BEFORE, elastic=0.1, stroke=0.05, erase_fill="noise")


def images(n: int = 16, channels: int = 1, size: int = 20) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (n, channels, size, size), generator=draw, dtype=torch.uint8)


def test_no_augmentation_is_the_identity() -> None:
    x = images()
    assert torch.equal(Augment(NOTHING, False, 0)(x, 3), x.float() / 255)


@pytest.mark.parametrize("channels", [1, 3])
def test_shape_type_and_range_are_kept(channels: int) -> None:
    x = images(channels=channels)
    before = x.clone()
    for step in range(5):
        out = Augment(EVERYTHING, True, 0)(x, step)
        assert out.shape == x.shape
        assert out.dtype == torch.float32
        assert float(out.min()) >= 0
        assert float(out.max()) <= 1
    assert torch.equal(x, before)


def test_an_augmented_batch_depends_on_seed_and_step_alone() -> None:
    x = images()
    once = Augment(EVERYTHING, True, 4)(x, 7)
    torch.manual_seed(99)
    assert torch.equal(Augment(EVERYTHING, True, 4)(x, 7), once)
    assert not torch.equal(Augment(EVERYTHING, True, 4)(x, 8), once)
    assert not torch.equal(Augment(EVERYTHING, True, 5)(x, 7), once)


def test_torchs_own_generator_is_left_alone() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    Augment(EVERYTHING, True, 0)(images(), 0)
    assert torch.equal(torch.get_rng_state(), state)


def test_mirroring_turns_about_half_of_the_images_left_to_right_and_no_more() -> None:
    x = images(400, size=9)
    out = Augment(NOTHING, True, 0)(x, 0)
    plain = x.float() / 255
    same = (out - plain).abs().amax((1, 2, 3)) < 1e-4
    mirrored = (out - plain.flip(3)).abs().amax((1, 2, 3)) < 1e-4
    assert (same ^ mirrored).all()
    assert 150 < int(mirrored.sum()) < 250


def test_images_of_one_batch_are_changed_differently() -> None:
    x = images(1).expand(8, -1, -1, -1)
    for spec in (AugmentSpec(), AugmentSpec(rotate=0, scale=0, shear=0, translate=0, contrast=0.5)):
        assert len({row.numpy().tobytes() for row in Augment(spec, False, 0)(x, 0)}) == 8


@pytest.mark.parametrize(
    ("spec", "largest"),
    [
        (AugmentSpec(rotate=0, scale=0, shear=0, translate=0.1), 0.1),
        (AugmentSpec(rotate=0, scale=0, shear=0, translate=0.3), 0.3),
    ],
)
def test_a_shift_is_at_most_its_share_of_the_side(spec: AugmentSpec, largest: float) -> None:
    x = torch.zeros(200, 1, 41, 41, dtype=torch.uint8)
    x[:, :, 20, 20] = 255
    out = Augment(spec, False, 0)(x, 0)
    place = torch.arange(41) - 20.0
    shifts = torch.stack([(out.sum((1, 2)) * place).sum(1), (out.sum((1, 3)) * place).sum(1)]) / out.sum((1, 2, 3))
    assert shifts.abs().max() <= largest * 41 + 1e-3
    assert shifts.abs().max() > 0.8 * largest * 41
    assert abs(float(shifts.mean())) < 0.2 * largest * 41


def test_a_rotation_is_at_most_its_degrees_either_way() -> None:
    x = torch.zeros(200, 1, 41, 41, dtype=torch.uint8)
    x[:, :, 20, 36] = 255  # right of the middle
    out = Augment(AugmentSpec(rotate=30, scale=0, shear=0, translate=0), False, 0)(x, 0)
    place = torch.arange(41) - 20.0
    right, down = ((out.sum((1, axis)) * place).sum(1) for axis in (2, 3))
    degrees = torch.atan2(down, right).rad2deg()
    assert 25 < degrees.max() < 31
    assert -31 < degrees.min() < -25


def test_contrast_is_a_gain_and_a_shift_within_its_bounds() -> None:
    x = torch.full((300, 1, 8, 8), 102, dtype=torch.uint8)  # 0.4
    out = Augment(AugmentSpec(rotate=0, scale=0, shear=0, translate=0, contrast=0.2), False, 0)(x, 0)[:, 0, 0, 0]
    assert 0.4 * 0.8 - 0.1 <= float(out.min()) < 0.32
    assert 0.48 < float(out.max()) <= 0.4 * 1.2 + 0.1


def test_erasing_blanks_one_rectangle_of_at_most_a_quarter_in_its_share_of_the_images() -> None:
    x = torch.zeros(400, 1, 32, 32, dtype=torch.uint8)
    spec = AugmentSpec(rotate=0, scale=0, shear=0, translate=0, erase=0.5)
    holes = Augment(spec, False, 0)(x, 0)[:, 0] == 0.5
    hit = holes.any(2).any(1)
    assert 160 < int(hit.sum()) < 240
    rows, columns = holes.any(2), holes.any(1)
    assert torch.equal(holes, rows[:, :, None] & columns[:, None, :])
    assert float(holes.float().mean((1, 2)).max()) <= 0.27
    jumps = F.pad(rows.float(), (1, 1)).diff(dim=1).abs().sum(1)
    assert set(jumps.tolist()) <= {0.0, 2.0}


@pytest.mark.parametrize(
    ("spec", "mirror", "row", "column"),
    [
        (AugmentSpec(), False, [0.542304, 0.633275, 0.849364, 0.362428], [0.630303, 0.372063, 0.805989, 0.546035]),
        (BEFORE, True, [0.924223, 0.319601, 0.313684, 0.232041], [0.852913, 0.581855, 0.49248, 0.811314]),
    ],
    ids=["default", "all that there was"],
)
def test_a_batch_is_what_it_was_before_there_were_more_changes(
    spec: AugmentSpec, mirror: bool, row: list[float], column: list[float]
) -> None:
    out = Augment(spec, mirror, 4)(images(), 7)
    assert out[3, 0, 10, 5:9].tolist() == pytest.approx(row, abs=2e-6)
    assert out[12, 0, 3:7, 15].tolist() == pytest.approx(column, abs=2e-6)


def test_a_change_that_is_put_beside_others_leaves_their_draws_alone() -> None:
    x = images(64, size=24)
    plain = Augment(BEFORE, True, 3)(x, 5)
    for more in ({"elastic": 1e-7}, {"stroke": 1e-7}):
        assert torch.allclose(Augment(replace(BEFORE, **more), True, 3)(x, 5), plain, atol=1e-4)
    for fill in ("noise", "mixed"):
        other = Augment(replace(BEFORE, erase_fill=fill), True, 3)(x, 5)
        hole = plain == 0.5
        assert torch.equal(other[~hole], plain[~hole]) and not torch.equal(other, plain)


@pytest.mark.thorough  # the first use of torch's device without memory imports for seconds
def test_images_on_another_device_are_changed_there() -> None:
    for fill in ("grey", "noise", "mixed"):
        out = Augment(replace(EVERYTHING, erase_fill=fill), True, 0)(images().to("meta"), 0)
        assert out.device.type == "meta" and out.shape == (16, 1, 20, 20)


def test_only_what_gives_an_image_a_part_of_another_mixes() -> None:
    for spec, mixes in ((BEFORE, False), (replace(BEFORE, erase_fill="mixed"), True), (EVERYTHING, False)):
        assert Augment(spec, True, 0).mixes is mixes
    assert not Augment(AugmentSpec(erase_fill="mixed"), True, 0).mixes
