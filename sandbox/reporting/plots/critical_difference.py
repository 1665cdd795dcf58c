"""Several ways of training by mean rank over data sets; a bar joins those that no test tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from sandbox.files import whole_file
from sandbox.reporting.plots.lettering import lettering
from sandbox.reporting.plots.style import COLOURS

ENDINGS = (".png", ".svg", ".pdf")
_INK, _BAR = "#333333", COLOURS[0]
_LEVEL = 0.05
_LEGEND = "mean rank, 1 being the best; a bar joins ways that are not told apart at 5 %"
_LONGEST = 44  # letters of a name that stand beside the axis


def draw_ranks(names: Sequence[str], ranks: np.ndarray, p: np.ndarray, path: Path, *, title: str) -> None:
    """A critical-difference diagram (Demsar 2006) as a PNG, SVG or PDF, whichever the path ends in.

    Args:
        names: of M ways, each its own.
        ranks: (M,) mean ranks, 1 being the best.
        p: (M, M) corrected p of each pair; above 0.05 they are joined.
        path: where to.
        title: stands above.

    Raises:
        SandboxError: the place cannot be written.
    """
    import pandas as pd
    import scikit_posthocs as posthocs

    known = lettering([*names, title])
    shown = [known.plotted(_cut(name)) for name in names]
    labels = [f"{text}{chr(0x200B) * shown[:place].count(text)}" for place, text in enumerate(shown)]  # each its own
    height = 1.3 + 0.3 * ((len(names) + 1) // 2) + 0.12 * len(names)
    with known.for_plots(), plt.rc_context({"svg.fonttype": "none"}):
        figure, axes = plt.subplots(figsize=(9, height), layout="constrained")
        posthocs.critical_difference_diagram(
            pd.Series(ranks, index=labels),
            pd.DataFrame(np.where(p > _LEVEL, 1.0, 0.0), index=labels, columns=labels),
            ax=axes,
            text_h_margin=0.012 * (len(names) + 2),
            label_fmt_left="{label}  {rank:.2f}",
            label_fmt_right="{rank:.2f}  {label}",
            label_props={"fontsize": 9.5},
            marker_props={"s": 22},
            elbow_props={"color": _INK, "linewidth": 0.9},
            crossbar_props={"color": _BAR, "linewidth": 4, "solid_capstyle": "round"},
        )
        axes.tick_params(labelsize=9)
        axes.set_title(f"{known.plotted(title)}\n{_LEGEND}", fontsize=10, pad=12)
        try:
            with whole_file(path, make_folder=True) as part:
                figure.savefig(part, dpi=144, format=path.suffix[1:].lower(), bbox_inches="tight")
        finally:
            plt.close(figure)


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..."
