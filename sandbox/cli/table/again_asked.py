"""Which runs a run.py command in the head of a table makes, by run.py's own reading of its flags."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.called import RECIPES
from sandbox.cli import flags
from sandbox.cli.sweep.asked import asked as swept
from sandbox.data.catalog import data_kinds
from sandbox.errors import SandboxError
from sandbox.recipe.moved import moved
from sandbox.recipe.specs import Recipe, digest
from sandbox.recipe.text import load_staged
from sandbox.reporting.again.lines import Line, lacks, spelt, stands_for
from sandbox.reporting.again.standing import Wanted
from sandbox.runs.plugins import take


@dataclass(frozen=True)
class Asked:
    """A command, and the runs that it makes."""

    line: Line
    wanted: tuple[Wanted, ...] = ()
    why: str = ""
    """Why they cannot be told, or not be made here."""


def asked(line: Line) -> Asked:
    """The runs of a line of run.py; with a reason where they cannot be told, as for PATH, which is no folder."""
    if line.program != "run":
        return Asked(line, why=f"is no line of run.py: {line.program}.py makes no runs of a table")
    if names := stands_for(line):
        return Asked(line, why=f"needs {', '.join(names)} (--set {names[0]}=...)")
    missing = lacks(line)
    try:
        wanted = _wanted(line)
    except SandboxError as error:
        return Asked(line, why=f"cannot be read: {error}")
    return Asked(line, wanted, f"needs {', '.join(missing)}, which is not here" if missing else "")


def _wanted(line: Line) -> tuple[Wanted, ...]:
    from sandbox.cli.commands import run

    words = take(line.words)
    if "sweep" in flags.given(words):
        lines = [_line([*each.words]) for each in swept(words)]
        return tuple(one for each in lines for one in _wanted(each))
    if flags.value(words, "--resume"):
        raise SandboxError("--resume goes on with a run, and does not say which recipe it has")
    named = flags.value(words, "--recipe")
    base, stages = load_staged(named, RECIPES, data_kinds()) if named else (Recipe(), ())
    base, stages, _ = moved(base, stages, flags.value(words, "--data.name"), data_kinds())
    if study := flags.value(words, "--from"):
        base, _ = run.from_study(study)
    command = run.read(words, base)
    chosen = run.choose_stages(command.stage, stages)
    recipes = [run.read(words, stage.over(base)).settings for stage in chosen] or [command.settings]
    made = [(line, recipes)]
    if against := getattr(command, "against", ""):
        alone = flags.without(words, ("--against",))
        other = run.rival(command.settings, against)
        rest = [*flags.without(alone, ("--loss", "--miner")), "--loss", against, "--miner", other.miner]
        made = [(_line(alone), recipes), (_line(rest), [other])]
    seeds = range(command.settings.seed, command.settings.seed + command.seeds)
    return tuple(Wanted(one, seed, digests) for one, of in made for digests in [_digests(of)] for seed in seeds)


def _line(words: list[str]) -> Line:
    """One of the recipes of a line with --against or --sweep, as a line of its own."""
    return Line(spelt("run", words), "run", tuple(words))


def _digests(recipes: list[Recipe]) -> tuple[str, ...]:
    """The digests that runs of recipes have, each going on from the one before."""
    from sandbox.objectives.resolve import resolve
    from sandbox.pipeline.published_form import with_published_form

    found: list[str] = []
    for recipe in recipes:
        spelt = replace(recipe, loss=str(resolve(recipe.loss, recipe.miner)), miner="none")
        spelt, _ = with_published_form(spelt)
        if found:
            spelt = replace(spelt, after=found[-1])
        elif spelt.resume_from:
            spelt = replace(spelt, after=_digest_of(Path(spelt.resume_from)))
        found.append(digest(spelt))
    return tuple(found)


def _digest_of(folder: Path) -> str:
    from sandbox.runs.folder import RunFolder

    if not folder.is_dir():
        raise SandboxError(f"it goes on from the run {folder}, which is not here")
    return str(RunFolder(folder).facts_of_finished()["digest"])
