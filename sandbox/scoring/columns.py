"""What files say of their rows beside the class: cameras, which retrieval heeds, and a column to give figures by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from sandbox.data.formats.rows.embeddings import Embeddings
from sandbox.data.formats.rows.row_columns import names_in, read_column
from sandbox.errors import SandboxError
from sandbox.evaluation.figures import FEW
from sandbox.evaluation.roles import Roles, stacked
from sandbox.evaluation.verification.by_value import Groups, check_groups, left_out
from sandbox.scoring.inputs import Inputs
from sandbox.wording import counted, printable

CAMERAS = "cameras"
"""The array of an npz."""
_JUNK = "-1"


def with_columns(inputs: Inputs, embeddings: Path, gallery: Path | None = None, by: str = "") -> Inputs:
    """The same with what the files say of cameras, and of the column that figures are asked for by.

    Where the files have cameras, rows of label -1 are junk, as in Market-1501: they are left out.

    Args:
        inputs: read from the files.
        embeddings: file of the probe.
        gallery: file of the gallery, where there is one.
        by: the name of an array of the probe's file; empty for none.

    Raises:
        SandboxError: one of two files has no cameras, an array does not fit its rows, or there is no such column.
    """
    groups = None
    if by:
        column = read_column(embeddings, by, len(inputs.probe), needed=True)
        assert column is not None
        groups = Groups(by, np.char.strip(column))
        check_groups(groups, "--by")
    inputs = replace(inputs, groups=groups)
    own = read_column(embeddings, CAMERAS, len(inputs.probe))
    other = None if gallery is None or inputs.gallery is None else read_column(gallery, CAMERAS, len(inputs.gallery))
    if inputs.gallery is not None and (own is None) != (other is None):
        with_some, without = (gallery, embeddings) if own is None else (embeddings, gallery)
        raise SandboxError(
            f"{with_some} holds '{CAMERAS}' and {without} does not; they are heeded where both say which camera saw "
            "each row"
        )
    if own is None:
        return replace(inputs, notes=(*inputs.notes, *_passed_over(embeddings, by)))
    return _heeding(inputs, own, other)


def _passed_over(file: Path, by: str) -> list[str]:
    """A sentence where an array seems to be of cameras, but has another name."""
    near = [printable(name) for name in names_in(file) if name.lower().startswith("cam") and name != by]
    return [f"cameras are read from an array named '{CAMERAS}', and '{name}' is passed over" for name in near]


def said_of_groups(inputs: Inputs) -> list[str]:
    """Sentences on what figures by a column leave out, and which groups are few people."""
    if inputs.groups is None:
        return []
    few = [value for value, rows in inputs.groups if len(np.unique(inputs.probe.labels[rows])) < FEW]
    more = (
        [f"{counted(len(few), 'group has', 'groups have')} fewer than {FEW} identities: intervals say little of them"]
        if few
        else []
    )
    return left_out(inputs.groups, inputs.probe.labels, inputs.pairs) + more


def _heeding(inputs: Inputs, own: np.ndarray, other: np.ndarray | None) -> Inputs:
    """The same with roles by cameras, and without junk."""
    probe, gallery, groups, notes = inputs.probe, inputs.gallery, inputs.groups, list(inputs.notes)
    junk = _is_junk(probe)
    other_junk = np.zeros(0, bool) if gallery is None else _is_junk(gallery)
    numbers = _numbers(own if other is None else np.concatenate([own, other]))
    camera, others = numbers[: len(own)].astype(np.int64), numbers[len(own) :].astype(np.int64)
    if inputs.pairs is None and junk.any():  # else the pairs say by row what is verified
        probe, camera = _take(probe, ~junk), camera[~junk]
        groups = None if groups is None else replace(groups, values=groups.values[~junk])
        junk = junk[~junk]
    if gallery is None:
        roles = replace(Roles.among_all(camera), query=~junk, gallery=~junk)
    else:
        gallery, others = _take(gallery, ~other_junk), others[~other_junk]
        roles = stacked(len(probe), len(gallery), camera, others)
        roles = replace(roles, query=roles.query & ~np.concatenate([junk, np.zeros(len(gallery), bool)]))
    if left := len(inputs.probe) - int(roles.query.sum()) + int(other_junk.sum()):
        notes.append(f"{counted(left, 'row', 'rows')} of label -1 left out: junk, which counts neither way")
    notes.append(f"cameras are heeded: {roles}; verification counts every pair")
    return replace(inputs, probe=probe, gallery=gallery, groups=groups, roles=roles, notes=tuple(notes))


def _numbers(cameras: np.ndarray) -> np.ndarray:
    """(N,) a number for each camera; a row without one has a number of its own, as images of a data set do."""
    names, numbers = np.unique(np.char.strip(cameras), return_inverse=True)
    return np.where(np.char.strip(cameras) == "", len(names) + np.arange(len(cameras)), numbers)


def _is_junk(part: Embeddings) -> np.ndarray:
    """(N,) bool."""
    return np.array([name == _JUNK for name in part.classes], bool)[part.labels]


def _take(part: Embeddings, rows: np.ndarray) -> Embeddings:
    """Those rows; classes keep their numbers."""
    paths = None if part.paths is None else tuple(np.array(part.paths, dtype=object)[rows])
    return replace(part, x=part.x[rows], labels=part.labels[rows], paths=paths)
