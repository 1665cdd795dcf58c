"""Answers to a homework's lists without labels, as the CSV files to hand in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from sandbox.backbones.embed import raw_embeddings
from sandbox.data.homework.lists import STRANGER
from sandbox.data.homework.submission import Task, lists, read_images, write
from sandbox.data.images.form import Form
from sandbox.errors import SandboxError
from sandbox.evaluation.verification.metrics import score_pairs
from sandbox.inference.trained import Trained, load_objective, load_trained
from sandbox.runs.folder import RunFolder
from sandbox.wording import printable, reason


class _Unanswered(SandboxError):
    """A list that this run cannot answer, though it may answer others."""


def submit(path: Path, out: Path) -> list[Path]:
    """Answer every list of the homework that a run was trained on.

    Classification takes the class with the largest logit, of those that the list is about; verification the cosine. A
    face to identify gets the name of the most alike known person, or is a stranger below the threshold that is most
    accurate on validation. A classification is left out, and stderr says why, where no loss of the run classifies or
    it learnt other people than the test images show, as with the large set of S19 and S20.

    Returns:
        The files written: ``classification.csv``, ``verification.csv`` or ``identification.csv``.

    Raises:
        SandboxError: no finished run of a homework there, nothing that it can answer, or images that are not there.
    """
    folder = RunFolder(path)
    folder.facts_of_finished()
    recipe = folder.recipe()
    if recipe.data.name != "homework":
        raise SandboxError(f"the run {path} was trained on '{recipe.data.name}', which asks for nothing to hand in")
    tasks = lists(Path(recipe.data.root))
    trained = load_trained(folder)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SandboxError(f"cannot write to {out}: {reason(error)}") from None
    written: list[Path] = []
    left_out: list[_Unanswered] = []
    for task in tasks:
        form = Form(trained.image_size, "grey" if trained.channels == 1 else "rgb", trained.resize, trained.bits)
        pixels = read_images(task, form)
        try:
            answers = _ANSWERS[task.kind](folder, trained, task, pixels)
        except _Unanswered as unanswered:
            left_out.append(unanswered)
            continue
        written.append(write(task, answers, out / f"{task.kind}.csv"))
    if not written:
        raise left_out[0]
    for why in left_out:
        print(f"note: {printable(str(why))}", file=sys.stderr)
    return written


@torch.no_grad()
def _classes(folder: RunFolder, trained: Trained, task: Task, pixels: np.ndarray) -> list[str]:
    if not (folder.path / "objective.safetensors").is_file():
        raise _Unanswered(f"no classification.csv, since no loss of {folder.path} owns class weights")
    objective, classes = load_objective(folder, trained.network)
    about = frozenset(task.classes)
    allowed = [place for place, name in enumerate(classes) if name in about]
    if not allowed:
        raise _Unanswered(f"no classification.csv, since {task.source} shows nobody whom {folder.path} was trained on")
    best: list[int] = []
    for raw in raw_embeddings(trained.network, pixels, device=trained.device, autocast=trained.autocast):
        logits = objective.logits(raw)
        if logits is None:
            raise _Unanswered(f"no classification.csv, since no loss of {folder.path} classifies (cross_entropy does)")
        best += logits[:, allowed].argmax(1).tolist()
    return [classes[allowed[best[place]]] for place in task.left]


def _scores(folder: RunFolder, trained: Trained, task: Task, pixels: np.ndarray) -> np.ndarray:
    return score_pairs(trained.embed(pixels), task.left, task.right)


def _names(folder: RunFolder, trained: Trained, task: Task, pixels: np.ndarray) -> list[str]:
    x = trained.embed(pixels)
    known, number = np.unique(task.known, return_inverse=True)
    gallery = x[len(x) - len(number) :]
    threshold = _threshold(folder)
    names = []
    for probe in x[task.left]:
        scores = (gallery.astype(np.float64) @ probe).astype(np.float32)
        best = int(scores.argmax())
        names.append(str(known[number[best]]) if scores[best] >= threshold else STRANGER)
    return names


def _threshold(folder: RunFolder) -> float:
    """The cosine that told same from different best on validation."""
    threshold = folder.validation_threshold()
    if threshold is not None:
        return threshold
    raise SandboxError(f"{folder.path / 'report.json'} has no threshold to tell strangers from known people by")


_ANSWERS: dict[str, Callable[[RunFolder, Trained, Task, np.ndarray], list[str] | np.ndarray]] = {
    "classification": _classes,
    "verification": _scores,
    "identification": _names,
}
