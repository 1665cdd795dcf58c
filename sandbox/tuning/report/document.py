"""A document as plain data, which becomes HTML and Markdown alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Line:
    """A command to copy."""

    text: str


@dataclass(frozen=True)
class Cell:
    """What a table shows, and by what it is sorted."""

    text: str
    key: float | None = None


@dataclass(frozen=True)
class Table:
    """Rows of cells below a head, which may be empty."""

    head: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    sortable: bool = False
    facts: bool = False
    """Whether a row is a name and what it is, so that no column is one of numbers."""


@dataclass(frozen=True)
class Picture:
    """Pictures that stand beside each other, with what they show."""

    pngs: Sequence[bytes] = field(repr=False)
    alts: Sequence[str]
    """What each shows, for whoever cannot see it."""
    caption: str


Block = Text | Line | Table | Picture


@dataclass(frozen=True)
class Chapter:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """The whole."""

    title: str
    lead: Sequence[tuple[str, str, str]]
    """What it is, the figure and a word on it, of the few that come first."""
    chapters: Sequence[Chapter]
