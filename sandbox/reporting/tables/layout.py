"""What a table is asked to show."""

from __future__ import annotations

from dataclasses import dataclass

SHOWN = ("retrieval/map@r", "retrieval/recall@1", "verification/auc", "verification/eer", "oneshot/accuracy")
"""Figures of a table that is not asked for others; of test, or of validation where no run was tested."""
COSTS = ("parameters", "multiply_adds", "images_per_second", "memory", "hours")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What is asked for; names may be printed ones (MAP@R, network)."""

    rows: tuple[str, ...] = ("loss",)
    """Settings that head the rows."""
    columns: tuple[str, ...] = ()
    """Settings whose values stand across, a block of figures each."""
    metrics: tuple[str, ...] = ()
    """Figures; `SHOWN` where empty."""
    sort: str = ""
    """The figure that orders the rows; the first where empty."""
    percent: bool = False
    """Whether shares are multiplied by 100."""
    baselines: bool | None = None
    """Whether raw pixels and the untrained network are rows; where None, if every run has them."""
    baseline: str = ""
    """The objective that each row's difference to is a column."""
    cost: tuple[str, ...] = ()
    """Of `COSTS`."""
    mixed: bool = False
    """Whether runs of several splits or rules may stand in one column."""
    caption: str = ""
    """In the place of the title."""
