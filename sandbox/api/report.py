"""Figures as a person reads them, in a terminal or in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from sandbox.evaluation.figures import Figures, printed_name, spell, spell_interval


class Report(dict[str, dict[str, "float | int"]]):
    """Report key -> value, the ends of its 95 % interval, n and what else stands with it.

    It is a plain dict, such as ``{"retrieval/map@r": {"value": 0.68, "low": 0.66, "high": 0.71, "n": 5459}}``, and
    prints as a table.
    """

    def __init__(self, figures: Figures | Mapping[str, Any], notes: Sequence[str] = ()):
        super().__init__(figures)
        self.notes = tuple(notes)
        """Sentences on what was left out, or should be known."""

    def value(self, name: str) -> float:
        """A figure by its key or its printed name, such as ``MAP@R``.

        Raises:
            KeyError: it is not there; those that are there are named.
        """
        for key in self:
            if name in (key, printed_name(key)):
                return float(self[key]["value"])
        raise KeyError(f"no figure '{name}'; there are {', '.join(map(printed_name, self))}")

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[place]) for row in rows) for place in range(4)]
        return "\n".join(
            "  ".join([row[0].ljust(widths[0]), *(row[place].rjust(widths[place]) for place in (1, 2, 3))]).rstrip()
            for row in rows
        )

    def _repr_html_(self) -> str:
        head, *body = (
            "".join(f"<{cell}>{escape(text)}</{cell}>" for text in row)
            for row, cell in ((row, "th" if place == 0 else "td") for place, row in enumerate(self._rows()))
        )
        rows = "".join(f"<tr>{row}</tr>" for row in body)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"

    def _rows(self) -> list[tuple[str, str, str, str]]:
        rows = [("figure", "value", "95 % interval", "n")]
        for key, entry in self.items():
            if key.endswith("retrieval/precision@1") and key.replace("precision", "recall") in self:
                continue  # the same number
            rows.append((printed_name(key), spell(entry), spell_interval(entry), f"{entry['n']:,}"))
        return rows
