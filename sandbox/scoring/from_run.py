"""What there is to score of a finished run: its own splits, or a verification set for its network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sandbox.data.formats.embeddings import Embeddings
from sandbox.data.formats.insightface_bin import decode_pairs, read_bin
from sandbox.errors import SandboxError
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.verification.cross_validation import even_folds
from sandbox.inference.load import load_network
from sandbox.runs.folder import RunFolder
from sandbox.scoring.inputs import Judged

_FOLDS = 10


def of_run(path: Path, split: str) -> Judged:
    """A split of a finished run; for the test split, validation chooses the thresholds.

    Scoring the test split counts as one more look at it in run.json.

    Raises:
        SandboxError: no finished run there, one that has no such split, or a damaged one.
    """
    folder = RunFolder(path)
    recorded = folder.finished()
    tensors, state = folder.read_tensors("embeddings.safetensors")
    if f"{split}/embeddings" not in tensors:
        raise SandboxError(f"{path} has no embeddings of its {split} split: it was trained without looking at it")
    # Runs that were recorded before this was have none: what is unknown is not claimed to be people of no test.
    closed = not isinstance(state, dict) or bool(state.get("closed_set", True))
    try:
        val, val_apart, val_pairs = _part(tensors, "val", 0)
        if split == "val":
            return Judged(probe=val, pairs=val_pairs, verify=val_apart)
        test, test_apart, test_pairs = _part(tensors, "test", 0 if closed else len(val.classes))
        if val.x.shape[1] != test.x.shape[1]:
            raise ValueError(f"val has {val.x.shape[1]} dimensions, test {test.x.shape[1]}")
        looks = int(recorded.get("test_evaluations", 0)) + 1
    except (KeyError, TypeError, ValueError) as error:
        reason = f"there is no {error.args[0]}" if isinstance(error, KeyError) else error
        raise SandboxError(f"the run {path} is damaged: {reason}") from None
    folder.update(test_evaluations=looks)
    return Judged(
        probe=test,
        pairs=test_pairs,
        verify=test_apart,
        validation=val,
        validation_pairs=val_pairs,
        validation_verify=val_apart,
        closed=closed,
    )


def of_bin(path: Path, file: Path) -> Judged:
    """An InsightFace verification set, embedded by a run's network, in ten folds where it has pairs enough.

    The network may also be an ONNX file that a run's was exported to. The set names no people: images that genuine
    pairs join are taken for one person's.

    Raises:
        SandboxError: no finished run or exported network there, or a file that is no verification set.
    """
    network = load_network(path)
    images, same = read_bin(file)
    first: dict[bytes, int] = {}
    rows = np.array([first.setdefault(image, len(first)) for image in images])
    try:
        pixels = decode_pairs(list(first), network.image_size, file)
    except SandboxError:
        decode_pairs(images, network.image_size, file)  # refuses by the numbers that images have in the file
        raise
    x = network.embed(pixels)
    left, right = rows[0::2], rows[1::2]
    joins = coo_array((np.ones(int(same.sum())), (left[same], right[same])), shape=(len(first), len(first)))
    count, people = connected_components(joins, directed=False)
    folds = even_folds(same, _FOLDS) if min(same.sum(), (~same).sum()) >= _FOLDS else None
    return Judged(
        probe=Embeddings(x, people.astype(np.int64), tuple(str(person) for person in range(count)), None),
        pairs=Pairs(left=left, right=right, same=same, fold=folds),
        retrieve=False,
    )


def _part(
    tensors: dict[str, torch.Tensor], split: str, first: int
) -> tuple[Embeddings, Embeddings | None, Pairs | None]:
    """The embeddings of a split, what is verified apart from them if anything is, and the pairs to verify."""
    whole = _embeddings(tensors, split, first)
    apart = _embeddings(tensors, f"{split}/verify", 0) if f"{split}/verify/embeddings" in tensors else None
    if apart is None:
        return whole, None, _pairs(tensors, split, len(whole))
    return whole, apart, _pairs(tensors, f"{split}/verify", len(apart))


def _embeddings(tensors: dict[str, torch.Tensor], split: str, first: int) -> Embeddings:
    """The embeddings of a split, its classes numbered from `first`: other people have other numbers.

    Raises:
        KeyError, TypeError, ValueError: they are not there, or not what a run writes.
    """
    x, labels = tensors[f"{split}/embeddings"].numpy(), tensors[f"{split}/labels"].numpy()
    whole = labels.ndim == 1 and labels.dtype.kind == "i" and len(labels) > 0 and bool(labels.min() >= 0)
    if not whole or x.ndim != 2 or x.dtype.kind != "f" or len(x) != len(labels) or not np.isfinite(x).all():
        raise ValueError(f"embeddings {x.shape} and labels {labels.shape} of {split} do not fit")
    labels = labels.astype(np.int64) + first
    names = tuple(str(label) for label in range(int(labels.max()) + 1))
    return Embeddings(x, labels, names, None)


def _pairs(tensors: dict[str, torch.Tensor], split: str, rows: int) -> Pairs | None:
    if f"{split}/pairs" not in tensors:
        return None
    table = tensors[f"{split}/pairs"].numpy()
    if table.ndim != 2 or table.shape[1] not in (3, 4) or not len(table) or table.dtype.kind != "i":
        raise ValueError(f"the pairs of {split} are {table.shape} {table.dtype}")
    if table[:, :2].min() < 0 or table[:, :2].max() >= rows or not np.isin(table[:, 2], (0, 1)).all():
        raise ValueError(f"the pairs of {split} name images that are not there")
    fold = table[:, 3] if table.shape[1] > 3 else None
    return Pairs(left=table[:, 0], right=table[:, 1], same=table[:, 2].astype(bool), fold=fold)
