"""A trained network as the folder that a model hub expects: weights, config.json and a card; and such a folder read.

model.safetensors   config.json   README.md (`sandbox.inference.hub_card`)
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.backbones.views import Views
from sandbox.called import called
from sandbox.errors import SandboxError
from sandbox.files import read_json, write_whole
from sandbox.inference.hub_card import card
from sandbox.inference.rebuilt import rebuild, taken
from sandbox.inference.trained import Trained, network_digest, placed
from sandbox.recipe.specs import BackboneSpec
from sandbox.runs.folder import RunFolder
from sandbox.wording import first_names, shown

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
_KIND, _VERSION = "metric-learning-sandbox", "1"
_PRECISIONS = ("auto", "float32", "bf16")


def is_hub(path: Path) -> bool:
    """Whether a folder is one of a hub, and no run's."""
    return os.path.isfile(path / CONFIG) and not os.path.isfile(path / "run.json")


def write_hub(folder: RunFolder, trained: Trained, place: Path, pixels: np.ndarray, licence: str) -> None:
    """Write the folder, and read it again: its embeddings are those of the run to the last bit.

    Args:
        folder: of the run.
        trained: its network.
        place: the folder to write; new, empty, or written so before.
        pixels: images, or rows, that both embed.
        licence: an identifier of the hub, such as ``mit``.

    Raises:
        SandboxError: the place holds something else or cannot be written, or an embedding differs.
    """
    if place.exists() and not place.is_dir():
        raise SandboxError(f"{place} is a file, but --hub names a folder")
    others = sorted({entry.name for entry in place.iterdir()} - {CONFIG, WEIGHTS, CARD}) if place.is_dir() else []
    if others:
        raise SandboxError(f"{place} holds {first_names(others, 3)} already; --hub takes a folder that is new or empty")
    content = (folder.path / WEIGHTS).read_bytes()
    write_whole(place / WEIGHTS, content, make_folder=True)
    write_whole(place / CONFIG, json.dumps(_config(folder, trained), indent=1) + "\n")
    write_whole(place / CARD, card(folder, trained, licence))
    again = load_hub(place)
    wanted, found = trained.embed(pixels), again.embed(pixels)
    if again.digest != trained.digest or not np.array_equal(wanted, found):
        raise SandboxError(f"{place} gives other embeddings than the run, by {np.abs(wanted - found).max():.2g}")


def _config(folder: RunFolder, trained: Trained) -> dict[str, Any]:
    recipe = folder.recipe()
    backbone = dataclasses.asdict(recipe.backbone)
    known = folder.facts_of_finished()["input"]
    return {
        "model_type": _KIND,
        "format_version": _VERSION,
        "name": trained.name,
        "digest": trained.digest,
        "backbone": {key: backbone[key] for key in ("name", "embedding_dim", "stem")}
        | {"pretrained": backbone["weights"] == "pretrained"},
        "input": known,
        "resize": trained.resize,
        "flip": trained.flip,
        "views": trained.views.count,
        "view_strength": trained.views.strength,
        "precision": recipe.precision,
        "device": recipe.device,
    }


def load_hub(path: Path) -> Trained:
    """The network of such a folder.

    Raises:
        SandboxError: it is of another project, damaged, or its weights are not those that it names.
    """
    file = path / CONFIG
    held = read_json(file)
    if not isinstance(held, dict) or held.get("model_type") != _KIND:
        kind = held.get("model_type") if isinstance(held, dict) else None
        said = f"is of a {shown(str(kind))} model" if kind else "names no model_type"
        raise SandboxError(f"{file} {said}, but networks of this project come from {called('export')} --hub")
    if held.get("format_version") != _VERSION:
        raise SandboxError(f"{file} is of another format version than {_VERSION}, which this code reads")
    takes, views, spec = taken(held.get("input")), _views(held), _spec(held.get("backbone"))
    plain = {"name": str, "resize": int, "flip": bool, "device": str}
    wrong = [key for key, kind in plain.items() if type(held.get(key)) is not kind]
    wrong += [key for key, value in (("input", takes), ("views", views), ("backbone", spec)) if value is None]
    wrong += [] if held.get("precision") in _PRECISIONS else ["precision"]
    if wrong or not 0 <= held["resize"] <= 8192:
        raise SandboxError(f"{file} is damaged: its {(wrong or ['resize'])[0]} is missing or cannot be")
    assert takes is not None and views is not None and spec is not None
    weights, _ = RunFolder(path).read_tensors(WEIGHTS)
    digest = network_digest(weights, takes.image_size, held["resize"], held["flip"], takes.bits, views)
    if digest != held.get("digest"):
        raise SandboxError(
            f"{path} is damaged: its weights and {CONFIG} are {digest}, not {shown(str(held.get('digest')))}"
        )
    network = rebuild(spec, takes, weights, path / WEIGHTS)
    return Trained(
        name=held["name"],
        digest=digest,
        resize=held["resize"],
        flip=held["flip"],
        views=views,
        **placed(network, takes, held["device"], held["precision"]),
    )


def _spec(held: Any) -> BackboneSpec | None:
    match held:
        case {"name": str(name), "embedding_dim": int(dim), "stem": str(stem), "pretrained": bool(pretrained)}:
            if 0 < dim <= 65536 and stem in ("auto", "standard", "small"):
                weights = "pretrained" if pretrained else ""
                return BackboneSpec(name=name, embedding_dim=dim, stem=stem, weights=weights)  # type: ignore[arg-type]
    return None


def _views(held: dict[str, Any]) -> Views | None:
    count, strength = held.get("views"), held.get("view_strength")
    if type(count) is int and 1 <= count <= 64 and type(strength) in (int, float) and 0 < float(strength) <= 5:  # type: ignore[arg-type]
        return Views(count, float(strength))  # type: ignore[arg-type]
    return None
