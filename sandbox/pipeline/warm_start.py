"""What a run takes over from an earlier one: the network, and what losses own where the classes are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch

from sandbox.backbones.network import Network
from sandbox.backbones.weights import put_weights, refuse_misfit
from sandbox.errors import SandboxError
from sandbox.objectives.objective import Objective
from sandbox.runs.folder import RunFolder

_HEAD = "head."


def classes_digest(classes: Sequence[str]) -> str:
    """12 hex characters that say which classes are trained on, and in which order."""
    return hashlib.sha256("\0".join(classes).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def inherit(network: Network, objective: Objective, earlier: Path, classes: Sequence[str]) -> tuple[str, list[str]]:
    """Start from what an earlier run chose.

    The trunk, with the pixel statistics it was trained with, is taken over whole. The head is where its shape is the
    same. What a loss owns (class weights, centers) is where both runs train the same classes and have a loss of that
    name; else it starts anew.

    Returns:
        The earlier run's digest, and sentences on what was taken over and what is new.

    Raises:
        SandboxError: no finished run there, one of another network (what is missing or left over is listed), or weights
            that are not finite.
    """
    folder = RunFolder(earlier)
    recorded = folder.facts_of_finished()
    state, _ = folder.read_tensors("model.safetensors")
    wanted = network.state_dict()
    head, theirs = ({k: v.shape for k, v in held.items() if k.startswith(_HEAD)} for held in (wanted, state))
    same_head = head == theirs
    taken = {key: value for key, value in state.items() if same_head or not key.startswith(_HEAD)}
    refuse_misfit(
        f"the network of the run {earlier}",
        {key: value for key, value in wanted.items() if same_head or not key.startswith(_HEAD)},
        taken,
        earlier / "model.safetensors",
    )
    if network.head_frozen and head and not same_head:
        raise SandboxError(
            f"backbone.freeze_head keeps the head of the run {earlier.name}, but this recipe asks for another kind: "
            f"give its backbone.head and backbone.embedding_dim ({earlier / 'recipe.toml'})"
        )
    put_weights(network, {**wanted, **taken})
    notes = [f"starts from the run {earlier.name}" + ("" if same_head else ", with a new head")]
    kept = _inherit_objective(objective, folder, recorded.get("classes") == classes_digest(classes))
    owners = [name for name, term in zip(objective.names, objective.terms, strict=True) if term.state_dict()]
    if kept:
        notes.append(f"kept what {', '.join(kept)} learnt: the classes are the same")
    if new := [name for name in owners if name not in kept]:
        notes.append(f"new: what {', '.join(new)} {'owns' if len(new) == 1 else 'own'}")
    return str(recorded.get("digest", "")), notes


def _inherit_objective(objective: Objective, folder: RunFolder, same_classes: bool) -> list[str]:
    """Names of the terms that took over what their namesakes had learnt."""
    file = folder.path / "objective.safetensors"
    if not same_classes or not file.is_file():
        return []
    tensors, owners = folder.read_tensors(file.name)
    names = owners.get("names") if isinstance(owners, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SandboxError(f"{file} does not name the losses that its tensors belong to")
    places = {name: place for place, name in enumerate(names)}
    kept = []
    for name, term in zip(objective.names, objective.terms, strict=True):
        own = term.state_dict()
        prefix = f"terms.{places.get(name)}."
        theirs: dict[str, torch.Tensor] = {
            key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)
        }
        if own and {k: v.shape for k, v in own.items()} == {k: v.shape for k, v in theirs.items()}:
            refuse_misfit(f"what {name} learnt in the run {folder.path}", own, theirs, file)
            put_weights(term, theirs)
            kept.append(name)
    return kept


def check_earlier(earlier: str) -> Path:
    """The folder that --resume_from names.

    Raises:
        SandboxError: there is no run there.
    """
    path = Path(earlier).expanduser()
    if not (path / "run.json").is_file():
        raise SandboxError(f"--resume_from '{earlier}' is no run folder: there is no run.json in it")
    return path
