"""What the runs of all folds come to: one report, one row."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from sandbox.data.catalog import data_sets
from sandbox.errors import SandboxError
from sandbox.evaluation.figures import Figures
from sandbox.evaluation.pairs import Pairs
from sandbox.evaluation.verification import cross_validation
from sandbox.evaluation.verification.by_network import FoldScores, figures
from sandbox.evaluation.verification.cross_validation import Folded, best_threshold
from sandbox.evaluation.verification.metrics import score_pairs
from sandbox.recipe.specs import Recipe
from sandbox.reporting.records.run import RAW_PIXELS, UNTRAINED
from sandbox.runs.embeddings import KeptEmbeddings, KeptSet, read_embeddings
from sandbox.runs.environment import surroundings
from sandbox.runs.folder import RunFolder
from sandbox.runs.folds import fold_folders
from sandbox.wording import counted

_RIGHT = "verification/accuracy@validation"
Report = dict[str, Figures]


def conclude(folder: RunFolder, *, pictures: bool = True) -> Report:
    """Write the report of all folds, what is known of their runs, and the page; the status last.

    Args:
        folder: whose runs are all done.
        pictures: whether the page is written.

    Raises:
        SandboxError: a run is damaged, or has no pairs.
    """
    runs, recipe = fold_folders(folder), folder.recipe()
    report: Report = {"test": figures([fold_scores(one) for one in runs], recipe.evaluate.far)}
    folder.write_json("report.json", report)
    folder.write_json("baselines.json", _baselines(runs))
    folder.update(**_facts(recipe, runs, report), **surroundings())
    if pictures:
        from sandbox.reporting.page.written.folds import write_folds_page

        write_folds_page(folder)
    folder.update(status="done")
    return report


def fold_scores(run: RunFolder) -> FoldScores:
    """The tested pairs of a fold's run, scored by its network, with the threshold that its validation chose.

    Raises:
        SandboxError: its pairs are not there, or its report is not of its embeddings.
    """
    kept = read_embeddings(run)
    test, pairs = _verified(kept, "test")
    scored = FoldScores(
        score_pairs(test.x, pairs.left, pairs.right),
        pairs.same,
        test.labels[pairs.left],
        test.labels[pairs.right],
        _threshold(run, kept, pairs),
    )
    said = run.read_json("report.json")["test"].get(_RIGHT)
    if said is not None and abs(said["value"] - scored.accuracy) > 1e-9:
        raise SandboxError(
            f"the report of {run.path} says that {said['value']:.4f} of its pairs are right, but by its embeddings "
            f"{scored.accuracy:.4f} are; take that folder away, and the fold is trained anew"
        )
    return scored


def _threshold(run: RunFolder, kept: KeptEmbeddings, tested: Pairs) -> float:
    """What its report has; one that is not finite is in no report."""
    found = run.validation_threshold("verification/accuracy")
    if found is not None:
        return found
    val, pairs = _verified(kept, "val")
    return best_threshold(score_pairs(val.x, pairs.left, pairs.right), pairs.same, tested.mix)[0]


def _verified(kept: KeptEmbeddings, split: str) -> tuple[KeptSet, Any]:
    """What is verified of a split, and its pairs."""
    own = kept.take(f"{split}/verify" if f"{split}/verify" in kept else split)
    if own.pairs is None:
        raise SandboxError(f"{kept.path} has no pairs of {split}, and a mean over folds is of pairs")
    return own, own.pairs


def _baselines(runs: Sequence[RunFolder]) -> dict[str, Report]:
    """Of each baseline that every fold has, the mean accuracy; their scores are not kept, so that nothing is pooled."""
    found: dict[str, Report] = {}
    all_of = [one.read_json("baselines.json") for one in runs if (one.path / "baselines.json").is_file()]
    for name in (RAW_PIXELS, UNTRAINED):
        entries = [one[name]["test"][_RIGHT] for one in all_of if _RIGHT in one.get(name, {}).get("test", {})]
        if len(entries) == len(runs):
            accuracy, threshold, n = (np.array([one[key] for one in entries]) for key in ("value", "threshold", "n"))
            found[name] = {"test": cross_validation.figures(Folded(accuracy, threshold, n))}
    return found


def _facts(recipe: Recipe, runs: Sequence[RunFolder], report: Report) -> dict[str, Any]:
    """What run.json says of all runs together."""
    facts = [one.read_json("run.json") for one in runs]
    test, pairs = [one["data"]["test"] for one in facts], int(report["test"]["verification/auc"]["n"])
    first, folds = facts[0], data_sets()[recipe.data.name].folds
    assert folds is not None
    splits = "\0".join(str(one["split"]) for one in facts)
    began_trained = bool(recipe.backbone.weights or recipe.resume_from)
    alike = len({str((one.get("versions"), one.get("git"))) for one in facts})
    states = [f"the folds were trained by {alike} states of the code or its libraries"] if alike > 1 else []
    return {
        **{name: first[name] for name in ("objective", "parameters", "batch", "device", "precision") if name in first},
        "split": hashlib.sha256(splits.encode()).hexdigest()[:12],
        "data": {"test": {what: sum(one[what] for one in test) for what in ("images", "classes")}},
        "judged_on": f"{folds.protocol(recipe.data, len(runs))}; {counted(pairs, 'pair', 'pairs')}",
        "published": folds.published(began_trained),
        "steps": max(one["steps"] for one in facts),
        "seconds": {what: round(sum(one["seconds"][what] for one in facts), 2) for what in ("total", "training")},
        "images_per_second": round(sum(one["images_per_second"] for one in facts) / len(facts), 1),
        "peak_memory": {"resident": max(one["peak_memory"]["resident"] or 0 for one in facts) or None, "device": None},
        "notes": [*_lines(facts, "notes"), *states],
        "health": _lines(facts, "health"),
        "test_evaluations": max(int(one.get("test_evaluations", 1)) for one in facts),
    }


def _lines(facts: Sequence[dict[str, Any]], name: str) -> list[str]:
    """What was said of the runs: of all of them once, of single folds with their number."""
    said: dict[str, list[int]] = {}
    for fold, one in enumerate(facts, start=1):
        for line in one.get(name, ()):
            said.setdefault(str(line), []).append(fold)
    return [
        line if len(folds) == len(facts) else f"fold {', '.join(map(str, folds))}: {line}"
        for line, folds in said.items()
    ]
