"""Templates of images, compared as a list of pairs says: the IJB protocols' verification."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sandbox.data.formats.pairs.ijb_lists import read_template_list, read_template_pairs
from sandbox.data.formats.rows.embeddings import Embeddings, read_embeddings
from sandbox.evaluation.after.templates import template_rows
from sandbox.evaluation.similarity import unit
from sandbox.scoring.inputs import Inputs


def of_templates(embeddings: Path, templates: Path, pairs: Path) -> Inputs:
    """Images of one template as one row, first within a medium, then over media, and the pairs of these.

    The lists name no people: templates that genuine pairs join are taken for one person's.

    Raises:
        SandboxError: a file is absent, damaged or does not fit the others.
    """
    held = read_embeddings(embeddings)
    listed = read_template_list(templates, held.paths, len(held))
    names, of = np.unique(listed.template, return_inverse=True)
    x, _ = template_rows(unit(held.x[listed.row]), of, of, listed.medium)
    compared = read_template_pairs(pairs, names)
    genuine = (compared.left[compared.same], compared.right[compared.same])
    joins = coo_array((np.ones(int(compared.same.sum())), genuine), shape=(len(names), len(names)))
    count, people = connected_components(joins, directed=False)
    return Inputs(
        probe=Embeddings(x, people.astype(np.int64), tuple(map(str, range(count))), tuple(map(str, names.tolist()))),
        pairs=compared,
        retrieve=False,
        notes=(
            f"{len(listed.row):,} images are {len(names):,} templates, each the mean of its media's means",
            *listed.notes,
        ),
    )
