"""The report of a study: what it says, that it needs nothing from elsewhere, and that odd studies have a page too."""

from __future__ import annotations

import csv
import re
from base64 import b64decode
from dataclasses import replace
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.tuning.report import write_report
from sandbox.tuning.report.chapters import learning_curves
from sandbox.tuning.report.document import Chapter, Picture, Table, Text
from sandbox.tuning.report.facts import protocol, spell_range
from sandbox.tuning.report.outcome import NO_RESULT, against_default, fresh_line, front, winner
from sandbox.tuning.report.trials_table import csv_text
from sandbox.tuning.study.record import DEFAULT, StudyRecord

from study_records import dozen, drawn, study, trial


def write(record: StudyRecord, folder: Path) -> tuple[str, str]:
    """The page without its pictures and tags, and the Markdown."""
    page, markdown, table = write_report(record, folder)
    assert [path.name for path in (page, markdown, table)] == ["report.html", "report.md", "trials.csv"]
    assert table.read_text() == csv_text(record)
    return words(page.read_text()), markdown.read_text()


def words(html: str) -> str:
    body = re.sub(r"<(script|style)>.*?</\1>", "", html.partition("<body>")[2], flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    write_report(dozen(), folder)
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "report.html").read_text()


@pytest.fixture(scope="module")
def text(page: str) -> str:
    return words(page)


def test_the_best_trial_is_named_with_its_figure_its_line_and_that_it_is_no_result(text: str) -> None:
    assert "Trial 3 is the best of 4 complete trials that meet every constraint" in text
    assert "by validation retrieval/map@r: 0.6123, of one run." in text
    assert NO_RESULT in text
    assert "arcface.margin 17.5 10 to 40" in text and "optimizer.lr 0.000491 0.0001 to 0.1, logarithmic" in text
    assert "python experiments/run.py --loss 'arcface(margin=17.5)' --seed 7 " in text
    assert "python experiments/run.py --loss 'arcface(margin=17.5)' --seed 8 --seeds 5 " in text


def test_the_default_stands_beside_the_best(text: str) -> None:
    assert "retrieval/map@r 0.5000 0.6123 +0.1123 better" in text
    assert "verification/eer 0.2000 0.1500 \u22120.0500 better" in text
    assert "default n = 1 run, best n = 1 run" in text


def test_trials_are_counted_with_the_default_apart(text: str) -> None:
    assert (
        "trials complete or pruned 7 of 9 5 complete, 2 pruned, 1 failed, 1 running, 1 waiting, 1 interrupted" in text
    )
    assert "default trial trial 0, complete, counts as none" in text
    assert "time of all trials 1 min 55 s, 4 trials without a time" in text
    assert "from first start to last end 11 min 10 s" in text


def test_the_protocol_and_the_space_are_there(text: str) -> None:
    for said in ("data digits", "sampler tpe", "pruner median", "seed of the study 7", "trials asked for 9"):
        assert said in text
    assert "arcface.margin 10 to 40 12.5 to 37.5 10 17.5" in text
    assert dozen().command in text and dozen().objective in text


def test_what_came_to_nothing_is_told_with_its_reason(text: str) -> None:
    told = text.partition("came to nothing, and why")[2].partition("All trials")[0]
    assert "2 pruned; 1 failed; 1 broke a constraint; 1 interrupted." in told
    for said in (
        "2 pruned pruned at step 10: below the median 10",
        "4 failed out of memory at step 3",
        "6 pruned diverged at step 10: the loss is NaN 10",
        "7 broke a constraint breaks images_per_second >= 500 by 12.5",
        "8 interrupted its worker is gone 10",
    ):
        assert said in told


def test_too_few_trials_for_importance_are_said_and_not_drawn(text: str, page: str) -> None:
    assert "5 complete trials are too few to tell which parameters matter" in text
    assert "share of the importance" not in page


def test_every_trial_is_in_the_table_and_sorted_by_its_full_precision(page: str) -> None:
    rows = page.rpartition("<tbody>")[2].partition("</tbody>")[0].count("<tr>")
    assert rows == 12
    assert 'data-key="0.6123"' in page and 'class="sortable"' in page


def test_nothing_is_loaded_from_elsewhere(page: str) -> None:
    assert "http:" not in page and "https:" not in page and "@import" not in page and "url(" not in page
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r'src="([^"]*)"', page))
    assert not re.search(r"<(link|iframe|object|video|audio)\b", page)
    assert "default-src 'none'" in page and 'name="viewport"' in page


