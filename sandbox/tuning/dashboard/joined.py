"""Several studies, each in a storage of its own, as one storage, for a dashboard that shows them side by side.

The ids of a storage begin at 0 or 1 in each, so an id here is ``id there x number of studies + place of the study``.
Nothing is kept: every question goes to the storage behind, so trials that a worker adds are seen at the next one.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState

from sandbox.errors import SandboxError, near
from sandbox.wording import first_names

_OF_TRIAL = re.compile(r"(dashboard:(?:artifacts:)?)(\d+)(:.*)", re.DOTALL)
"""What the dashboard keeps of a trial among the attributes of its study: notes and pictures, by the trial's id."""


@dataclass(frozen=True)
class Shown:
    """A study to show."""

    name: str
    """What it is called."""
    storage: BaseStorage = field(repr=False)
    study_id: int
    """Its id in that storage."""


def find_study(storage: BaseStorage, name: str) -> int:
    """The id of a study in its storage: that of its name, or of the only study there is, as in a copied folder.

    Raises:
        SandboxError: there is no such study.
    """
    studies = {study.study_name: study._study_id for study in storage.get_all_studies()}
    if name in studies:
        return studies[name]
    if len(studies) == 1:
        return next(iter(studies.values()))
    there = near(name, studies) or (f"; there are {first_names(sorted(studies))}" if studies else "")
    raise SandboxError(f"the storage has no study '{name}'{there}")


class JoinedStorage(BaseStorage):
    """Studies of several storages under one numbering."""

    def __init__(self, studies: Sequence[Shown]):
        """Take the studies in the order in which they are shown; names that occur twice get a number."""
        names: list[str] = []
        for study in studies:
            spelt = (f"{study.name} ({number})" for number in count(2))
            names.append(next(name for name in chain([study.name], spelt) if name not in names))
        self._studies = [Shown(name, study.storage, study.study_id) for name, study in zip(names, studies, strict=True)]

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        """Refused: no storage is the one that a new study belongs to."""
        raise SandboxError("a study is begun by tune.py, not here")

    def delete_study(self, study_id: int) -> None:
        """Delete the study from its storage."""
        study = self._study(study_id)
        study.storage.delete_study(study.study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        """As the storage behind."""
        study = self._study(study_id)
        study.storage.set_study_user_attr(study.study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """As the storage behind; a trial's id in the key becomes the one that it has there."""
        study = self._study(study_id)
        if found := _OF_TRIAL.fullmatch(key):
            key = f"{found[1]}{self._inner(int(found[2]))[1]}{found[3]}"
        study.storage.set_study_system_attr(study.study_id, key, value)

    def get_study_id_from_name(self, study_name: str) -> int:
        """The id of a study by the name that it is shown under."""
        for place, study in enumerate(self._studies):
            if study.name == study_name:
                return self._outer(study.study_id, place)
        raise KeyError(study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        """The name that a study is shown under."""
        return self._study(study_id).name

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """As the storage behind."""
        study = self._study(study_id)
        return study.storage.get_study_directions(study.study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        """As the storage behind."""
        study = self._study(study_id)
        return study.storage.get_study_user_attrs(study.study_id)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """As the storage behind; ids of trials in the keys become those of here."""
        study = self._study(study_id)
        return self._outer_keys(study.storage.get_study_system_attrs(study.study_id), study_id)

    def get_all_studies(self) -> list[FrozenStudy]:
        """The studies in their order; one that was deleted meanwhile is not among them."""
        found = []
        for place, study in enumerate(self._studies):
            for frozen in study.storage.get_all_studies():
                if frozen._study_id == study.study_id:
                    outer = copy.copy(frozen)
                    outer._study_id = self._outer(study.study_id, place)
                    outer.study_name = study.name
                    outer.system_attrs = self._outer_keys(frozen.system_attrs, outer._study_id)
                    found.append(outer)
        return found

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """As the storage behind."""
        study = self._study(study_id)
        return self._beside(study.storage.create_new_trial(study.study_id, template_trial), study_id)

    def set_trial_param(
        self, trial_id: int, param_name: str, param_value_internal: float, distribution: BaseDistribution
    ) -> None:
        """As the storage behind."""
        storage, inner = self._inner(trial_id)
        storage.set_trial_param(inner, param_name, param_value_internal, distribution)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """As the storage behind."""
        storage, inner = self._inner(trial_id)
        return storage.set_trial_state_values(inner, state, values)

    def set_trial_intermediate_value(self, trial_id: int, step: int, intermediate_value: float) -> None:
        """As the storage behind."""
        storage, inner = self._inner(trial_id)
        storage.set_trial_intermediate_value(inner, step, intermediate_value)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """As the storage behind."""
        storage, inner = self._inner(trial_id)
        storage.set_trial_user_attr(inner, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """As the storage behind."""
        storage, inner = self._inner(trial_id)
        storage.set_trial_system_attr(inner, key, value)

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """As the storage behind, with its id of here."""
        storage, inner = self._inner(trial_id)
        return self._renumbered(storage.get_trial(inner), trial_id)

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """As the storage behind, with their ids of here."""
        study = self._study(study_id)
        trials = study.storage.get_all_trials(study.study_id, deepcopy=deepcopy, states=states)
        return [self._renumbered(trial, self._beside(trial._trial_id, study_id)) for trial in trials]

    def get_best_trial(self, study_id: int) -> FrozenTrial:
        """The best complete trial of those that meet every constraint, or of all where none does.

        Raises:
            ValueError: none is complete.
        """
        trials = self.get_all_trials(study_id, deepcopy=False, states=(TrialState.COMPLETE,))
        able = [trial for trial in trials if all(value <= 0 for value in trial.constraints.values())] or trials
        if not able:
            raise ValueError("no trial is complete yet")
        least = self.get_study_directions(study_id)[0] == StudyDirection.MINIMIZE
        return (min if least else max)(able, key=lambda trial: trial.values[0])

    def remove_session(self) -> None:
        """Give back what this thread holds of the storages behind."""
        for study in self._studies:
            study.storage.remove_session()

    def _study(self, study_id: int) -> Shown:
        inner, place = divmod(study_id, len(self._studies))
        if self._studies[place].study_id != inner:
            raise KeyError(study_id)
        return self._studies[place]

    def _outer(self, inner: int, place: int) -> int:
        return inner * len(self._studies) + place

    def _beside(self, inner_trial: int, study_id: int) -> int:
        """The id of here of a trial of a study."""
        return self._outer(inner_trial, study_id % len(self._studies))

    def _inner(self, trial_id: int) -> tuple[BaseStorage, int]:
        """The storage of a trial, and the trial's id in it."""
        inner, place = divmod(trial_id, len(self._studies))
        return self._studies[place].storage, inner

    def _renumbered(self, trial: FrozenTrial, trial_id: int) -> FrozenTrial:
        outer = copy.copy(trial)
        outer._trial_id = trial_id
        return outer

    def _outer_keys(self, attributes: dict[str, Any], study_id: int) -> dict[str, Any]:
        return {
            f"{found[1]}{self._beside(int(found[2]), study_id)}{found[3]}"
            if (found := _OF_TRIAL.fullmatch(key))
            else key: value
            for key, value in attributes.items()
        }
