"""Which runs are wanted: what --where and --tag say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.errors import SandboxError
from sandbox.reporting.records.run import Run


@dataclass(frozen=True)
class Choice:
    """A choice of runs."""

    where: str = ""
    """Such as ``data.name = glyphs and seed < 5``; every run where empty."""
    tags: tuple[str, ...] = ()
    """Runs that have one of these; every run where empty."""

    def of(self, runs: Sequence[Run]) -> list[Run]:
        """Those that are wanted, in their order.

        Raises:
            SandboxError: what is written cannot be read, or no run is left.
        """
        kept = [run for run in runs if not self.tags or set(run.tags) & set(self.tags)]
        if not kept:
            raise SandboxError(f"none of {len(runs):,} runs has the tag {' or '.join(self.tags)}")
        return kept
