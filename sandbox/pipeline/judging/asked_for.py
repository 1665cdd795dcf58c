"""Whether the images of a run allow the further figures, and the steps after the embedding, that are asked for."""

from __future__ import annotations

from sandbox.data.splits.roles import roles_of
from sandbox.data.splits.splits import Splits
from sandbox.errors import SandboxError
from sandbox.evaluation.after.chain import check_steps
from sandbox.evaluation.roles import matches
from sandbox.evaluation.verification.fold_tar import check_folds
from sandbox.recipe.after import parse_steps
from sandbox.recipe.extra import parse_extra
from sandbox.recipe.specs import EvaluateSpec


def check_asked(spec: EvaluateSpec, splits: Splits, columns: int) -> None:
    """Refuse steps after the embedding, and figures, that the images of a run do not allow.

    Args:
        spec: what is asked for.
        splits: of the run.
        columns: of its embeddings.

    Raises:
        SandboxError: says which, and what there is.
    """
    for one in (one for one in parse_extra(spec.figures) if one.name == "fold_tar"):
        for name in ("val", "test"):
            _, pairs, apart = splits.part(name)
            pairs = pairs if apart is None else apart.pairs
            if pairs is not None and pairs.fold is not None:
                check_folds(pairs.same, pairs.fold)
            elif name == "test":
                raise SandboxError(f"evaluate.figures asks for {one}, which is of given pairs in folds; test has none")
    searched = len(splits.test) - 1
    for name, images in (("validation", splits.val), ("test", splits.test)):
        if (roles := roles_of(images)) is None:
            continue
        if not matches(images.labels, roles).any():
            where = "" if roles.camera is None else " that another camera saw"
            raise SandboxError(f"no query of {name} has an image of its class{where} in the gallery")
        if name == "test":
            searched = int(roles.gallery.sum()) - int(roles.query.all())
    steps = parse_steps(spec.after)
    if any(step.name == "templates" for step in steps):
        raise SandboxError(
            "evaluate.after asks for templates, but the images of a run do not say of which template and medium they "
            "are; evaluate.py --after templates reads that from an npz"
        )
    if steps and len(splits.test):
        check_steps(steps, rows=len(splits.val), columns=columns, searched=searched)
