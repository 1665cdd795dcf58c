"""Every name an objective can use: introspection of pytorch-metric-learning, what is our own, and notes on both."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from pytorch_metric_learning import distances, losses, miners, reducers, regularizers

import sandbox.objectives.distances as own_distances
import sandbox.objectives.losses as own_losses
import sandbox.objectives.miners as own_miners
from sandbox.called import called
from sandbox.errors import SandboxError, unknown
from sandbox.objectives.language import Tune
from sandbox.objectives.literature import ALIASES, CHOICES, LISTED, NOTES, WEIGHT_RANGE, Note
from sandbox.objectives.register import OWN

Slot = Literal["loss", "miner", "distance", "reducer", "regularizer"]
Tuples = Literal["mined", "weights", "none"]
Reads = Literal["labels", "two views", "embeddings"]


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED = _Required()
SIZES = {"num_classes": "classes", "embedding_size": "dim", "descriptors_dim": "dim", "l": "dim"}
_SLOT_OF: dict[str, Slot] = {
    "loss": "loss",
    "miner": "miner",
    "distance": "distance",
    "reducer": "reducer",
    "default_reducer": "reducer",
    "embedding_regularizer": "regularizer",
    "weight_regularizer": "regularizer",
}
_HIDDEN = {"collect_stats", "weight_init_func", "aggregation_func", "iter_fn", "args", "kwargs", "self", "is_inverted"}
_WHOLE = re.compile(r"^(num_|n_bins|K$)|_size$|_per_|^sub_centers$")
WHOLES = ("k", "dims")
WRAPPERS = ("matryoshka",)
"""Losses that hold one of any kind, and are in all else what they hold."""
_SOURCES: dict[Slot, tuple[Any, str]] = {
    "loss": (losses, "Loss"),
    "miner": (miners, "Miner"),
    "distance": (distances, "Distance"),
    "reducer": (reducers, "Reducer"),
    "regularizer": (regularizers, "Regularizer"),
}
_OWN = {"loss": own_losses, "miner": own_miners, "distance": own_distances}


@dataclass(frozen=True)
class Parameter:
    """One argument of a name: its default, what it takes, and the range worth searching."""

    name: str
    default: Any
    kind: str
    tune: Tune | None = None


@dataclass(frozen=True)
class Entry:
    """A name of the catalogue: what it makes, its parameters, its source and what it takes."""

    name: str
    slot: Slot
    make: type
    parameters: dict[str, Parameter]
    sizes: tuple[str, ...]
    note: Note
    tuples: Tuples = "none"
    reads: Reads = "labels"
    aliases: tuple[str, ...] = field(default=())

    @property
    def weight_tune(self) -> Tune:
        """Range worth searching for the weight of this term."""
        return self.note.weight or WEIGHT_RANGE

    @property
    def own(self) -> bool:
        """Whether the code is this project's, not pytorch-metric-learning's."""
        return self.make.__module__.startswith("sandbox.")


@cache
def catalog(slot: Slot) -> dict[str, Entry]:
    """Every entry of a slot by its canonical name, sorted."""
    found: dict[str, type] = {}
    module, suffix = _SOURCES[slot]
    for name, kind in vars(module).items():
        if inspect.isclass(kind) and not name.startswith("Base") and not name.endswith("Mixin"):
            stem = name.removesuffix(suffix).removesuffix(_plural(suffix))
            found[snake_case(stem, slot)] = kind
    notes = dict(NOTES[slot])
    if slot in _OWN:
        for found_module in pkgutil.iter_modules(_OWN[slot].__path__):
            importlib.import_module(f"{_OWN[slot].__name__}.{found_module.name}")
        for name, (kind, note) in OWN[slot].items():
            found[name], notes[name] = kind, note
    return {name: _entry(name, slot, found[name], notes.get(name, Note(""))) for name in sorted(found)}


def look_up(name: str, slot: Slot) -> tuple[Entry, dict[str, Any]]:
    """The entry behind a name or an alias, with what the alias sets.

    Raises:
        SandboxError: no such name in this slot; the nearest is suggested.
    """
    entries = catalog(slot)
    if name in entries:
        return entries[name], {}
    if name in ALIASES[slot]:
        target, preset = ALIASES[slot][name]
        return entries[target], preset
    for other in _SOURCES:
        if other != slot and (name in catalog(other) or name in ALIASES[other]):
            raise SandboxError(f"'{name}' is a {other}, but stands where a {slot} is expected")
    hint = f"{called('run')} --list {LISTED[slot]}"
    raise unknown(slot, name, [*entries, *ALIASES[slot]], hint)


def _plural(word: str) -> str:
    return word + ("es" if word.endswith("s") else "s")


def snake_case(name: str, slot: Slot) -> str:
    """`NTXent` -> `nt_xent`; losses that end in Face keep the field's one word (`arcface`)."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    return words.replace("_face", "face") if slot == "loss" else words


