"""`--protocol reality_check`: the comparison that "A Metric Learning Reality Check" asks for (Musgrave et al., 2020).

The classes of training and validation are cut into K folds. While tuning, run k of a trial stops on fold k, and the
fold after it, which neither training nor stopping has seen, says what the trial is worth. Afterwards winner and
default are trained on all folds but one, K models for each repeat, and these are tested. Three gaps of the paper are
closed: there the fold that stops a run also judges its values; seeds are not shared by the methods; and folds are cut
in one way alone, so that the interval leaves the luck of the cuts out.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sandbox.data.batches import batch_shape
from sandbox.errors import SandboxError, unknown
from sandbox.evaluation.figures import CONCATENATED, SEPARATED
from sandbox.recipe.specs import Recipe, flat
from sandbox.recipe.specs import replace as changed
from sandbox.wording import counted

VALIDATION, JUDGE = "validation", "judging folds"
"""What a trial's figures are of: mostly of validation; under a protocol of folds that only judge."""
REALITY_CHECK = "reality_check"
PROTOCOLS = (REALITY_CHECK,)

OPTIONS: dict[str, int] = {"folds": 4, "trials": 50, "final": 10}
"""Of the command, as the paper has them."""
SETTINGS: dict[str, Any] = {
    "backbone.embedding_dim": 128,
    "batch.size": 32,
    "batch.samples": 4,
    "data.test": 0.5,
}
"""Of the recipe: 128 numbers, batches of 8 classes x 4 images, half of the classes for test where it is drawn."""


def check_name(protocol: str) -> None:
    """Refuse a protocol that is none.

    Raises:
        SandboxError: names the nearest.
    """
    if protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS)


def check_protocol(protocol: str, folds: int, recipe: Recipe) -> None:
    """Refuse a protocol that is none, or cannot be kept to.

    Raises:
        SandboxError: says why.
    """
    if recipe.data.test_fold and (folds or protocol):
        raise SandboxError(
            f"data.test_fold is '{recipe.data.test_fold}', but a search that has folds takes them in turn; leave it out"
        )
    if not protocol:
        return
    check_name(protocol)
    if recipe.data.val_fold:
        raise SandboxError(
            f"data.val_fold is '{recipe.data.val_fold}', but --protocol {protocol} validates on each fold in turn; "
            "say how many by --folds"
        )
    if folds < 3:
        raise SandboxError(
            f"--folds is {folds}, but --protocol {protocol} trains, stops and judges on folds of their own: 3 at least"
        )


def laid_down(protocol: str, recipe: Recipe, given: Collection[str]) -> tuple[Recipe, dict[str, int], str]:
    """What a protocol sets, where neither a flag nor a recipe file says otherwise.

    Args:
        protocol: by name.
        recipe: as the flags and the file have it.
        given: the flags that a person gave, at their default or not.

    Returns:
        The recipe, the options of the command that are set, and a sentence that names all that is.

    Raises:
        SandboxError: there is no such protocol.
    """
    check_name(protocol)
    options = {name: value for name, value in OPTIONS.items() if name not in given}
    rows, plain = flat(recipe), flat(Recipe())
    settings = {name: v for name, v in SETTINGS.items() if name not in given and rows[name] == plain[name]}
    for name, value in settings.items():
        recipe = changed(recipe, name, value)
    told = ", ".join(f"{name} {value}" for name, value in {**options, **settings}.items())
    where = ", that of test where the split is drawn here" if "data.test" in settings else ""
    return recipe, options, f"protocol {protocol} sets {told or 'nothing that was not said'}{where}"


def tuning_recipe(recipe: Recipe, fold: int, folds: int) -> Recipe:
    """The recipe of a trial's run `fold`, counted from 1: that fold stops it, and the next one judges it."""
    stopping = changed(recipe, "data.val_fold", f"{fold}/{folds}")
    return changed(stopping, "data.test_fold", f"{fold % folds + 1}/{folds}")


def final_recipes(recipe: Recipe, folds: int) -> list[tuple[str, Recipe]]:
    """Name and recipe of the K runs of one repeat: each fold stops one, and test is the data set's own."""
    return [(f"run-f{fold}", changed(recipe, "data.val_fold", f"{fold}/{folds}")) for fold in range(1, folds + 1)]


def repeat_fold_seed(recipe: Recipe, repeat: int) -> int:
    """What turns the folds of a repeat, counted from 0; tuning has the recipe's own, all repeats others."""
    return recipe.data.fold_seed + 1 + repeat


def said_of(recipe: Recipe, folds: int, trials: int, repeats: int) -> list[str]:
    """What a reader of the table must know of the protocol."""
    first = repeat_fold_seed(recipe, 0)
    turned = f"{first} to {first + repeats - 1}" if repeats > 1 else str(first)
    classes, samples = batch_shape(recipe.batch)
    shape = f"{classes} classes x {samples} images (where tuples are formed, and there are as many classes)"
    trunk = {"": "random weights (the paper's are pretrained)", "pretrained": "pretrained weights"}
    weights = trunk.get(recipe.backbone.weights, "the weights of a file")
    return [
        f"Protocol {REALITY_CHECK} (Musgrave et al., 2020, its gaps closed): the classes of training and validation "
        f"are cut into {folds} folds. In each of the {folds} runs of a trial one fold stops the run, and the next one, "
        "seen by neither training nor stopping, judges it; the mean is the figure of the trial. "
        f"{counted(trials, 'trial', 'trials')} asked for, embeddings of {recipe.backbone.embedding_dim} numbers, "
        f"batches of {shape}, {recipe.backbone.name} from {weights}.",
        f"{counted(repeats, 'repeat', 'repeats')}: each has a seed of its own and draws anew where the folds are cut "
        f"(fold_seed {turned}), alike for all rows, and trains {folds} models, each stopped on one fold and trained on "
        f"the rest. {SEPARATED}: the mean of their figures; {CONCATENATED}: the figure of their embeddings side by "
        "side, scaled to unit length. Intervals are over repeats, and differences are paired by them.",
    ]
