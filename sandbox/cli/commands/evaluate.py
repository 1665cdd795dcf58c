"""Score embeddings or a finished run: python experiments/evaluate.py --embeddings FILE.npz --pairs pairs.txt."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sandbox.called import called
from sandbox.cli import flags
from sandbox.cli.outputs import make_folders
from sandbox.cli.say import say
from sandbox.cli.tables import print_figures
from sandbox.errors import SandboxError
from sandbox.files import write_whole
from sandbox.inference.network_text import is_network_alone

if TYPE_CHECKING:
    from sandbox.scoring.inputs import Inputs, Options
    from sandbox.scoring.score import Scored

WHAT = (
    "Score embeddings that were made anywhere, or those of a finished run: retrieval, verification over given or over "
    "all pairs, identification against a gallery; every figure with its 95 % interval by identity. An npz holds "
    "embeddings (N, D) and labels (N,) or paths (N,), whose label is the folder's name; where it holds cameras (N,) "
    "too, what shows a query's class in the query's own camera does not count."
)


NEEDS = {
    "split": ("run",),
    "fpir": ("validation", "run"),
    "enrol": ("validation", "run"),
    "template": ("gallery", "validation", "run"),
    "episode_count": ("episodes",),
    "episode_queries": ("episodes",),
    "validation_pairs": ("validation",),
    "fit": ("after",),
    "templates": ("pairs",),
}
"""Flags that change nothing without one of these others."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What evaluate.py takes."""

    embeddings: str = ""
    """An npz of embeddings to score."""
    run: tuple[str, ...] = ()
    """Or the folder of a finished run; of several, as an ensemble; with --bin also any network that
    embed.py takes, such as FILE.onnx."""
    split: Literal["test", "val"] = "test"
    """Which split of the run."""
    bin: str = ""
    """With --run: an InsightFace verification set (.bin), embedded by the run's network."""
    submit: str = ""
    """With --run, of a homework: answer its lists without labels, as CSV files in this folder, and score nothing."""
    gallery: str = ""
    """An npz that the embeddings are queries to; without it each row searches the others."""
    pairs: str = ""
    """Pairs to verify: LFW's lists, lines 'a b 0/1', or CSV; all pairs where not given."""
    templates: str = ""
    """The IJB protocols' list of images, lines 'image template medium': templates are scored, and --pairs is their list
    of pairs, lines 'template template 0/1'."""
    folds: int = 0
    """Also accuracy by this many folds, each threshold chosen on the others; a list that has folds needs no flag."""
    validation: str = ""
    """An npz of people in no test, to choose thresholds on (balanced accuracy, DIR at FPIR)."""
    validation_pairs: str = ""
    """Pairs of its rows, which choose a threshold of accuracy as well; all of them where not given."""
    by: str = ""
    """An array of the npz, or a column of the run's images, such as category, by each of whose values verification is
    given too, all at one threshold: the one that validation chose, else the best of all rows together."""
    metric: Literal["cosine", "dot", "l2"] = "cosine"
    """How alike two rows are; l2 is minus the squared distance."""
    index: Literal["flat", "ivf", "hnsw"] = "flat"
    """FAISS index for retrieval: flat is exact, the others report their recall against it."""
    recall_at: tuple[int, ...] = (1, 5, 10)
    """The k of recall@k."""
    far: tuple[float, ...] = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    """False accept rates at which the true accept rate is reported."""
    fpir: tuple[float, ...] = (1e-1, 1e-2)
    """False positive identification rates, with --validation."""
    enrol: int = 1
    """Images enrolled for each person in open-set identification."""
    template: Literal["mean", "best"] = "mean"
    """A person with several gallery images: their mean, or the best match among them."""
    episodes: str = ""
    """Few-shot tasks whose accuracy is reported, such as "5-way 1-shot, 20-way 5-shot"."""
    episode_count: int = 1000
    """Episodes of each task, drawn from all classes, the same ones whatever the embeddings."""
    episode_queries: int = 15
    """Images of each class that an episode asks for."""
    calibrate: Literal["none", "logistic", "isotonic"] = "none"
    """Calibrate the scores of --pairs, on other folds or on validation, and report Cllr."""
    clustering: bool = False
    """Also k-means with AMI and NMI; slow with thousands of classes."""
    figures: str = ""
    """Figures by the names that other tables use: "map, minp, ndcg@10, precision@5, pauc@0.01, fold_tar@0.001"."""
    after: str = ""
    """What comes after the embedding, such as "whiten(128) + rerank(k1=20, k2=6)": center, pca, whiten, aqe, rerank,
    and templates (the npz has 'templates' and 'media' too); its figures stand as after/... beside the plain ones."""
    fit: str = ""
    """With --after: an npz of people in no test, to fit center, pca and whiten on; --validation where not given."""
    out: str = ""
    """Folder for report.json, findings and pictures."""
    json: str = ""
    """File to write the report to."""