def test_the_pictures_are_inside_and_said_in_words(page: str) -> None:
    found = re.findall(r'<img alt="([^"]+)" src="data:image/png;base64,([^"]+)"', page)
    for _, data in found:
        with Image.open(BytesIO(b64decode(data))) as picture:
            assert picture.format == "PNG" and picture.width > 500
    alts = " ".join(alt for alt, _ in found)
    for part in (
        "by their number",
        "better than the median",
        "against arcface.margin",
        "over arcface.margin and optimizer.lr",
    ):
        assert part in alts
    assert "Parallel coordinates" in alts and "over the steps of" in alts
    for title in (
        "History",
        "The best against all trials",
        "Each parameter",
        "Two parameters together",
        "Learning curves",
    ):
        assert f"<h2>{title}</h2>" in page


def test_the_markdown_says_the_same(folder: Path) -> None:
    markdown = (folder / "report.md").read_text()
    assert "| retrieval/map@r | 0.5000 | 0.6123 | +0.1123 | better |" in markdown
    assert NO_RESULT in markdown and "`" not in markdown.replace("```", "")
    assert "breaks images\\_per\\_second \\>= 500 by 12.5" in markdown
    for line in markdown.splitlines():
        if line.startswith("|"):
            assert line.endswith("|") and "\n" not in line


def test_a_report_is_written_again_over_the_earlier_one(tmp_path: Path) -> None:
    record = study([trial(0, "failed"), trial(1, "pruned", curve={1: 0.1})], names=0)
    contents = []
    for _ in range(2):
        contents.append({path.name: path.read_bytes() for path in write_report(record, tmp_path)})
    assert contents[0] == contents[1] and len(list(tmp_path.iterdir())) == 3


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(SandboxError, match="cannot write"):
        write_report(study([]), tmp_path / "taken")


