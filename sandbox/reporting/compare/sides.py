"""What is compared: a run folder, a folder of runs, a digest or an objective, each to the seeds of one recipe."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sandbox.errors import SandboxError, near
from sandbox.reporting.compare.names import described
from sandbox.reporting.records.chosen import Choice
from sandbox.reporting.records.groups import Group, group
from sandbox.reporting.records.read import read_runs
from sandbox.reporting.records.spelling import short_objective
from sandbox.wording import first_names

_DIGEST = re.compile(r"[0-9a-f]{4,12}")


@dataclass
class Sides:
    """Where names are looked up, and what was noted on the way."""

    places: Sequence[Path]
    """Folders of the runs that digests and objectives name."""
    choice: Choice = Choice()
    notes: list[str] = field(default_factory=list)
    read: list[Path] = field(default_factory=list)
    """Folders that were read."""

    @cached_property
    def groups(self) -> list[Group]:
        """The recipes among the runs of `places`."""
        return self._read(self.places, self.choice)

    def find(self, given: str) -> Group:
        """The seeds of the recipe that a name stands for.

        Args:
            given: a run folder (that run, whatever is chosen), a folder that holds runs of one recipe, a digest or the
                start of one (4 characters or more), or an objective as --loss takes it.

        Raises:
            SandboxError: nothing has that name, or several recipes do; what there is, is named.
        """
        place = Path(given)
        if given and _is_folder(place):
            return self._of_folder(given, place)
        if "/" in given:
            raise SandboxError(f"there is no folder {given}; name a folder of runs, a digest or an objective")
        if _DIGEST.fullmatch(given.lower()):
            starting = [each for each in self.groups if each.runs[0].digest.startswith(given.lower())]
            if starting:
                return self._only(given, starting, "is the start of")
            if re.search(r"\d", given):
                raise SandboxError(f"no run's digest starts with {given}; there are {self._listed(self.groups)}")
        return self._of_objective(given)

    def _of_folder(self, given: str, place: Path) -> Group:
        if (place / "run.json").is_file():
            return self._read([place], None)[0]
        return self._only(given, self._read([place], self.choice), "holds")

    def _of_objective(self, given: str) -> Group:
        from sandbox.objectives.resolve import resolve  # and not above: it takes seconds, and folders need it not

        wanted = str(resolve(given))
        found = [each for each in self.groups if each.objective == wanted]
        if found:
            return self._only(given, found, "is the objective of")
        there = list(dict.fromkeys(each.called for each in self.groups))
        short = short_objective(wanted)
        close = near(short, there) or f"; there are {first_names(there, 12)}"
        spelt = f"'{given}'" if given in (wanted, short) else f"'{given}', that is {short},"
        raise SandboxError(f"no run has the objective {spelt} in {', '.join(map(str, self.places))}{close}")

    def _only(self, given: str, found: list[Group], how: str) -> Group:
        if len(found) == 1:
            return found[0]
        raise SandboxError(
            f"'{given}' {how} {len(found)} recipes: {self._listed(found)}; name one by its digest, or choose with "
            "--where"
        )

    def _listed(self, groups: list[Group]) -> str:
        return first_names([described(each, groups) for each in groups], 8)

    def _read(self, places: Sequence[Path], choice: Choice | None) -> list[Group]:
        runs, notes = read_runs(places, choice)
        groups, more = group(runs)
        self.read += [place for place in places if place not in self.read]
        self.notes += [note for note in (*notes, *more) if note not in self.notes]
        return groups


def _is_folder(place: Path) -> bool:
    try:
        return place.is_dir()
    except (OSError, ValueError):  # an objective may be longer than a name, or hold what no name holds
        return False
