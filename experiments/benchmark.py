"""Speed as ratios of two things timed alternately in one run: python experiments/benchmark.py."""

from __future__ import annotations

import signal

if __name__ == "__main__" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while modules load ends without their traces

import copy
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from sandbox.cli import flags
from sandbox.errors import exit_on_error
from sandbox.recipe.specs import Recipe

if TYPE_CHECKING:
    import numpy as np

HERE = Path(__file__).resolve().parent
WHAT = (
    "Time two things alternately and print the ratio of their medians. The settings of a recipe, which the benchmarks "
    "of step and workers train, are flags here as well: python experiments/run.py --help lists them."
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What benchmark.py takes beside a recipe's settings, which the step benchmark trains."""

    settings: Annotated[Recipe, tyro.conf.arg(name="")] = Recipe(miner="hard")
    only: Literal[
        "", "step", "help", "verification", "retrieval", "pairs", "bootstrap", "memory", "identify", "workers"
    ] = ""
    """Run one benchmark; verification, retrieval, memory and workers are the slow ones (minutes)."""
    rounds: int = 30
    """How often the two are timed in turn; slow pairs take fewer."""
    embeddings: str = ""
    """An npz for verification and pairs; 13,233 drawn embeddings of 5,749 identities where not given."""


@dataclass(frozen=True)
class Ratio:
    """Two medians and their ratio."""

    name: str
    ours: float
    other: float
    limit: float
    """What the ratio should stay under; where it is below zero, the other way round: how many times faster."""

    def __str__(self) -> str:
        """One line: both times, the ratio and what it should stay under."""
        ratio = self.ours / self.other
        times = f"{self.ours * 1e3:,.1f} ms against {self.other * 1e3:,.1f} ms"
        if self.limit < 0:
            return f"{self.name}: {times}, {1 / ratio:.2f} times faster (at least {-self.limit:.3g} wanted)"
        return f"{self.name}: {times}, ratio {ratio:.3f} (limit {self.limit:.3g})"


def main() -> None:
    """Run what was asked for."""
    prog = "python experiments/benchmark.py"
    command = flags.parse(Command, sys.argv[1:], prog=prog, description=WHAT, untold=("settings",))
    flags.quiet_libraries()
    if command.only in ("", "help"):
        print(help_against_import(min(command.rounds, 10)), flush=True)
    if command.only in ("", "step"):
        print(step_against_bare(command.settings, command.rounds), flush=True)
    for name, measure in (
        ("bootstrap", lambda: bootstrap_seconds(command.rounds)),
        ("pairs", lambda: pairs_against_gather(*_faces(command.embeddings), command.rounds)),
        ("verification", lambda: verification_against_others(*_faces(command.embeddings), command.rounds)),
        ("retrieval", lambda: retrieval_against_others(min(command.rounds, 3))),
        ("identify", lambda: identify_against_embedding(command.rounds)),
        ("memory", memory_by_rows),
        ("workers", lambda: workers_against_threads(command.settings, min(command.rounds, 3))),
    ):
        if command.only in ("", name):
            for line in measure():
                print(line, flush=True)


def _faces(file: str) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (N, 128) float32 and labels: of a file, or drawn with as many rows and identities as LFW."""
    import numpy as np

    if file:
        from sandbox.data.formats.embeddings import read_embeddings

        held = read_embeddings(Path(file))
        return held.x, held.labels
    rng = np.random.default_rng(0)
    share = np.arange(1, 5750) ** -0.9
    y = np.concatenate([np.arange(5749), rng.choice(5749, 13233 - 5749, p=share / share.sum())])
    x = rng.normal(size=(5749, 128))[y] + 0.8 * rng.normal(size=(len(y), 128))
    return x.astype(np.float32), y


def alternate(ours: Callable[[], object], other: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of each; one after the other in every round, the order turned each time, the first not counted."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        pair = [(ours, seconds[0]), (other, seconds[1])]
        for action, kept in pair if turn % 2 else reversed(pair):
            began = time.perf_counter()
            action()
            if turn:
                kept.append(time.perf_counter() - began)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def help_against_import(rounds: int) -> Ratio:
    """`run.py --help` against `import torch`, each in a fresh process."""

    def process(*words: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)

    ours, other = alternate(process(str(HERE / "run.py"), "--help"), process("-c", "import torch"), rounds)
    return Ratio("run.py --help against import torch", ours, other, 1 / 3)


def step_against_bare(recipe: Recipe, rounds: int) -> Ratio:
    """A step of the loop against forward, loss, backward and optimizer step on a batch that is in memory."""
    import torch

    from sandbox.backbones.embed import to_tensor
    from sandbox.pipeline.prepare import prepare
    from sandbox.training.loop import train
    from sandbox.training.optimizer import make_optimizer

    t = prepare(recipe).training
    network, objective = copy.deepcopy(t.network), copy.deepcopy(t.objective)
    optimizer = make_optimizer(network, objective, recipe.optimizer)
    index = t.batches.take(0)
    x = to_tensor(t.pixels[index]).to(t.device).float() / 255
    x = x.contiguous(memory_format=torch.channels_last)
    y = torch.from_numpy(t.labels[index]).to(t.device)
    steps = train(t)

    def bare() -> None:
        with torch.autocast(t.device.type, dtype=t.autocast, enabled=t.autocast is not None):
            embeddings = network(x)
        total = objective(embeddings, y).total
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        optimizer.step()

    for _ in range(5):  # warm up both
        next(steps)
        bare()
    ours, other = alternate(lambda: next(steps), bare, min(rounds * 5, t.total - 20))
    return Ratio(f"step of {t.batches.size} images against a bare step", ours, other, 1.05)


def bootstrap_seconds(rounds: int) -> Iterator[str]:
    """1,000 resamples of MAP@R over 10,000 queries of 2,000 and of 10,000 identities."""
    import numpy as np

    from sandbox.evaluation.intervals.bootstrap import bootstrap_means

    rng = np.random.default_rng(0)
    values = rng.random(10_000)
    for identities in (2_000, 10_000):
        groups = np.arange(10_000) % identities
        ours, _ = alternate(lambda groups=groups: bootstrap_means(values, groups), lambda: None, rounds)  # type: ignore[misc]
        yield f"1,000 resamples of 10,000 queries of {identities:,} identities: {ours:.3f} s"


def pairs_against_gather(x: np.ndarray, y: np.ndarray, rounds: int) -> Iterator[Ratio]:
    """900,000 given pairs scored, and judged, against gathering their rows and taking the inner products."""
    import numpy as np

    from sandbox.evaluation.verification.metrics import score_pairs, verify_pairs

    left, right = np.random.default_rng(0).integers(0, len(x), (2, 900_000))
    order = np.argsort(y, kind="stable")
    right[::2] = order[(np.searchsorted(y[order], y[left[::2]]) + 1).clip(max=len(y) - 1)]
    same, unit = y[left] == y[right], x / np.linalg.norm(x, axis=1, keepdims=True)

    def gather() -> None:
        np.einsum("ij,ij->i", unit[left], unit[right])

    ours, other = alternate(lambda: score_pairs(x, left, right), gather, min(rounds, 10))
    yield Ratio("score 900,000 given pairs against gather and dot product", ours, other, 3)
    far = (1e-1, 1e-2, 1e-3)
    ours, other = alternate(lambda: verify_pairs(x, left, right, same, y=y).figures(far), gather, min(rounds, 10))
    yield Ratio("the same with all figures and intervals", ours, other, 3)


def verification_against_others(x: np.ndarray, y: np.ndarray, rounds: int) -> Iterator[Ratio | str]:
    """AUC, EER and TAR@FAR over all pairs against a plain matrix product and against scikit-learn."""
    import numpy as np
    from sklearn.metrics import roc_auc_score, roc_curve

    from sandbox.evaluation.verification.metrics import verify_all_pairs

    far = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    product = np.empty((len(x), len(x)), np.float32)
    auc = []

    def ours() -> None:
        auc.append(verify_all_pairs(x, y, far=far).figures(far)["verification/auc"]["value"])

    def others() -> None:
        scores = np.concatenate([unit[i] @ unit[i + 1 :].T for i in range(len(x) - 1)])
        same = np.concatenate([y[i] == y[i + 1 :] for i in range(len(x) - 1)])
        began = time.perf_counter()
        roc_curve(same, scores)
        value = roc_auc_score(same, scores)
        seconds.append(time.perf_counter() - began)
        apart.append(abs(value - auc[-1]))

    mine, plain = alternate(ours, lambda: np.matmul(unit, unit.T, out=product), min(rounds, 10))
    pairs = len(x) * (len(x) - 1) // 2
    yield Ratio(f"all {pairs:,} pairs against the matrix product, written over the last", mine, plain, 4)
    mine, plain = alternate(ours, lambda: unit @ unit.T, min(rounds, 10))
    yield Ratio("the same against the matrix product with its memory", mine, plain, 4)
    yield _resident("all pairs", x, y, 600)
    seconds: list[float] = []
    apart: list[float] = []
    times = []
    for _ in range(min(rounds, 3)):
        began = time.perf_counter()
        ours()
        times.append(time.perf_counter() - began)
        others()
    theirs = statistics.median(seconds)
    yield Ratio("all pairs against scikit-learn's roc_curve and roc_auc_score", statistics.median(times), theirs, -60)
    yield f"AUC apart from scikit-learn's by {max(apart):.1e}"


def retrieval_against_others(rounds: int) -> Iterator[Ratio | str]:
    """All retrieval figures with intervals against FAISS's own search, and against PML's AccuracyCalculator."""
    import faiss
    import torch
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator

    from sandbox.evaluation.retrieval.metrics import retrieval

    names = {"precision_at_1": "precision@1", "r_precision": "r_precision", "mean_average_precision_at_r": "map@r"}
    for rows, each, wanted in ((60_000, 5, 2), (20_000, 300, 1.3), (10_000, 1_000, 3)):
        x, y = _classes(rows, each)
        k = each - 1
        found: dict[str, float] = {}

        def ours(x: np.ndarray = x, y: np.ndarray = y, found: dict[str, float] = found) -> None:
            figures = retrieval(x, y, recall_at=(1,)).figures()
            found.update({key: float(entry["value"]) for key, entry in figures.items()})

        def search(x: np.ndarray = x, k: int = k) -> None:
            index = faiss.IndexFlatIP(x.shape[1])
            index.add(x)
            index.search(x, k)

        theirs: dict[str, float] = {}

        def calculator(x: np.ndarray = x, y: np.ndarray = y, theirs: dict[str, float] = theirs) -> None:
            judge = AccuracyCalculator(include=tuple(names), k="max_bin_count", device=torch.device("cpu"))
            theirs.update(judge.get_accuracy(torch.from_numpy(x), torch.from_numpy(y)))

        what = f"{rows:,} x 128 with {each:,} per class"
        yield Ratio(f"retrieval of {what} against FAISS's search for {k}", *alternate(ours, search, rounds), 1.2)
        yield Ratio(f"retrieval of {what} against AccuracyCalculator", *alternate(ours, calculator, rounds), -wanted)
        apart = max(abs(theirs[key] - found[f"retrieval/{name}"]) for key, name in names.items())
        yield f"figures apart from AccuracyCalculator's by {apart:.1e}; MAP@R {found['retrieval/map@r']:.3f}"


def _classes(rows: int, each: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows (N, 128) float32 of overlapping classes of one size, and labels."""
    import numpy as np

    rng = np.random.default_rng(0)
    y = np.arange(rows) % (rows // each)
    x = rng.normal(size=(rows // each, 128))[y] + 1.2 * rng.normal(size=(rows, 128))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), y


def identify_against_embedding(rounds: int) -> Iterator[Ratio]:
    """One image embedded and searched for among 100,000 enrolled people, against the embedding alone."""
    import numpy as np
    import torch

    from sandbox.backbones.network import make_network
    from sandbox.inference.trained import Trained
    from sandbox.recipe.specs import BackboneSpec
    from sandbox.recognition.gallery import make_gallery
    from sandbox.recognition.search import PeopleSearcher
    from sandbox.training.device import choose_autocast

    rng, cpu, people = np.random.default_rng(0), torch.device("cpu"), 100_000
    for name, head, size in (("nn4_small2", "none", 96), ("conv6", "linear", 32)):
        spec = BackboneSpec(name=name, head=head)  # type: ignore[arg-type]
        network = make_network(spec, channels=3, image_size=size, mean=[0.5] * 3, std=[0.25] * 3)
        network = network.to(memory_format=torch.channels_last).eval()
        embedder = Trained(name, "", network, size, 3, 0, False, cpu, choose_autocast("auto", cpu))
        x = rng.normal(size=(people, network.dim)).astype(np.float32)
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        names, nothing = [f"{place:06d}" for place in range(people)], [""] * people
        searcher = PeopleSearcher(make_gallery(x, names, nothing, nothing, nothing), "mean")
        image = rng.integers(0, 256, (1, size, size, 3), np.uint8)

        def alone(embedder: Trained = embedder, image: np.ndarray = image) -> np.ndarray:
            return embedder.embed(image)

        def identify(alone: Callable[[], np.ndarray] = alone, searcher: PeopleSearcher = searcher) -> None:
            searcher.search(alone())

        ours, other = alternate(identify, alone, rounds * 5)
        what = f"one image among {people:,} people of {network.dim} dimensions, by {name} at {size} px"
        yield Ratio(f"{what}, against embedding it", ours, other, 2)


def workers_against_threads(recipe: Recipe, rounds: int) -> Iterator[str]:
    """Trials an hour of one worker with all processors against one worker a processor; and what a trial costs beside.

    Trials of equal length: nothing is pruned. A process's start and its first trial are not counted.
    """
    processors = os.cpu_count() or 1
    paces: dict[int, list[float]] = {1: [], processors: []}
    beside: list[float] = []
    for turn in range(rounds):
        for workers in sorted(paces, reverse=bool(turn % 2)):
            pace, rest = _search_pace(recipe, workers, processors // workers)
            paces[workers].append(pace)
            beside += rest if workers == 1 else []
    many, one = (statistics.median(paces[workers]) for workers in (processors, 1))
    yield (
        f"trials an hour: {many:,.0f} by {processors} workers of one thread, {one:,.0f} by one worker of {processors}, "
        f"ratio {many / one:.2f}"
    )
    yield f"a trial beside training and evaluation: {statistics.median(beside):.2f} s (at most 0.6 wanted)"


def _search_pace(recipe: Recipe, workers: int, threads: int) -> tuple[float, list[float]]:
    """Trials an hour of a search, and the seconds of each trial that were neither training nor evaluation."""
    from sandbox.recipe.text import to_flags
    from sandbox.runs.folder import RunFolder
    from sandbox.tuning.study.read import read_study

    given = to_flags(replace(recipe, loss="triplet(margin=tune(0.05, 0.5))", threads=threads))
    with tempfile.TemporaryDirectory() as out:
        words = f"--trials {4 * workers} --workers {workers} --sampler random --pruner none --no_baseline --no_pictures"
        line = " ".join([sys.executable, str(HERE / "tune.py"), *given, *words.split(), "--study mine --out", out])
        subprocess.run(line, shell=True, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        trials = list(read_study(Path(out) / "mine").trials)[workers:]
        began = [trial.started.timestamp() for trial in trials if trial.started]
        ended = [trial.ended.timestamp() for trial in trials if trial.ended]
        runs = [RunFolder(Path(out) / "mine" / "runs" / trial.runs[0]).read_json("run.json") for trial in trials]
    inside = [run["seconds"]["total"] for run in runs]
    beside = [end - begin - own for begin, end, own in zip(began, ended, inside, strict=True)]
    between = [later - earlier for earlier, later in zip(ended, began[1:], strict=False)] if workers == 1 else [0.0]
    beside = [seconds + statistics.fmean(between) for seconds in beside]
    return 3600 * len(trials) / (max(ended) - min(began)), beside


def memory_by_rows() -> Iterator[str]:
    """Resident memory of retrieval and of verification, which grows with the rows, not with their square."""
    for rows in (25_000, 50_000, 100_000):
        x, y = _classes(rows, 5)
        yield _resident("retrieval", x, y)
        yield _resident("all pairs", x, y)


def _resident(what: str, x: np.ndarray, y: np.ndarray, limit: int = 0) -> str:
    """Peak resident memory of one evaluation in a fresh process, beyond its imports and the embeddings (Linux)."""
    import tempfile

    import numpy as np

    body = {
        "retrieval": "retrieval(x, y).figures()",
        "all pairs": "verify_all_pairs(x, y, far=far).figures(far)",
    }[what]
    program = f"""
import sys, time
import numpy as np
from sandbox.evaluation.retrieval import retrieval
from sandbox.evaluation.verification import verify_all_pairs
far = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
def judge(x, y):
    {body}
small = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
judge(small, np.arange(50) // 2)  # compiled code and libraries count as imports
held = np.load(sys.argv[1])
x, y = held["x"], held["y"]
def resident(what):
    line = next(line for line in open("/proc/self/status") if line.startswith(what))
    return int(line.split()[1]) / 1024
open("/proc/self/clear_refs", "w").write("5")  # the peak so far is forgotten
before = resident("VmRSS")
began = time.perf_counter()
judge(x, y)
seconds = time.perf_counter() - began
print(resident("VmHWM") - before, seconds)
"""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.npz"
        np.savez(file, x=x, y=y)
        done = subprocess.run(
            [sys.executable, "-c", program, str(file)], check=True, capture_output=True, text=True, cwd=HERE.parent
        )
    megabytes, seconds = (float(word) for word in done.stdout.split())
    wanted = f" (limit {limit})" if limit else ""
    return f"{what} of {len(x):,} rows: {megabytes:,.0f} MiB beyond the imports{wanted}, {seconds:.1f} s"


if __name__ == "__main__":
    exit_on_error(main)
