"""Losses, miners, distances, networks, data sets and metrics from outside the package.

A plug-in is a Python file that uses the decorators of this package (`own_loss`, `own_miner`, `own_distance`,
`own_backbone`, `own_metric`) or holds a `DataSet`. It is named by ``--plugin FILE.py``, by the variable
`VARIABLE`, or by an installed package's entry point of the group `GROUP`. What was loaded stands in a run's record with
its digest, since a figure means nothing without the code that made it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import reprlib
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from sandbox.errors import SandboxError
from sandbox.wording import reason

GROUP = "metric_sandbox.plugins"
VARIABLE = "METRIC_LEARNING_SANDBOX_PLUGINS"
_FLAG = "--plugin"


@dataclass(frozen=True)
class Plugin:
    """A plug-in that was loaded, and what it registered."""

    file: Path
    digest: str
    """12 hex characters of its text."""
    names: tuple[tuple[str, str], ...]
    """What it registered: kind (loss, miner, distance, network, data set, metric) and name."""

    def record(self) -> dict[str, str]:
        """What stands in run.json."""
        return {"file": str(self.file), "digest": self.digest}


_LOADED: dict[Path, Plugin] = {}


def loaded() -> tuple[Plugin, ...]:
    """Every plug-in of this process, in the order they were loaded."""
    return tuple(_LOADED.values())


def records() -> list[dict[str, str]]:
    """The same for run.json."""
    return [plugin.record() for plugin in loaded()]


def take(words: Sequence[str]) -> list[str]:
    """The words of a command without ``--plugin FILE``, which are loaded first, with what is installed.

    Raises:
        SandboxError: no file stands behind the flag, or one cannot be loaded.
    """
    rest, files = [], [file for file in os.environ.get(VARIABLE, "").split(os.pathsep) if file]
    pending = iter(words)
    for word in pending:
        flag, equals, value = word.partition("=")
        if flag != _FLAG:
            rest.append(word)
            continue
        file = value if equals else next(pending, "")
        if not file or file.startswith("--"):
            raise SandboxError(f"{_FLAG} takes a file, such as {_FLAG} my_losses.py")
        files.append(file)
    for file in files:
        load_plugin(file)
    load_installed()
    if files:  # processes that this one starts load them too
        os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys(str(Path(file).resolve()) for file in files))
    return rest


def load_asked() -> None:
    """In a process that another one of ours started: load what that one had."""
    take([])


def load_plugin(file: str | Path) -> Plugin:
    """Run a plug-in's file, once in a process.

    Raises:
        SandboxError: it is not there or no Python, it fails (its own line is shown), it registers nothing, or a name
            that is taken.
    """
    if not isinstance(file, str | Path):
        raise SandboxError(f"a plug-in is the path of a .py file, not {reprlib.repr(file)}")
    path = Path(file).expanduser().resolve()
    if path in _LOADED:
        return _LOADED[path]
    if path.suffix != ".py" or not path.is_file():
        why = "there is no such file" if path.suffix == ".py" else "it is no .py file"
        raise SandboxError(f"{_FLAG} {file}: {why}")
    digest = _digest(path)
    name = f"sandbox_plugin_{path.stem}_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)

    def run() -> ModuleType:
        sys.modules[name] = module  # dataclasses and pickles look their module up
        spec.loader.exec_module(module)  # type: ignore[union-attr]
        return module

    return _registered(path, run)


def load_installed() -> None:
    """Load the plug-ins of installed packages.

    Raises:
        SandboxError: one fails; its entry point is named.
    """
    for point in entry_points(group=GROUP):
        file = importlib.util.find_spec(point.module)
        if file is None or not file.origin:
            raise SandboxError(f"the entry point {point.name} of {GROUP} names {point.module}, which is not installed")
        if (path := Path(file.origin).resolve()) not in _LOADED:
            _registered(path, lambda: importlib.import_module(point.module))  # noqa: B023


def require(recorded: Iterable[Mapping[str, str]], what: str) -> None:
    """Refuse to go on with something that a plug-in made, without that very plug-in.

    Args:
        recorded: what its run.json says.
        what: what it is, such as ``the run results/runs/ID``.

    Raises:
        SandboxError: one is not loaded, or was changed since.
    """
    have = {plugin.digest: plugin for plugin in loaded()}
    for one in recorded:
        if one["digest"] in have:
            continue
        file = Path(one["file"])
        changed = next((plugin for plugin in have.values() if plugin.file.name == file.name), None)
        if changed is not None:
            raise SandboxError(
                f"{what} was made with a {file.name} of the digest {one['digest']}, but {changed.file} has "
                f"{changed.digest}: it was changed since"
            )
        raise SandboxError(f"{what} was made with the plug-in {file} (digest {one['digest']}): give {_FLAG} {file}")


def absent(recorded: Iterable[Mapping[str, str]]) -> list[str]:
    """The files of what a run's record says and this process has not loaded, or has changed since."""
    have = {plugin.digest for plugin in loaded()}
    return [one["file"] for one in recorded if one["digest"] not in have]


def _registered(path: Path, run: Any) -> Plugin:
    """What a plug-in adds to the registers; they are as before where it fails."""
    from sandbox.backbones import catalog as backbones
    from sandbox.data import catalog as data
    from sandbox.evaluation.register import OWN_METRICS
    from sandbox.objectives import catalog as objectives
    from sandbox.objectives.register import OWN

    taken = {slot: {*objectives.catalog(slot), *objectives.ALIASES[slot]} for slot in objectives.LISTED}  # type: ignore[arg-type]
    taken |= {"network": {*backbones.own_backbones()}, "data set": {*data.data_sets()}}
    registers: dict[str, dict[str, Any]] = {
        **OWN, "network": backbones.OWN, "data set": data.OUTSIDE, "metric": OWN_METRICS
    }  # fmt: skip
    before = {kind: dict(register) for kind, register in registers.items()}
    try:
        module = _run(path, run)
        for one in vars(module).values():
            if isinstance(one, data.DataSet):
                data.OUTSIDE[one.name] = one
        new = [(kind, name) for kind, register in registers.items() for name in register if name not in before[kind]]
        for kind, name in new:
            if name in taken.get(kind, ()):
                raise SandboxError(f"the plug-in {path} registers the {kind} '{name}', a name that is taken")
        if not new:
            raise SandboxError(f"the plug-in {path} registers nothing (sandbox/README.md, 'Add something of your own')")
    except BaseException:
        for kind, register in registers.items():
            register.clear()
            register.update(before[kind])
        raise
    for cached in (objectives.catalog, backbones.own_backbones, data.data_sets):
        cached.cache_clear()
    _LOADED[path] = Plugin(path, _digest(path), tuple(new))
    return _LOADED[path]


def _run(path: Path, run: Any) -> ModuleType:
    try:
        return run()
    except SandboxError as error:
        raise SandboxError(f"the plug-in {path} cannot be loaded: {error}") from None
    except SyntaxError as error:
        line = f"line {error.lineno}, '{(error.text or '').strip()}'"
        raise SandboxError(f"the plug-in {path} cannot be loaded: {line}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).resolve() == path]
        line = f"line {own[-1].lineno}, '{own[-1].line}'" if own else "outside its own lines"
        raise SandboxError(f"the plug-in {path} cannot be loaded: {line}: {reason(error)}") from None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
