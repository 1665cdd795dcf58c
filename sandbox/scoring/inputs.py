"""What is to be scored, and what is wanted of it; read from files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sandbox.data.formats.pairs.pair_rows import read_pairs
from sandbox.data.formats.rows.embeddings import Embeddings, read_embeddings, renumber
from sandbox.data.formats.rows.template_marks import read_marks
from sandbox.data.names import joined_notes
from sandbox.errors import SandboxError
from sandbox.evaluation import report
from sandbox.evaluation.after.chain import Marks
from sandbox.evaluation.lint.identical_rows import first_identical
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.roles import Roles
from sandbox.evaluation.verification.by_value import Groups
from sandbox.recipe.after import Step
from sandbox.runs.embeddings import KeptSet
from sandbox.wording import counted


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Embeddings to be scored, what they are compared with, and what thresholds are chosen on."""

    probe: Embeddings
    gallery: Embeddings | None = None
    pairs: Pairs | None = None
    """Of rows of what is verified; all pairs where None."""
    verify: Embeddings | None = None
    """What is verified in place of the probe, where classification and verification have images apart."""
    validation: Embeddings | None = None
    """Of people who are in no test: thresholds and calibration are fitted on it."""
    validation_pairs: Pairs | None = None
    validation_verify: Embeddings | None = None
    """The same of validation, which `validation_pairs` then are of."""
    closed: bool = False
    """Whether training, and validation if it is there, hold the same identities on purpose."""
    tried: KeptSet | None = None
    """One-shot trials, and the embeddings that they are of."""
    trials_alone: bool = False
    """Whether these are all that is asked, and the probe is their images."""
    retrieve: bool = True
    """Whether the labels are good enough for retrieval."""
    fit: Embeddings | None = None
    """Rows in no test that what comes after the embedding is fitted on; `validation` where None."""
    marks: Marks | None = None
    """Of which template and medium each row of the probe is, where that is asked for."""
    gallery_marks: Marks | None = None
    roles: Roles | None = None
    """Which rows ask and are searched, and which camera saw each: of the probe, with the gallery's behind them."""
    groups: Groups | None = None
    """A column of the probe that figures are given by."""
    notes: tuple[str, ...] = ()
    """Sentences on how the files were read: what was passed over, and which names were joined."""


@dataclass(frozen=True, kw_only=True)
class Options(report.Options):
    """How they are scored; what the flags of evaluate.py say in full."""

    far: tuple[float, ...] = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    fpir: tuple[float, ...] = (1e-1, 1e-2)
    """False positive identification rates at which thresholds are fitted."""
    folds: int = 0
    """Folds that a list of pairs without any is cut into; 0 cuts none."""
    calibrate: Literal["none", "logistic", "isotonic"] = "none"
    enrol: int = 1
    """Images of a person in the gallery of open-set identification."""
    template: Literal["best", "mean"] = "mean"
    clustering: bool = False
    after: tuple[Step, ...] = ()
    """What comes after the embedding; its figures stand beside the plain ones."""


def read(
    embeddings: Path,
    *,
    gallery: Path | None = None,
    pairs: Path | None = None,
    validation: Path | None = None,
    validation_pairs: Path | None = None,
    fit: Path | None = None,
    after: Sequence[Step] = (),
) -> Inputs:
    """Read everything from files; classes of one name get one number across them.

    For `after`, marks of templates are read where it has them, and what it is fitted on holds no row that is scored.

    Raises:
        SandboxError: a file is absent, damaged or does not fit; file and line or row are named.
    """
    files = {"probe": embeddings, "gallery": gallery, "validation": validation, "fit": fit}
    parts = {name: read_embeddings(file) for name, file in files.items() if file is not None}
    for name, part in parts.items():
        if part.x.shape[1] != parts["probe"].x.shape[1]:
            raise SandboxError(
                f"{files[name]} has {part.x.shape[1]} dimensions, but {embeddings} has {parts['probe'].x.shape[1]}"
            )
    numbered = dict(zip(parts, renumber(*parts.values()), strict=True))
    if validation_pairs is not None and validation is None:
        raise SandboxError("--validation_pairs names rows of --validation, which is missing")
    held = "validation" if fit is None else "fit"
    if held in numbered and any(step.fitted for step in after):
        tested = {str(files[name]): numbered[name] for name in ("probe", "gallery") if name in numbered}
        refuse_test_rows(numbered[held], str(files[held]), tested)
    marked = {
        name: read_marks(Path(file), len(numbered[name]))
        for name, file in files.items()
        if file is not None and name in ("probe", "gallery") and any(step.name == "templates" for step in after)
    }
    listed = [
        None if file is None or part is None else read_pairs(file, part.paths, len(part))
        for file, part in ((pairs, numbered["probe"]), (validation_pairs, numbered.get("validation")))
    ]
    return Inputs(
        probe=numbered["probe"],
        gallery=numbered.get("gallery"),
        validation=numbered.get("validation"),
        pairs=listed[0],
        validation_pairs=listed[1],
        fit=numbered.get("fit"),
        marks=marked.get("probe"),
        gallery_marks=marked.get("gallery"),
        notes=(
            *joined_notes(name for part in parts.values() for name in part.spellings),
            *(note for one in listed if one is not None for note in one.notes),
        ),
    )


def refuse_test_rows(fit: Embeddings, file: str, tested: Mapping[str, Embeddings]) -> None:
    """Refuse to fit on a row that is scored.

    Raises:
        SandboxError: says how many rows of the file are, and names the first.
    """
    for name, part in tested.items():
        twin = first_identical(part.x, fit.x)[len(part) :] < len(part)
        if twin.any():
            rows = counted(int(twin.sum()), "row of it stands", "rows of it stand")
            raise SandboxError(
                f"--after is never fitted on what is scored, but {file} is fitted on and {rows} in {name}, the first "
                f"row {int(twin.argmax())}"
            )