def main(argv: Sequence[str]) -> None:
    """Read the flags, score, print."""
    command = flags.parse(Command, argv, prog=called("evaluate"), description=WHAT)
    _check(command, given={word[2:].split("=")[0].replace("-", "_") for word in argv if word.startswith("--")})
    flags.quiet_libraries()
    if command.submit:
        from sandbox.scoring.homework import submit

        for file in submit(Path(command.run[0]), Path(command.submit)):
            say(f"wrote {file}")
        return
    from sandbox.scoring.score import score

    options = _options(command)
    if len(command.run) > 1:
        _together(command, options)
        return
    inputs = _inputs(command, options)
    _make_folders(command)
    scored = score(inputs, options)
    for finding in scored.findings:
        say(f"note: {finding.text}", file=sys.stderr)
    print_figures(scored.figures)
    write(command, scored.figures, scored, inputs)


def _together(command: Command, options: Options) -> None:
    """Score several runs, each by itself and all as one."""
    from sandbox.cli.ensemble import print_ensemble
    from sandbox.scoring.ensemble import of_runs, score_together

    ensemble = of_runs([Path(run) for run in command.run], command.split)
    _make_folders(command)
    found = score_together(ensemble, options)
    for text in (*ensemble.notes, *(finding.text for finding in found.concatenated.findings)):
        say(f"note: {text}", file=sys.stderr)
    print_ensemble(found)
    write(command, found.document(), found.concatenated, ensemble.concatenated)


def _make_folders(command: Command) -> None:
    make_folders([command.out, command.json and str(Path(command.json).parent)])


def _check(command: Command, given: set[str]) -> None:
    """Refuse flags that contradict each other or change nothing, and numbers out of range."""
    for flag in given:
        if getattr(command, flag, None) == "" or (flag == "run" and "" in command.run):
            raise SandboxError(f"--{flag} is empty")
    if bool(command.embeddings) == bool(command.run):
        raise SandboxError("give either --embeddings FILE.npz or --run DIR" + (", not both" if command.run else ""))
    for run in command.run:
        if is_network_alone(run) and not command.bin:
            raise SandboxError(
                f"{run} is a network and holds no images or lists: add --bin FILE.bin or give its run's folder"
            )
    for flag in ("bin", "submit"):
        if getattr(command, flag) and len(command.run) > 1:
            raise SandboxError(f"--{flag} takes the network of one run, but --run names {len(command.run)}")
    if command.submit and not command.run:
        raise SandboxError("--submit answers a homework with the network of a run: give --run DIR")
    if command.bin and not command.run:
        raise SandboxError("--bin holds images, which the network of --run DIR must embed")
    for flag in ("gallery", "pairs", "validation", "validation_pairs", "fit"):
        if command.run and getattr(command, flag):
            raise SandboxError(f"--{flag} names rows of --embeddings; a run brings its own")
    if command.by and (command.bin or len(command.run) > 1):
        raise SandboxError("--by names a column of one run's images, or an array of --embeddings")
    for flag in ("run", "gallery", "validation", "after", "clustering", "episodes", "by"):
        if command.templates and flag in given:
            raise SandboxError(f"--templates scores the templates of --embeddings by --pairs; leave --{flag} out")
    if command.submit and given - {"run", "submit"}:
        extra = sorted(given - {"run", "submit"})[0]
        raise SandboxError(f"--submit takes --run alone and scores nothing; leave --{extra} out")
    for flag, needed in NEEDS.items():
        if flag in given and not any(getattr(command, other) for other in needed):
            raise SandboxError(f"--{flag} changes nothing without --{' or --'.join(needed)}")
    if command.bin and given & {"split", "fpir", "enrol", "template"}:
        raise SandboxError("--split, --fpir, --enrol and --template are for the run's own images; --bin brings pairs")
    if command.bin and command.episodes:
        raise SandboxError("--episodes draws classes, and --bin holds pairs of images without any")
    for flag, least, most in (("episode_count", 2, 10**5), ("episode_queries", 1, 1000)):
        if not least <= getattr(command, flag) <= most:
            raise SandboxError(f"--{flag} is {getattr(command, flag)}, but lies between {least} and {most:,}")
    if command.metric == "l2" and command.template == "mean" and "template" in given:
        raise SandboxError(
            "--template mean is of directions; with --metric l2 a person is as near as the nearest image"
        )
    if command.folds < 0 or command.folds == 1:
        raise SandboxError(f"--folds is {command.folds}, but is at least 2")
    if command.enrol < 1:
        raise SandboxError(f"--enrol is {command.enrol}, but is at least 1")
    if not command.recall_at or min(command.recall_at) < 1:
        raise SandboxError("--recall_at takes whole numbers of at least 1")
    for flag, is_folder in (("out", True), ("json", False)):
        place = getattr(command, flag)
        if place and os.path.exists(place) and os.path.isdir(place) != is_folder:
            is_a, wanted = ("file", "folder") if is_folder else ("folder", "file")
            raise SandboxError(f"--{flag} {place} is a {is_a}, but a {wanted} is needed")
    for flag in ("far", "fpir"):
        wrong = [rate for rate in getattr(command, flag) if not 0 < rate < 1]
        if wrong:
            raise SandboxError(f"--{flag} holds {wrong[0]:g}, but is above 0 and below 1")


