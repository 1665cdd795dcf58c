"""How large a matrix of tuples may grow before an equal form is used that needs no such matrix."""

from __future__ import annotations

MOST_ENTRIES = 40_000_000
"""Numbers in one matrix: 160 MB, of which a loss holds about six for its gradient. Below it nothing is changed."""
