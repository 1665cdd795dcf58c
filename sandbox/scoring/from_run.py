"""What there is to score of a finished run: its own splits, or a verification set for its network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sandbox.data.formats.pairs.insightface_bin import decode_pairs, read_bin
from sandbox.data.formats.rows.embeddings import Embeddings
from sandbox.errors import SandboxError, near
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.verification.by_value import MOST, Groups, check_groups
from sandbox.evaluation.verification.cross_validation import even_folds
from sandbox.inference.load import load_network
from sandbox.runs.embeddings import KeptEmbeddings, KeptSet, read_embeddings
from sandbox.runs.folder import RunFolder
from sandbox.runs.plugins import absent
from sandbox.scoring.inputs import Inputs
from sandbox.wording import printable

_FOLDS = 10


def of_run(path: Path, split: str, by: str = "") -> Inputs:
    """A split of a finished run; for the test split, validation chooses the thresholds.

    Scoring the test split counts as one more look at it in run.json.

    Args:
        path: the run.
        split: ``val`` or ``test``.
        by: a column of its images to give figures by; empty for none.

    Raises:
        SandboxError: no finished run there, one that has no such split or column, or a damaged one.
    """
    folder = RunFolder(path)
    read = read_split(folder, split, by)
    if split == "test":
        count_look(folder)
    return read


def read_split(folder: RunFolder, split: str, by: str = "") -> Inputs:
    """The same, without counting it.

    Raises:
        SandboxError: see `of_run`.
    """
    files = absent(folder.facts_of_finished().get("plugins", ()))
    notes = tuple(f"figures of the plug-in {printable(file)} are left out: add --plugin {file}" for file in files)
    return replace(_of_split(folder, split, by), notes=notes)


def _of_split(folder: RunFolder, split: str, by: str) -> Inputs:
    path = folder.path
    kept = read_embeddings(folder)
    alone = split not in kept and f"{split}/oneshot" in kept
    if split not in kept and not alone:
        raise SandboxError(f"{path} has no embeddings of its {split} split: it was trained without looking at it")
    groups = _groups(kept, split, by) if by else None
    val, val_apart, val_pairs = _split(kept, "val", 0)
    tried = _tried(kept, split)
    if split == "val":
        return Inputs(
            probe=val,
            pairs=val_pairs,
            verify=val_apart,
            tried=tried,
            closed=kept.closed_set,
            roles=kept.take("val").roles,
            groups=groups,
        )
    if alone:
        assert tried is not None
        return Inputs(probe=_numbered(tried, 0), tried=tried, trials_alone=True, retrieve=False)
    test, test_apart, test_pairs = _split(kept, "test", 0 if kept.closed_set else len(val.classes))
    if val.x.shape[1] != test.x.shape[1]:
        raise SandboxError(f"the run {path} is damaged: val has {val.x.shape[1]} dimensions, test {test.x.shape[1]}")
    return Inputs(
        probe=test,
        tried=tried,
        pairs=test_pairs,
        verify=test_apart,
        validation=val,
        validation_pairs=val_pairs,
        validation_verify=val_apart,
        closed=kept.closed_set,
        roles=kept.take("test").roles,
        groups=groups,
    )


def _groups(kept: KeptEmbeddings, split: str, by: str) -> Groups:
    columns = kept.take(split).columns if split in kept else {}
    if by not in columns:
        known = f"it keeps {', '.join(sorted(columns))}" if columns else "it keeps none"
        raise SandboxError(
            f"--by is '{printable(by)}', but the run {kept.path} keeps no such column of its images"
            f"{near(by, list(columns))}; {known} (kept are columns of a table of images, of {MOST} values at most)"
        )
    if f"{split}/verify" in kept:
        raise SandboxError(f"--by is '{by}', but the run {kept.path} verifies other images than those of {split}")
    groups = Groups(by, columns[by])
    check_groups(groups, "--by")
    return groups


def count_look(folder: RunFolder) -> None:
    """Note in run.json that the test split was scored once more.

    Raises:
        SandboxError: what stands there is no number.
    """
    try:
        looks = int(folder.read_json("run.json").get("test_evaluations", 0)) + 1
    except (TypeError, ValueError) as error:
        raise SandboxError(f"the run {folder.path} is damaged: {error}") from None
    folder.update(test_evaluations=looks)


def of_bin(path: Path, file: Path) -> Inputs:
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
    return Inputs(
        probe=Embeddings(x, people.astype(np.int64), tuple(str(person) for person in range(count)), None),
        pairs=Pairs(left=left, right=right, same=same, fold=folds),
        retrieve=False,
    )


def _tried(kept: KeptEmbeddings, name: str) -> KeptSet | None:
    """The embeddings that a split's one-shot trials are of, with these; None where it has none."""
    for one in (f"{name}/oneshot", name):
        if one in kept and (held := kept.take(one)).trials is not None:
            return held
    return None


def _split(kept: KeptEmbeddings, name: str, first: int) -> tuple[Embeddings, Embeddings | None, Pairs | None]:
    """The embeddings of a split, what is verified apart from them if anything is, and the pairs to verify."""
    own = kept.take(name)
    if f"{name}/verify" not in kept:
        return _numbered(own, first), None, own.pairs
    apart = kept.take(f"{name}/verify")
    return _numbered(own, first), _numbered(apart, 0), apart.pairs


def _numbered(kept: KeptSet, first: int) -> Embeddings:
    """Embeddings whose classes are numbered from `first`: other people have other numbers."""
    labels = kept.labels + first
    return Embeddings(kept.x, labels, tuple(str(label) for label in range(int(labels.max()) + 1)), None)
