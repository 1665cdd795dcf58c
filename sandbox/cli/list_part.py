"""A loss, a miner, a distance, a reducer or a regularizer whole, as --list prints it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.cli.help import width
from sandbox.cli.list_entry import code_of, said
from sandbox.cli.listing import heading, hung
from sandbox.objectives.catalog import REQUIRED, Entry, Parameter, Slot, look_up
from sandbox.objectives.literature import ALIASES, CHOICES, LISTED

_TUPLES = {
    "mined": "pairs or triplets of the batch: takes a miner",
    "weights": "the batch; what a miner finds (miner= inside it only) becomes the weight of each image",
    "none": "the batch; takes no miner",
}
_READS = {"two views": "pairs of images of one class, in place of labels", "embeddings": "embeddings alone, no labels"}


def part(what: str, name: str, *, tried: bool = True) -> str:
    """All that is known of it.

    Args:
        what: the list that it stands in, such as ``losses``.
        name: canonical, or a short one.
        tried: of a loss also what goes with it, which is found by trying and takes seconds.

    Raises:
        SandboxError: nothing in that list is called so; the nearest is named.
    """
    slots: dict[str, Any] = {listed: slot for slot, listed in LISTED.items()}
    slot: Slot = slots[what]
    found, preset = look_up(name, slot)
    return "\n".join(
        [*heading(found.name), *_known(found, name, preset), *(_tried(found) if tried else ()), *_written(found)]
    )


def _known(found: Entry, name: str, preset: dict[str, Any]) -> Iterable[str]:
    yield said("what", found.note.line or "nothing is noted of it")
    if found.note.refused:
        yield said("refused", found.note.refused)
    if found.note.citation:
        yield said("paper", found.note.citation)
    if preset:
        values = ", ".join(f"{key}={value!r}" for key, value in preset.items())
        yield said("here", f"{name} is {found.name}({values})")
    others = [_spelt(alias, found) for alias in found.aliases if alias != name or not preset]
    if others:
        yield said("also", ", ".join(others))
    if found.slot == "loss":
        if "num_classes" in found.sizes:
            yield said("owns", "something for each class: weights, proxies or centres")
        yield said("compares", _TUPLES[found.tuples])
        if found.reads in _READS:
            yield said("reads", _READS[found.reads])
        if found.note.alone:
            yield said("alone", found.note.alone)
        yield said("weight", f"a bare tune() searches {_range(found.weight_tune)}")


def _tried(found: Entry) -> Iterable[str]:
    """What goes with a loss."""
    if found.slot == "loss":
        from sandbox.cli.list_matrix import goes_with

        yield from goes_with(found)


def _written(found: Entry) -> Iterable[str]:
    """Where its code is, and what it takes."""
    equation = ", which begins with its equation" if found.own and found.slot == "loss" else ""
    yield said("code", code_of(found.make) + equation)
    yield from _parameters(list(found.parameters.values()))


def _spelt(alias: str, found: Entry) -> str:
    preset = ALIASES[found.slot][alias][1]
    values = ", ".join(f"{key}={value!r}" for key, value in preset.items())
    return f"{alias} ({found.name}({values}))" if preset else alias


def _range(tune: Any) -> str:
    return f"{tune.low:g} to {tune.high:g}" + (", log" if tune.log else "")


def _parameters(parameters: list[Parameter]) -> Iterable[str]:
    if not parameters:
        yield said("parameters", "none")
        return
    yield "parameters:"
    defaults = [
        "needed" if p.default is REQUIRED else "none" if p.default is None else str(p.default) for p in parameters
    ]
    first, second = (max(map(len, names)) for names in ([p.name for p in parameters], defaults))
    for parameter, default in zip(parameters, defaults, strict=True):
        head = f"  {parameter.name:<{first}}  {default:<{second}}  "
        parts = [_takes(parameter)] + ([f"a bare tune() searches {_range(parameter.tune)}"] if parameter.tune else [])
        text = "; ".join(filter(None, parts))
        yield hung(text, head, min(len(head), width() // 2)).rstrip() if text else head.rstrip()


def _takes(parameter: Parameter) -> str:
    for slot, listed in LISTED.items():
        if parameter.kind == slot:
            return f"--list {listed}"
    return {
        "whole": "whole number",
        "truth": "True or False",
        "whole or 'all'": "whole number, or all",
        "choice": "one of " + ", ".join(CHOICES.get(parameter.name, ())),
        "numbers": "list of numbers",
        "wholes": "list of whole numbers",
        "reducers": 'a reducer for each part of the loss, such as {"loss": mean}',
    }.get(parameter.kind, parameter.kind)
