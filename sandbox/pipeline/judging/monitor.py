"""Whether the figure that is to choose the weights can be counted on validation."""

from __future__ import annotations

from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError, near
from sandbox.evaluation.fewshot.oneshot import ACCURACY as ONE_SHOT
from sandbox.evaluation.figures import FEW_SHOT, validation_keys
from sandbox.objectives.objective import Objective
from sandbox.recipe.episodes import parse_tasks
from sandbox.recipe.extra import parse_extra
from sandbox.recipe.specs import EvaluateSpec


def check_classifies(monitor: str, objective: Objective, splits: Splits) -> None:
    """A monitor that counts right classes needs classes that are trained on, and a term that tells them apart.

    Raises:
        SandboxError: one of the two is missing.
    """
    if not monitor.startswith("classification/"):
        return
    if not splits.closed_set:
        raise SandboxError(
            f"evaluate.monitor is {monitor}, but the classes of validation are not trained on (split them by sample), "
            "so that none of them can be predicted"
        )
    if not objective.classifies:
        raise SandboxError(
            f"evaluate.monitor is {monitor}, but no term of '{' + '.join(objective.names)}' classifies; "
            "add cross_entropy or arcface, or monitor retrieval/map@r"
        )


def check_pairs(monitor: str, splits: Splits) -> None:
    """Accuracy is of given pairs: over all pairs it is about the share of impostors, and would choose by that.

    Raises:
        SandboxError: it is the monitor, and validation has no list of pairs.
    """
    given = splits.val_pairs if splits.val_verify is None else splits.val_verify.pairs
    if monitor == "verification/accuracy" and given is None:
        raise SandboxError(
            "evaluate.monitor is verification/accuracy, which is of pairs that a list gives, and validation has none: "
            "over all pairs it is hardly more than the share of impostors; take verification/balanced_accuracy"
        )


def check_trials(monitor: str, splits: Splits) -> None:
    """One-shot accuracy is of trials that a data set draws from validation.

    Raises:
        SandboxError: it is the monitor, and validation has no trials.
    """
    if monitor == ONE_SHOT and splits.val_oneshot is None:
        raise SandboxError(
            f"evaluate.monitor is {ONE_SHOT}, but validation has no one-shot trials: omniglot draws them with "
            "--data.split official, out of held-out alphabets of 20 characters or more; or monitor retrieval/map@r"
        )


def check_key(spec: EvaluateSpec) -> None:
    """The monitor must be a key that validation can have.

    Raises:
        SandboxError: the nearest are named.
    """
    tasks = parse_tasks(spec.episodes)
    keys = validation_keys(spec.recall_at, spec.far, tasks, parse_extra(spec.figures))
    if spec.monitor.startswith(FEW_SHOT) and spec.monitor not in keys:
        there = ", ".join(map(str, tasks))
        raise SandboxError(
            f"evaluate.monitor is {spec.monitor}, but evaluate.episodes "
            + (f"is '{there}'{near(spec.monitor, keys)}" if tasks else "asks for none: give it, as '5-way 1-shot'")
        )
    if spec.monitor not in keys:
        raise SandboxError(
            f"evaluate.monitor '{spec.monitor}' is no report key{near(spec.monitor, keys)}; there are {', '.join(keys)}"
        )