DEFAULT_ALONE = replace(trial(0, value=0.5), kind=DEFAULT)
ODD = {
    "no trial": (study([]), ["There is none: no trial is complete", "No trial is over yet.", "There is no trial yet."]),
    "the default alone": (
        study([DEFAULT_ALONE]),
        ["The default reaches retrieval/map@r 0.5000", "0 trials, the default"],
    ),
    "one trial": (
        study([trial(0, value=0.5)]),
        ["best of 1 complete trial, by", "The study has no trial of the default"],
    ),
    "only pruned": (
        study([trial(n, "pruned", curve={5: 0.1 * n}, why=f"pruned at step {n}") for n in range(4)]),
        ["no trial is complete, 4 pruned or failed", "0 complete trials are too few", "pruned at step 3"],
    ),
    "pruned without a curve": (study([trial(0, "pruned"), trial(1, "pruned")]), ["no reason is recorded"]),
    "only failed": (
        study(
            [replace(DEFAULT_ALONE, state="failed", values=(), why="no memory")] + [trial(n, "failed") for n in (1, 2)]
        ),
        ["The default trial has no figure; its state is failed: no memory.", "3 failed, the default among them."],
    ),
    "only running and waiting": (study([trial(0, "running"), trial(1, "waiting")]), ["1 running, 1 waiting", "None."]),
    "one parameter": (drawn(20, 1), ["Only one parameter is searched", "n = 20 trials with a figure"]),
    "eight parameters": (drawn(12, 8), ["batch.images 2 to 8", "n = 12 complete trials, bright"]),
    "choices alone": (drawn(16, 0), ["(PED-ANOVA)", "without a surface, as one is a choice", "adam or sgd"]),
    "many trials": (drawn(500, 1), ["best of 500 complete trials", "500 trials. trials.csv has them"]),
    "all alike": (study([trial(n, value=0.5, params={"arcface.margin": 20.0}) for n in range(4)]), ["0.0000 better"]),
    "no parameter": (study([trial(n, value=0.1 * n, params={}) for n in range(3)], names=0), ["No range is recorded."]),
    "every constraint broken": (
        study([trial(n, value=0.1 * n, constraints={"memory <= 4": 1.0 + n, "map >= 0": -1.0}) for n in range(4)]),
        [
            "of 4 complete trials each breaks a constraint",
            "memory <= 4 0 of 4 4",
            "map >= 0 4 of 4",
            "4 broke a constraint",
        ],
    ),
    "a figure that is not finite": (study([trial(0, value=float("inf")), trial(1, value=0.5)]), ["inf"]),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_studies_have_an_honest_page(name: str, tmp_path: Path) -> None:
    record, sentences = ODD[name]
    page, markdown = write(record, tmp_path)
    for said in sentences:
        assert said in page
    assert markdown.startswith("# Study arcface")
    rows = list(csv.DictReader((tmp_path / "trials.csv").open(newline="")))
    assert len(rows) == len(record.trials)


def said(chapter: Chapter | None) -> str:
    """The paragraphs and cells of a chapter."""
    assert chapter is not None
    texts = []
    for block in chapter.blocks:
        if isinstance(block, Text):
            texts.append(block.text)
        elif isinstance(block, Table):
            texts += [" ".join(cell if isinstance(cell, str) else cell.text for cell in row) for row in block.rows]
        elif isinstance(block, Picture):
            assert all(png.startswith(b"\x89PNG") for png in block.pngs)
            texts.append(block.caption)
    return "\n".join(texts)


def test_of_several_monitors_the_front_is_shown() -> None:
    values = [(0.5, 0.2, 3.0), (0.4, 0.1, 3.0), (0.3, 0.3, 2.0), (0.45, 0.4, 4.0)]
    trials = [replace(trial(number), values=three[:2]) for number, three in enumerate(values)]
    two = study(trials, monitors=("retrieval/map@r", "verification/eer"), lower=(False, True))
    text = said(front(two))
    assert "2 trials are on the front of retrieval/map@r and verification/eer: no other of 4 complete trials" in text
    assert "\n0 0.5000 0.2000 arcface.margin 10, optimizer.lr 0.0001\n1 0.4000 0.1000 arcface" in text
    assert "validation verification/eer (less is better)" in said(protocol(two))
    whole = [replace(t, values=three) for t, three in zip(trials, values, strict=True)]
    three = replace(two, trials=whole, monitors=(*two.monitors, "seconds"), lower=(False, True, True))
    assert "3 trials are on the front" in said(front(three))
    broken = replace(two, trials=[replace(t, constraints={"a <= 1": 2.0}) for t in trials])
    assert "No complete trial meets every constraint, so there is no front." in said(front(broken))
    assert "No trial is complete" in said(front(replace(two, trials=[]))) and front(dozen()) is None


def test_names_are_no_markup_and_cannot_turn_the_page_round(tmp_path: Path) -> None:
    bad = "<script>alert(1)</script>|{{ 7 * 7 }}$x$\u202e二"
    record = study([trial(n, value=0.1 * n, params={bad: n, "kind": bad}, why=bad) for n in range(3)], names=0)
    record = replace(record, name=bad, search={bad: "tune(0, 2)", "kind": f"tune([{bad!r}, 'b'])"})
    page, markdown = write(record, tmp_path)
    html = (tmp_path / "report.html").read_text()
    assert "<script>alert" not in html and "\u202e" not in html + markdown and "{{ 7 * 7 }}" in page
    assert "\\<script\\>alert(1)\\</script\\>\\|" in markdown


@pytest.mark.parametrize(
    ("margin", "rate", "ends"),
    [
        (40.0, 0.003, "arcface.margin lies at an end of its range"),
        (25.0, 0.003, ""),
        (25.0, 0.00011, "optimizer.lr lies"),
        (10, 0.1, "arcface.margin, optimizer.lr lie at an end of their ranges"),
        (25.0, 0.01, ""),
    ],
)
def test_a_value_at_the_end_of_its_range_is_pointed_out(margin: float, rate: float, ends: str) -> None:
    text = said(winner(study([trial(0, value=0.5, params={"arcface.margin": margin, "optimizer.lr": rate})])))
    assert ends in text if ends else "at an end" not in text


def test_several_runs_of_a_trial_are_counted() -> None:
    runs = ("trial-0001-s0", "trial-0001-s1", "trial-0001-s2")
    record = study([DEFAULT_ALONE, trial(1, value=0.6, runs=runs, curve={5: 0.1}), trial(2, value=0.5, runs=runs)])
    assert "0.6000, the mean of 3 runs." in said(winner(record))
    assert "best n = 3 runs" in said(against_default(record))
    assert "The steps of all runs of a trial follow each other." in said(learning_curves(record))


def test_the_default_may_break_a_constraint_as_well() -> None:
    broken = replace(DEFAULT_ALONE, constraints={"memory <= 4": 1.5})
    record = study([broken, trial(1, value=0.4, constraints={"memory <= 4": -1.0})])
    assert "retrieval/map@r 0.5000 0.4000 \u22120.1000 worse" in said(against_default(record))
    assert "The default breaks memory <= 4 by 1.5." in said(against_default(record))


@pytest.mark.parametrize(
    ("line", "protocol", "fresh"),
    [
        ("run.py --seed 7", {"seed": 7, "trial_seeds": 3}, "run.py --seed 10 --seeds 5"),
        ("run.py --seed 2 --seeds 3 --data.seed 4", {}, "run.py --data.seed 4 --seed 3 --seeds 5"),
        ("run.py", {}, "run.py --seed 1 --seeds 5"),
    ],
)
def test_fresh_seeds_are_those_that_no_trial_had(line: str, protocol: dict[str, int], fresh: str) -> None:
    one = trial(0, value=0.5, line=line)
    assert fresh_line(study([one], protocol=protocol), one) == fresh


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("tune(10, 40)", "10 to 40"),
        ("tune(0.0001, 1, log=True)", "0.0001 to 1, logarithmic"),
        ("tune(['adam', None, 3])", "adam or None or 3"),
        ("whatever", "whatever"),
        ("tune()", "tune()"),
    ],
)
def test_a_range_is_said_in_words(text: str, said: str) -> None:
    assert spell_range(text) == said