def _entry(name: str, slot: Slot, kind: type, note: Note) -> Entry:
    defaults = _defaults(kind)
    sizes = tuple(key for key, value in defaults.items() if key in SIZES and value is REQUIRED)
    parameters: dict[str, Parameter] = {}
    tuples = _tuples(kind) if slot == "loss" else "none"
    for key, default in defaults.items():
        if key in _HIDDEN or key in sizes:
            continue
        if default is REQUIRED and key in note.defaults:
            default = note.defaults[key]
        parameters[key] = Parameter(key, default, _kind(key, default), note.tune.get(key))
    if tuples != "none" and "miner" not in parameters:
        parameters["miner"] = Parameter("miner", None, "miner")
    aliases = tuple(alias for alias, (target, _) in ALIASES[slot].items() if target == name)
    reads = _reads(kind) if slot == "loss" else "labels"
    return Entry(name, slot, kind, parameters, sizes, note, tuples, reads, aliases)


def _kind(name: str, default: Any) -> str:
    """What a parameter takes, read off its name and its default."""
    if name in _SLOT_OF:
        return _SLOT_OF[name]
    if name in CHOICES:
        return "choice"
    if name == "reducers":
        return "reducers"
    if name == "triplets_per_anchor":
        return "whole or 'all'"
    if name in WHOLES:
        return "wholes"
    if isinstance(default, bool):
        return "truth"
    if isinstance(default, str):
        return "text"
    if name.endswith("_range") or name == "weights":
        return "numbers"
    return "whole" if _WHOLE.search(name) else "number"


def _defaults(kind: type) -> dict[str, Any]:
    """Constructor arguments over the inheritance chain, less those that a subclass fixes for its parent."""
    found: dict[str, Any] = {}
    fixed: set[str] = set()
    for owner in kind.__mro__:
        constructor = vars(owner).get("__init__")
        if constructor is None or owner.__module__.startswith(("torch", "builtins")):
            continue
        arguments = inspect.signature(constructor).parameters.values()
        for argument in arguments:
            named = argument.kind in (argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY)
            if named and argument.name != "self" and argument.name not in found and argument.name not in fixed:
                found[argument.name] = REQUIRED if argument.default is argument.empty else argument.default
        if not any(argument.kind is argument.VAR_KEYWORD for argument in arguments):
            break
        fixed |= _passed_up(constructor) - SIZES.keys()  # those come from the data, whoever passes them on
    return found


def _passed_up(constructor: Any) -> set[str]:
    """Keywords that a constructor names itself when it calls its parent's."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(constructor)))
    return {
        str(keyword.arg)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "__init__"
        for keyword in call.keywords
        if keyword.arg
    }


def _source(kind: type) -> str:
    """The text of a loss and of the losses it derives from."""
    owners = (o for o in kind.__mro__ if o.__module__.startswith(("pytorch_metric_learning.losses", "sandbox.")))
    return "".join(inspect.getsource(owner) for owner in owners)


def _tuples(kind: type) -> Tuples:
    """Whether a loss uses mined tuples, turns them into sample weights, or takes none: read off its source."""
    if hasattr(kind, "tuples"):
        return kind.tuples
    source = _source(kind)
    if "indices_tuple_not_supported" in source or "labels_not_supported" in source:
        return "none"
    if re.search(r"convert_to_(pairs|triplets|pos_pairs)", source):
        return "mined"
    return "weights" if "convert_to_weights" in source else "none"


def _reads(kind: type) -> Reads:
    """What a loss is given beside the embeddings: labels, a second view of each image, or nothing."""
    source = _source(kind)
    if "labels_not_supported" not in source:
        return "labels"
    return "embeddings" if "ref_not_supported" in source else "two views"
