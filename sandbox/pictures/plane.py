"""Two networks with features of two numbers, trained alike but for center loss, and what they make of the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from sandbox.backbones.embed import raw_embeddings
from sandbox.data.catalog import load
from sandbox.data.images.image_set import ImageSet
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.evaluation.classification import classification
from sandbox.inference.trained import Trained, load_objective, load_trained
from sandbox.objectives.objective import Objective
from sandbox.recipe.ranges import check_ranges
from sandbox.recipe.specs import AugmentSpec, BackboneSpec, BatchSpec, DataSpec, EvaluateSpec, OptimizerSpec, Recipe
from sandbox.reporting.plots.plane import Panel
from sandbox.runs.folder import RunFolder


@dataclass(frozen=True)
class Kind:
    """One of the two networks: with center loss, or without."""

    name: str
    recipe: Recipe


def kinds(data: DataSpec, *, weight: float, epochs: int, seed: int, threads: int = 0) -> tuple[Kind, Kind]:
    """Softmax, and softmax with center loss: recipes that differ in nothing else.

    The head has two features and no batch norm, as the paper's figure is of what a linear layer puts out. Both are
    judged once, by their last weights: no choice is made on validation.

    Args:
        data: a closed set.
        weight: of center loss, the paper's lambda.
        epochs: passes over the training images.
        seed: of both.
        threads: CPU threads; 0 leaves torch's choice.

    Raises:
        SandboxError: a number that no run could use.
    """
    if not 0 < weight < float("inf"):
        raise SandboxError(f"--weight is {weight:g}, but is above 0 and finite")
    recipe = Recipe(
        loss="cross_entropy",
        data=data,
        augment=AugmentSpec(),
        backbone=BackboneSpec(embedding_dim=2, head="linear"),
        batch=BatchSpec(sampler="shuffle", size=64),
        optimizer=OptimizerSpec(),
        evaluate=EvaluateSpec(every=10**9, monitor="classification/top@1"),
        epochs=epochs,
        seed=seed,
        threads=threads,
    )
    check_ranges(recipe)
    added = f"cross_entropy + {weight}*center"
    return Kind("softmax", recipe), Kind(f"softmax + {weight:g} center loss", replace(recipe, loss=added))


def closed_splits(data: DataSpec) -> Splits:
    """The data that both are trained on.

    Raises:
        SandboxError: it cannot be read, or its test images are of classes that are not trained on.
    """
    splits = load(data)
    if not splits.closed_set:
        raise SandboxError(
            f"the test classes of data set '{data.name}' are not those that are trained on, so that no classifier "
            "knows them; a plane needs a closed set (--data.split sample)"
        )
    return splits


def panels(kind: Kind, folder: RunFolder, splits: Splits) -> list[Panel]:
    """Training and test images as a finished run's network sees them: raw, not brought to length one.

    Raises:
        SandboxError: the run is damaged.
    """
    trained = load_trained(folder, rows=True)
    objective, _ = load_objective(folder, trained.network)
    centers = _centers(objective)
    return [
        _panel(f"{kind.name}, {name}", trained, objective, images, centers)
        for name, images in (("training images", splits.train), ("test images", splits.test))
    ]


def _panel(title: str, trained: Trained, objective: Objective, images: ImageSet, centers: np.ndarray | None) -> Panel:
    features = list(raw_embeddings(trained.network, images.pixels, device=trained.device, autocast=trained.autocast))
    accuracy = float(classification(_logits(objective, features), images.labels).hits[1].mean())
    return Panel(title, torch.cat(features).cpu().numpy(), images.labels, accuracy, centers)


@torch.no_grad()
def _logits(objective: Objective, features: Sequence[torch.Tensor]) -> np.ndarray:
    scores = [objective.logits(batch) for batch in features]
    return np.concatenate([batch.float().cpu().numpy() for batch in scores if batch is not None])


def _centers(objective: Objective) -> np.ndarray | None:
    """(C, 2) the centers that a term of the objective learnt, None where none has any."""
    found = [value for name, value in objective.named_buffers() if name.endswith(".centers")]
    return found[0].cpu().numpy() if found else None
