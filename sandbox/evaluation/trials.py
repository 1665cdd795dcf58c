"""`Trials`: which of W images is of the class of a query, asked of the rows of one set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Trials:
    """One-shot trials over the rows of one set of images.

    Raises:
        ValueError: the parts disagree in shape.
    """

    support: np.ndarray
    """(T, W) int64 rows: one example of each class."""
    query: np.ndarray
    """(T,) int64 rows."""
    answer: np.ndarray
    """(T,) int64 columns of `support`: the example of the query's class."""
    run: np.ndarray
    """(T,) int64: trials of one number are one run."""

    def __post_init__(self) -> None:
        """Refuse parts that do not fit together."""
        if self.support.ndim != 2 or not self.query.shape == self.answer.shape == self.run.shape == (len(self),):
            raise ValueError(f"support {self.support.shape}, query {self.query.shape}, answer {self.answer.shape}")

    def __len__(self) -> int:
        """How many trials."""
        return len(self.support)

    @property
    def ways(self) -> int:
        """Classes of a trial."""
        return self.support.shape[1]
