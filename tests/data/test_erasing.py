"""What a rectangle of an image is filled with."""

from __future__ import annotations

import pytest
import torch

from sandbox.data.erasing import Fill, erase


def erased(x: torch.Tensor, fill: Fill, probability: float = 0.5) -> tuple[torch.Tensor, torch.Tensor]:
    """What comes out, and which pixels (N, H, W) are in a rectangle."""
    draws = [torch.Generator().manual_seed(seed) for seed in (0, 1, 0, 1)]
    hole = erase(torch.zeros_like(x), probability, "grey", *draws[:2])[:, 0] == 0.5
    return erase(x, probability, fill, *draws[2:]), hole


@pytest.mark.parametrize("channels", [1, 3])
def test_noise_is_another_value_for_each_pixel_and_channel(channels: int) -> None:
    x = torch.full((200, channels, 16, 16), 2.0)
    out, hole = erased(x, "noise")
    assert torch.equal((out == 2).all(1), ~hole) and torch.equal((out == 2).any(1), ~hole)
    noise = out.permute(0, 2, 3, 1)[hole]
    assert 0 <= float(noise.min()) < 0.01 and 0.99 < float(noise.max()) < 1
    assert abs(float(noise.mean()) - 0.5) < 0.01 and len(noise.unique()) > 0.99 * noise.numel()


def test_mixed_is_the_same_place_of_one_other_image() -> None:
    x = torch.arange(64.0).view(-1, 1, 1, 1) * 1000 + torch.arange(256.0).view(1, 1, 16, 16)
    before = x.clone()
    out, hole = erased(x, "mixed")
    assert torch.equal(x, before) and torch.equal(out[:, 0][~hole], x[:, 0][~hole])
    partners = []
    for image in hole.any(2).any(1).nonzero()[:, 0].tolist():
        source, place = (out[image, 0] / 1000).floor()[hole[image]], (out[image, 0] % 1000)[hole[image]]
        assert torch.equal(place, (x[image, 0] % 1000)[hole[image]])
        assert len(source.unique()) == 1 and source[0] != image
        partners.append(int(source[0]))
    assert 25 < len(partners) and len(set(partners)) > len(partners) / 2


def test_an_image_that_is_alone_is_mixed_with_nothing() -> None:
    x = torch.rand(1, 3, 8, 8)
    assert torch.equal(erased(x, "mixed", 1.0)[0], x)


@pytest.mark.parametrize("fill", ["grey", "noise", "mixed"])
def test_where_nothing_is_hit_nothing_changes(fill: Fill) -> None:
    x = torch.rand(8, 1, 8, 8)
    assert torch.equal(erased(x, fill, 0.0)[0], x)
