"""What --list prints: every name with its parameters, ranges, one line and citation."""

from __future__ import annotations

from sandbox.data.datasets.dataset import DataSet
from sandbox.objectives.catalog import REQUIRED, Entry, Slot, catalog
from sandbox.recipe.specs import own_settings


def listing(what: str) -> str:
    """The catalogue of losses (with the slots inside them), miners, data or backbones, as text."""
    if what == "losses":
        parts = [_slot("loss", "losses")]
        inside: tuple[tuple[Slot, str], ...] = (
            ("distance", "distances"),
            ("reducer", "reducers"),
            ("regularizer", "regularizers"),
        )
        return "\n\n".join([*parts, *(_slot(slot, f"{title} (inside a loss)") for slot, title in inside)])
    if what == "miners":
        return _slot("miner", "miners")
    return _data() if what == "data" else _backbones()


def _slot(slot: Slot, title: str) -> str:
    return "\n".join([title, "=" * len(title), *(_entry(entry) for entry in catalog(slot).values())])


def _entry(entry: Entry) -> str:
    also = f"  (also {', '.join(entry.aliases)})" if entry.aliases else ""
    source = f"  [{entry.note.citation}]" if entry.note.citation else ""
    lines = [f"{entry.name}{also}", f"    {entry.note.line}{source}"]
    if entry.note.refused:
        return "\n".join([*lines, f"    refused: {entry.note.refused}"])
    hidden = {"embedding_regularizer", "embedding_reg_weight", "weight_reg_weight"}
    values = []
    for parameter in entry.parameters.values():
        if parameter.name in hidden:
            continue
        default = (
            "needed" if parameter.default is REQUIRED else "none" if parameter.default is None else parameter.default
        )
        values.append(f"{parameter.name}={default}" + (f" {parameter.tune}" if parameter.tune else ""))
    if values:
        lines.append("    " + ", ".join(values))
    if entry.slot == "loss":
        owns = "owns class weights" if "num_classes" in entry.sizes else ""
        tuples = {"mined": "takes a miner", "weights": "mined tuples become sample weights (miner= only)", "none": ""}
        traits = "; ".join(filter(None, (owns, tuples[entry.tuples], "" if entry.own is False else "written here")))
        lines.append(f"    {traits}") if traits else None
    return "\n".join(lines)


def _data() -> str:
    from sandbox.data.catalog import data_sets

    return "\n".join(["data sets", "=========", *(_data_set(one) for one in data_sets().values())])


def _data_set(one: DataSet) -> str:
    lines = [
        f"{one.name}{'  (needs --data.root)' if one.source == 'folder' else ''}",
        f"    {one.line}" + (f"  [{one.citation}]" if one.citation else ""),
    ]
    if one.image_size is not None:
        lines.append(f"    images of {one.image_size} pixels unless --data.image_size says otherwise")
    own = own_settings(one.settings)
    if own:
        lines.append(f"    settings of its own: {', '.join(f'--data.{name}' for name in own)}")
    return "\n".join(lines)


def _backbones() -> str:
    from sandbox.backbones.catalog import own_backbones
    from sandbox.backbones.libraries import timm_names, torchvision_names
    from sandbox.errors import SandboxError

    rows = [
        f"{name}\n    {own.line}" + (f"  [{own.citation}]" if own.citation else "")
        for name, own in own_backbones().items()
    ]
    rows.append("torchvision:NAME, where NAME is one of\n    " + ", ".join(torchvision_names()))
    try:
        rows.append(f"timm:NAME, where NAME is one of timm's {len(timm_names())} (timm.list_models() names them)")
    except SandboxError:
        rows.append("timm:NAME, once timm is installed (pip install timm)")
    return "\n".join(["backbones", "=========", *rows])