def _options(command: Command) -> Options:
    from sandbox.recipe.after import parse_steps
    from sandbox.recipe.episodes import Episodes
    from sandbox.recipe.extra import parse_extra
    from sandbox.scoring.inputs import Options

    given = {name: getattr(command, name) for name in Options.__dataclass_fields__ if hasattr(command, name)}
    episodes = Episodes.of(command.episodes, command.episode_count, command.episode_queries, "--episodes")
    asked = {"extra": parse_extra(command.figures, "--figures"), "after": parse_steps(command.after, "--after")}
    return Options(**(given | {"episodes": episodes, "by": None} | asked))


def _inputs(command: Command, options: Options) -> Inputs:
    from sandbox.scoring.columns import with_columns
    from sandbox.scoring.inputs import read

    if command.run:
        from sandbox.scoring.from_run import of_bin, of_run

        folder = Path(command.run[0])
        return of_bin(folder, Path(command.bin)) if command.bin else of_run(folder, command.split, command.by)
    if command.templates:
        from sandbox.scoring.templates import of_templates

        return of_templates(Path(command.embeddings), Path(command.templates), Path(command.pairs))
    path = lambda text: Path(text) if text else None  # noqa: E731
    inputs = read(
        Path(command.embeddings),
        gallery=path(command.gallery),
        pairs=path(command.pairs),
        validation=path(command.validation),
        validation_pairs=path(command.validation_pairs),
        fit=path(command.fit),
        after=options.after,
    )
    return with_columns(inputs, Path(command.embeddings), path(command.gallery), command.by)


def write(command: Command, report: Mapping[str, Any], scored: Scored, inputs: Inputs) -> None:
    """The report as JSON, and with --out also findings and pictures; says where they are."""
    import json

    text = json.dumps(report, indent=1, allow_nan=False) + "\n"
    if command.json:
        write_whole(Path(command.json), text)
        say(f"wrote {command.json}")
    if command.out:
        out = Path(command.out)
        write_whole(out / "report.json", text)
        found = "".join(f"{f.rule}: {f.text}\n" for f in scored.findings)
        write_whole(out / "findings.txt", found or "nothing was found\n")
        say(f"wrote {out}: {', '.join(['report.json', 'findings.txt', *draw(command, scored, inputs, out)])}")


def draw(command: Command, scored: Scored, inputs: Inputs, out: Path) -> list[str]:
    """ROC and DET, their points as CSV, and CMC; of a run each image searches the others.

    Returns:
        The files.
    """
    from sandbox.evaluation.identification.leave_one_out import ranks_among_others
    from sandbox.reporting.plots.curves import draw_cmc, draw_trade_offs

    many = len(command.run)
    name = f"{many} runs, concatenated" if many > 1 else Path(*command.run or [command.embeddings]).resolve().name
    files = []
    if scored.verification is not None:
        files += ["roc.csv", "roc_det.png"]
        far, tar, threshold = scored.verification.curve.points()
        rows = "".join(f"{t:.9g},{f:.9g},{a:.9g}\n" for t, f, a in zip(threshold, far, tar, strict=True))
        write_whole(out / "roc.csv", "threshold,far,tar\n" + rows)
        draw_trade_offs(scored.verification, out / "roc_det.png", title=name)
    if scored.ranks is not None:
        files += ["cmc.png"]
        draw_cmc(scored.ranks, out / "cmc.png", how="probes against the gallery")
    elif command.run and inputs.retrieve and inputs.roles is None:
        ranks, people = ranks_among_others(inputs.probe.x, inputs.probe.labels, metric=command.metric)
        if len(ranks):
            files += ["cmc.png"]
            draw_cmc(ranks, out / "cmc.png", identities=people, how="each image against all others")
    return files
