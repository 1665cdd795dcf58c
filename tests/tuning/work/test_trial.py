"""The runs of a trial."""

from __future__ import annotations

from pathlib import Path

from sandbox.pipeline.events import Done, Progress
from sandbox.tuning.work.trial import run_or_resume

from studies import recipe


def test_a_run_is_known_again_however_its_objective_is_spelt(tmp_path: Path) -> None:
    spelt = recipe("triplet(margin=0.05)", steps=2)  # the catalogue's own value, which a run's recipe leaves out
    events = run_or_resume(tmp_path, "mine", spelt)
    next(event for event in events if isinstance(event, Progress))
    events.close()  # type: ignore[attr-defined]
    first = list(run_or_resume(tmp_path, "mine", spelt))
    again = list(run_or_resume(tmp_path, "mine", spelt))
    assert isinstance(first[-1], Done) and [type(event) for event in again] == [Done]
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    other = list(run_or_resume(tmp_path, "mine", recipe("triplet(margin=0.06)", steps=2)))
    assert isinstance(other[-1], Done) and other[-1].folder.path.name == "mine-2"
