"""A network whole, as --list prints it: what it is, what it takes, what it costs."""

from __future__ import annotations

from sandbox.cli.list_entry import code_of, said
from sandbox.cli.listing import heading


def backbone(name: str) -> str:
    """All that is known of a network.

    Args:
        name: one of ours, ``torchvision:NAME`` or ``timm:NAME``.

    Raises:
        SandboxError: no such network; the nearest is named.
    """
    from sandbox.backbones.catalog import own_backbones
    from sandbox.backbones.cost import multiply_adds, outline, own_side
    from sandbox.backbones.families import family_of

    own, family, side = own_backbones().get(name), family_of(name), own_side(name)
    network = outline(name, side)
    rows = heading(name)
    if own:
        rows.append(said("what", own.line))
        rows += [said("paper", own.citation)] if own.citation else []
        rows.append(said("images", f"of {own.least} pixels and more"))
        rows.append(said("code", code_of(own.make)))
    else:
        kind = f", {family.name}: {family.line}" if family else ""
        rows.append(said("what", f"a network of {name.partition(':')[0]} without its classifier{kind}"))
        rows += [said("paper", family.citation)] if family else []
        rows += [said("images", _sides(name)), said("weights", _weights(name))]
    count = sum(weights.numel() for weights in network.parameters())
    rows.append(said("parameters", f"{count:,} at {side} pixels and 3 channels, without the head"))
    rows.append(said("cost", f"{multiply_adds(network, side):,} multiply-adds for such an image"))
    rows.append(said("features", f"{network.features:,}, which the head makes --backbone.embedding_dim of"))
    return "\n".join([*rows, said("speed", _speed(name, side))])


def _sides(name: str) -> str:
    from sandbox.backbones.cost import least_side

    standard, small = least_side(name, "standard"), least_side(name, "small")
    if standard is None:
        return "of a side of its own"
    if small is None or small == standard:
        return f"of {standard} pixels and more"
    return f"of {standard} pixels and more, or of {small} with --backbone.stem small"


def _weights(name: str) -> str:
    from sandbox.backbones.pixel_form import pixel_form

    form = pixel_form(name)
    if form is None:
        return "drawn; none are published"
    cut = f" cut out of {form.resize}" if form.resize else ""
    return (
        "drawn, or published ones by --backbone.weights pretrained, made for images of "
        f"{form.image_size} pixels{cut} ({form.interpolation}; {form.statistics})"
    )


def _speed(name: str, side: int) -> str:
    import torch

    from sandbox.backbones.cost import images_per_second
    from sandbox.training.device import choose_device

    device = choose_device("auto")
    speed = images_per_second(name, side, device)
    if speed is None:
        return "not tried: it is too large for a short try"
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    return f"about {speed:,.3g} images a second here ({device}{threads}), forward alone, in a try of half a second"
