"""What `import sandbox` gives agrees with the commands, and refuses in one sentence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pytorch_metric_learning import miners, samplers, trainers
from torch import nn

import sandbox
from sandbox import SandboxError
from sandbox.objectives.objective import build
from sandbox.objectives.resolve import resolve

SMALL: dict[str, Any] = {
    "data": {"name": "digits"},
    "backbone": {"name": "conv4", "embedding_dim": 16},
    "batch": {"size": 32},
    "max_steps": 4,
    "threads": 1,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> sandbox.Run:
    out = tmp_path_factory.mktemp("api") / "runs"
    return sandbox.train(loss="triplet", miner="semihard", out=out, tags=["small"], watch=lambda event: None, **SMALL)


def test_a_run_is_that_of_the_command(run: sandbox.Run, command: Callable[..., Any], tmp_path: Path) -> None:
    flags = "--loss triplet --miner semihard --data.name digits --backbone.name conv4 --backbone.embedding_dim 16"
    said = command(
        "run.py",
        *f"{flags} --batch.size 32 --max_steps 4 --threads 1 --no_pictures --out".split(),
        str(tmp_path / "runs"),
    )
    assert said.code == 0
    other = sandbox.Run(next((tmp_path / "runs").iterdir()))
    assert other.report == run.report
    assert other.facts["digest"] == run.facts["digest"]
    assert other.baselines["raw pixels"]["test"] == run.baselines["raw pixels"]["test"]
    assert run.facts["tags"] == ["small"]
    assert "experiments/run.py --miner semihard --data.name digits" in run.facts["command"]


def test_a_name_a_recipe_and_a_dict_say_one_thing(run: sandbox.Run, tmp_path: Path) -> None:
    again = sandbox.train(run.recipe, out=tmp_path, watch=lambda event: None)
    assert again.report == run.report
    seen: list[object] = []
    other = sandbox.train(run.recipe, out=tmp_path, watch=seen.append, loss="contrastive", data={"split_seed": 1})
    assert other.recipe.data.name == "digits" and other.recipe.data.split_seed == 1
    assert len(seen) > 4


def test_a_network_embeds_the_test_images_as_the_run_did(run: sandbox.Run, tmp_path: Path) -> None:
    from PIL import Image

    from sandbox.data.catalog import load

    network = sandbox.load(run.folder)
    test = load(run.recipe.data).test
    x, labels = run.embeddings()
    np.testing.assert_allclose(network.embed(test.pixels[:5]), x[:5], atol=1e-5)
    np.testing.assert_array_equal(labels, test.labels)
    files = [tmp_path / f"{place}.png" for place in range(3)]
    for file, pixels in zip(files, test.pixels, strict=False):
        Image.fromarray(pixels.squeeze()).save(file)
    np.testing.assert_allclose(network.embed(files), x[:3], atol=1e-5)
    assert network.embed(str(files[0])).shape == (1, network.dim)
    for wrong, said in (
        (np.zeros((2, 9, 9), np.uint8), "it takes uint8"),
        (np.zeros((2, network.image_size, network.image_size)), "float64"),
        (tmp_path / "absent.png", "is not there"),
    ):
        with pytest.raises(SandboxError, match=said):
            network.embed(wrong)  # type: ignore[arg-type]


def test_figures_are_those_of_the_command(command: Callable[..., Any], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    labels = np.repeat([f"class {number}" for number in range(12)], 5)
    x = np.repeat(random.normal(size=(12, 8)), 5, 0) + random.normal(size=(60, 8))
    held = random.normal(size=(40, 8)), np.arange(40) % 10 + 100
    np.savez(tmp_path / "a.npz", embeddings=x.astype(np.float32), labels=labels)
    np.savez(tmp_path / "v.npz", embeddings=held[0].astype(np.float32), labels=[f"v{one}" for one in held[1]])
    words = ["--validation", str(tmp_path / "v.npz"), "--after", "whiten(4)", "--recall_at", "1", "3"]
    said = command("evaluate.py", "--embeddings", str(tmp_path / "a.npz"), *words, "--json", str(tmp_path / "r.json"))
    assert said.code == 0, said.err
    found = sandbox.score(
        x, labels, validation=(held[0], [f"v{one}" for one in held[1]]), after="whiten(4)", recall_at=[1, 3]
    )
    assert found == json.loads((tmp_path / "r.json").read_text())
    assert found.value("AUC") == found["verification/auc"]["value"]
    assert "after/retrieval/map@r" in found
    with pytest.raises(KeyError, match="no figure 'F1'"):
        found.value("F1")
    assert str(found).splitlines()[1].startswith("R@1") and "<td>R@3</td>" in found._repr_html_()


def test_pairs_are_rows_and_a_truth() -> None:
    x, labels = np.eye(4), [0, 0, 1, 1]
    pairs = np.array([[0, 1, 1], [2, 3, 1], [0, 2, 0], [1, 3, 0]])
    assert sandbox.score(x, labels, pairs=pairs)["verification/auc"]["n"] == 4
    for wrong, said in (
        (pairs[:, :2], r"\(M, 3\) integers"),
        (pairs * 1.0, "float64"),
        (pairs + np.array([0, 4, 0]), "names? row [4-7], but there are 4"),
        (pairs * 2, "name row [4-6]|is 1 or 0, not 2"),
    ):
        with pytest.raises(SandboxError, match=said):
            sandbox.score(x, labels, pairs=wrong)


@pytest.mark.parametrize(
    ("x", "labels", "options", "said"),
    [
        (np.eye(4), [0, 1], {}, r"\(4, 4\) and labels \(2,\)"),
        (np.eye(4) * np.nan, [0, 0, 1, 1], {}, "NaN"),
        (np.eye(4), [0.5, 0, 1, 1], {}, "integers or strings"),
        (np.eye(4), ["a", "", "b", "b"], {}, "row 1 is empty"),
        (np.eye(4), [0, 0, 1, 1], {"recal_at": (1,)}, "did you mean 'recall_at'"),
        (np.eye(4), [0, 0, 1, 1], {"gallery": (np.eye(3), [0, 1, 2])}, "3 dimensions"),
        (
            np.eye(4),
            [0, 0, 1, 1],
            {"validation": (np.eye(4), [0, 0, 1, 1]), "after": "whiten(2)"},
            "never fitted on what is scored",
        ),
        (np.array([["a"]]), [0], {}, "must be floats"),
        (np.eye(4), ["a", None, "b", "b"], {}, "row 1 holds None"),
        (np.eye(4), [float("nan"), "a", "b", "b"], {}, "row 0 holds nan"),
        (np.eye(4), pd.Series(["a", "a", "b", None], dtype="string"), {}, "row 3 holds <NA>"),
        (np.eye(4), np.array([0, 0.0, 1, True], object), {}, "row 1 holds 0.0"),
        (np.eye(4), [[0], [0, 1]], {}, "are no array"),
        (np.ma.masked_array(np.eye(4), np.eye(4) > 0), [0, 0, 1, 1], {}, "masked"),
        (np.eye(4), [0, 0, 1, 1], {"recall_at": 5}, "recall_at is 5, but takes a list"),
        (np.eye(4), [0, 0, 1, 1], {"recall_at": [1.5]}, "recall_at is 1.5, but takes a whole number"),
        (np.eye(4), [0, 0, 1, 1], {"far": [0.1, 2.0]}, "far holds 2, but takes rates"),
        (np.eye(4), [0, 0, 1, 1], {"index": "flatt"}, "did you mean 'flat'"),
        (np.eye(4), [0, 0, 1, 1], {"enrol": 0}, "enrol is 0"),
        (np.eye(4), [0, 0, 1, 1], {"folds": -2}, "folds is -2"),
        (np.eye(4), [0, 0, 1, 1], {"clustering": "no"}, "clustering is 'no', but takes true or false"),
        (np.eye(4), [0, 0, 1, 1], {"by": "camera"}, "no option of score named 'by'"),
        (np.eye(4), [0, 0, 1, 1], {"after": None}, "after is None, but takes a text"),
        (np.eye(4), [0, 0, 1, 1], {"gallery": np.eye(4)}, "gallery is ndarray, but takes two"),
    ],
)
def test_what_cannot_be_scored_is_refused(x: np.ndarray, labels: list[Any], options: dict[str, Any], said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        sandbox.score(x, labels, **options)


def test_rows_may_be_lists_and_tensors_of_any_kind() -> None:
    random = np.random.default_rng(0)
    x, labels = random.normal(size=(20, 4)).astype(np.float32), np.arange(20) % 5
    wanted = sandbox.score(x, labels, recall_at=(1, 2))
    names = [Path(f"{label}") if label % 2 else str(label) for label in labels]
    for rows, of, ks in (
        (torch.tensor(x, requires_grad=True), torch.tensor(labels), [np.int64(1), 2]),
        (x.tolist(), labels.tolist(), np.array([1, 2])),
        (pd.DataFrame(x), pd.Series(labels, index=range(20, 40)), range(1, 3)),
        ([torch.tensor(row) for row in x], names, (1, 2)),
    ):
        assert sandbox.score(rows, of, recall_at=ks) == wanted  # type: ignore[arg-type]
    half = torch.tensor(x).bfloat16()
    assert sandbox.score(half, labels) == sandbox.score(half.float().numpy(), labels)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (torch.randn(6, 4), torch.arange(6) % 3, r"embeddings are \(6, 4\).*takes floats \(N, 8\)"),
        (torch.randn(0, 8), torch.arange(0), "N at least 1"),
        (torch.randn(6, 8), torch.arange(5), r"labels \(5,\)"),
        (torch.randn(6, 8), torch.arange(6), "labels hold 5, but this objective is of 3 classes"),
        (torch.randn(6, 8), torch.arange(6) % 3 - 1, "labels hold -1"),
        (torch.randn(6, 8), torch.zeros(6), "labels are torch.float32"),
        (np.zeros((6, 8)), torch.arange(6) % 3, "takes tensors, not ndarray"),
        (torch.randn(6, 8), [0, 1, 2, 0, 1, 2], "takes tensors, not list"),
    ],
)
def test_a_batch_that_an_objective_was_not_made_for_is_refused(x: Any, y: Any, said: str) -> None:
    for loss in ("arcface", "triplet", "cross_entropy + center"):
        with pytest.raises(SandboxError, match=said):
            sandbox.objective(loss, classes=3, dim=8)(x, y)


def test_what_no_objective_is_made_of_is_refused() -> None:
    for wrong, said in (
        ({"classes": 0}, "classes is 0"),
        ({"dim": "8"}, "dim is '8'"),
        ({"expression": None}, "loss is None, but takes a text"),
    ):
        with pytest.raises(SandboxError, match=said):
            sandbox.objective(**({"expression": "arcface", "classes": 3, "dim": 8} | wrong))  # type: ignore[arg-type]
    made = sandbox.objective("cross_entropy", classes=np.int64(3), dim=np.int64(8))  # type: ignore[arg-type]
    assert made(torch.zeros(6, 8), torch.arange(6, dtype=torch.int32) % 3).item() > 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: sandbox.load(None), "path is None, but takes a path"),  # type: ignore[arg-type]
        (lambda: sandbox.plugin(None), "a plug-in is the path of a .py file, not None"),  # type: ignore[arg-type]
        (lambda: sandbox.table(3), "runs is 3, but takes a path"),  # type: ignore[arg-type]
        (lambda: sandbox.study("triplet(margin=tune())", trials=0), "trials is 0"),
        (lambda: sandbox.study("triplet(margin=tune())", trials="2"), "trials is '2'"),  # type: ignore[arg-type]
        (lambda: sandbox.study("triplet(margin=tune())", pruner=None), "pruner is None"),  # type: ignore[arg-type]
        (lambda: sandbox.train(loss="triplet", tags=3), "tags is 3, but takes a list of texts"),  # type: ignore[arg-type]
    ],
)
def test_a_value_of_another_type_is_one_sentence(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        call()


def test_an_objective_is_one_number_and_takes_mined_triplets() -> None:
    torch.manual_seed(0)
    x, y = torch.randn(24, 8, requires_grad=True), torch.arange(24) % 6
    text = "triplet(margin=0.3) + 0.5*contrastive"
    ours = sandbox.objective(text, classes=6, dim=8, miner="hard")
    assert ours(x, y).item() == build(resolve(text, miner="hard"), classes=6, dim=8)(x, y).total.item()
    mined = miners.BatchHardMiner()(x, y)
    plain = sandbox.objective(text, classes=6, dim=8)
    assert plain(x, y, mined).item() == pytest.approx(ours(x, y).item(), rel=1e-6)
    assert plain(x, y).item() != plain(x, y, mined).item()
    assert {*plain.terms} == {"triplet_margin", "contrastive"}
    with pytest.raises(SandboxError, match="arcface takes none"):
        sandbox.objective("arcface", classes=6, dim=8)(x, y, mined)
    with pytest.raises(SandboxError, match="ref_emb"):
        ours(x, y, None, x, y)
    first, second, third = mined
    for wrong, said in (
        ((first, second + 24, third), r"has place \d+, but a batch of 24 images has 0 to 23"),
        ((first, second, third - 24), r"has place -\d+, but a batch"),
        ((first, second[1:], third), r"lists of \[24, 23, 24\] places"),
        ((first, second), "has 2 lists, but triplets are 3 lists and pairs are 4"),
    ):
        with pytest.raises(SandboxError, match=said):
            plain(x, y, wrong)


def test_a_trainer_of_the_library_trains_with_it() -> None:
    torch.manual_seed(0)
    y = torch.arange(60) % 6
    x = torch.randn(6, 12)[y] + 0.3 * torch.randn(60, 12)
    model = nn.Linear(12, 8)
    objective = sandbox.objective("triplet(margin=0.2) + cross_entropy", classes=6, dim=8)
    before = objective(model(x), y).item()
    trainers.MetricLossOnly(
        {"trunk": nn.Identity(), "embedder": model},
        {"embedder_optimizer": torch.optim.Adam([*model.parameters(), *objective.parameters()], 1e-2)},
        24,
        {"metric_loss": objective},
        [*zip(x, y, strict=True)],
        mining_funcs={"tuple_miner": miners.TripletMarginMiner(margin=0.2)},
        sampler=samplers.MPerClassSampler(y, 4, 24, 240),
        dataloader_num_workers=0,
        data_device=torch.device("cpu"),
        dtype=torch.float32,
    ).train(num_epochs=1)
    assert objective(model(x), y).item() < 0.7 * before


def test_a_study_goes_on_and_its_best_is_trained(run: sandbox.Run, tmp_path: Path) -> None:
    marked = "triplet(margin=tune(0.05, 0.5))"
    first = sandbox.study(marked, recipe=run.recipe, trials=1, out=tmp_path, watch=lambda event: None, miner="none")
    again = sandbox.study(marked, recipe=run.recipe, trials=2, out=tmp_path, watch=lambda event: None, miner="none")
    assert first.folder == again.folder and len(again.trials) == 3
    assert again.record.command.startswith("python experiments/tune.py --loss ")
    assert "tune(0.05, 0.5)" in again.record.command and "--trials 1 --sampler tpe" in again.record.command
    assert f"margin={again.best.params['triplet_margin.margin']}" in again.recipe().loss
    beside = {**SMALL, "data": {"name": "digit"}}
    with pytest.raises(SandboxError, match="did you mean 'digits'"):
        sandbox.study("triplet", search="optimizer.lr=tune()", out=tmp_path / "none", **beside)
    assert not (tmp_path / "none").exists()
    with pytest.raises(SandboxError, match="is marked for the search"):
        sandbox.study("triplet", recipe=run.recipe, out=tmp_path)


def test_a_table_in_all_its_forms(run: sandbox.Run, tmp_path: Path) -> None:
    table = sandbox.table(run.folder.parent, tags=["small"], metrics=["MAP@R"])
    assert str(sandbox.table(run.folder.parent, tags="small", metrics="MAP@R", percent=False)) == str(table)
    assert "triplet_margin(miner=semihard)" in str(table)
    assert table.text("markdown") == table.save(tmp_path / "t.md").read_text() == table._repr_markdown_()
    for wrong, said in (
        ({"row": ["loss"]}, "did you mean 'rows'"),
        ({"percent": "yes"}, "takes true or false"),
        ({"where": "sed = 1"}, "sed"),
    ):
        with pytest.raises(SandboxError, match=said):
            sandbox.table(run.folder.parent, **wrong)  # type: ignore[arg-type]
    with pytest.raises(SandboxError, match="no style of a table named 'pdf'"):
        table.text("pdf")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"loss": "tripplet"}, "did you mean 'triplet'"),
        ({"data": {"nam": "digits"}}, r"the call has the key 'data.nam', which does not exist; did you mean 'name'"),
        ({"max_steps": "4"}, "takes a whole number"),
        ({"data": {"name": "lfw", "view": "view2", "fold": "all", "root": Path("x")}}, "the command run does"),
        ({"recipe": "quik"}, "did you mean 'quick'"),
    ],
)
def test_what_cannot_be_trained_is_refused(settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=said):
        sandbox.train(out=tmp_path, **{**{k: v for k, v in SMALL.items() if k not in settings}, **settings})
    assert not [*tmp_path.iterdir()]
