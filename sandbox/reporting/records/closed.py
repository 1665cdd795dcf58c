"""Whether what a run is judged on is what it was trained on."""

from __future__ import annotations

import json

from sandbox.reporting.records.run import Run


def closed_set(run: Run) -> bool | None:
    """Whether each class that is judged was trained on; None where neither the run's files nor its ledger say."""
    said = run.facts.get("closed_set")  # as a ledger keeps it
    if isinstance(said, bool):
        return said
    path = run.path / "embeddings.safetensors"
    if not path.is_file():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            state = json.loads((file.metadata() or {}).get("state", "null"))
    except (SafetensorError, OSError, ValueError, RecursionError):
        return None
    closed = state.get("closed_set") if isinstance(state, dict) else None
    return closed if isinstance(closed, bool) else None
