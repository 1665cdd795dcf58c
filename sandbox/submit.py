"""Answers to a homework's lists without labels, as the CSV files to hand in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from sandbox.backbones.network import raw_embeddings
from sandbox.data.homework_lists import STRANGER
from sandbox.data.submission import Task, lists, read_images, write
from sandbox.errors import SandboxError
from sandbox.evaluation.verification import score_pairs
from sandbox.record import RunFolder
from sandbox.trained import Trained, load_objective, load_trained


def submit(path: Path, out: Path) -> list[Path]:
    """Answer every list of the homework that a run was trained on.

    Classification takes the class with the largest logit, verification the cosine. A face to identify gets the name of
    the most alike known person, or is a stranger below the threshold that is most accurate on validation.

    Returns:
        The files written: ``classification.csv``, ``verification.csv`` or ``identification.csv``.

    Raises:
        SandboxError: no finished run of a homework there, nothing to answer, or images that are not there.
    """
    folder = RunFolder(path)
    folder.finished()
    recipe = folder.recipe()
    if recipe.data.name != "homework":
        raise SandboxError(f"the run {path} was trained on '{recipe.data.name}', which asks for nothing to hand in")
    tasks = lists(Path(recipe.data.root))
    trained = load_trained(folder)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(f"cannot write to {out}: {error.strerror}") from None
    written = []
    for task in tasks:
        colour: Literal["grey", "rgb"] = "grey" if trained.channels == 1 else "rgb"
        pixels = read_images(task, trained.image_size, colour, recipe.data.resize or 0)
        answers = _ANSWERS[task.kind](folder, trained, task, pixels)
        written.append(write(task, answers, out / f"{task.kind}.csv"))
    return written


@torch.no_grad()
def _classes(folder: RunFolder, trained: Trained, task: Task, pixels: np.ndarray) -> list[str]:
    objective, classes = load_objective(folder, trained.network)
    best: list[int] = []
    for raw in raw_embeddings(trained.network, pixels, device=trained.device, autocast=trained.autocast):
        logits = objective.logits(raw)
        if logits is None:
            raise SandboxError(f"no loss of {folder.path} classifies; train with cross_entropy or arcface")
        best += logits.argmax(1).tolist()
    return [classes[best[place]] for place in task.left]


def _scores(folder: RunFolder, trained: Trained, task: Task, pixels: np.ndarray) -> np.ndarray:
    return score_pairs(trained.embed(pixels), task.left, task.right)


def _names(folder: RunFolder, trained: Trained, task: Task, pixels: np.ndarray) -> list[str]:
    x = trained.embed(pixels)
    known, number = np.unique(task.known, return_inverse=True)
    gallery = x[len(x) - len(number) :]
    threshold = folder.read_json("report.json")["val"].get("verification/accuracy", {}).get("threshold", np.inf)
    names = []
    for probe in x[task.left]:
        scores = (gallery.astype(np.float64) @ probe).astype(np.float32)
        best = int(scores.argmax())
        names.append(str(known[number[best]]) if scores[best] >= threshold else STRANGER)
    return names


_ANSWERS: dict[str, Callable[[RunFolder, Trained, Task, np.ndarray], list[str] | np.ndarray]] = {
    "classification": _classes,
    "verification": _scores,
    "identification": _names,
}
