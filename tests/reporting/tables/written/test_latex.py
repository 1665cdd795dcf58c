"""The table in LaTeX compiles, whatever stands in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.recipe.specs import DataSpec, Recipe
from sandbox.reporting.tables.table import Caption, Cell, Column, Row, Table
from sandbox.reporting.tables.written.latex import written
from sandbox.reporting.tables.written.latex_text import comment, declared, escaped

from table_runs import finish, table_of

ODD = 'a_b #1 ~c^d \\e {f} $g& 100% <h>|"i" `j` --k é ł Ж 二 \u0301 \U0001f600 \x1b'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of two objectives on two data sets of odd names, with baselines."""
    folder = tmp_path_factory.mktemp("runs")
    for root, split in ((ODD.replace("\x1b", ""), "a"), ("plain", "b")):
        for loss, values in (("arcface", (0.5, 0.52, 0.53)), ("cross_entropy + 0.003*center", (0.3, 0.32, 0.29))):
            for seed, value in enumerate(values):
                figures = {"retrieval/map@r": value, "verification/tar@far=1e-3": value / 2}
                baselines = {"raw pixels": figures, "untrained": figures}
                recipe = Recipe(loss=loss, seed=seed, data=DataSpec(name="folder", root=root))
                finish(folder, recipe, figures, split=split, baselines=baselines)
    return folder


def compiled(source: str, folder: Path) -> str:
    """The log of pdfLaTeX, which must get to the end."""
    program, finder = shutil.which("pdflatex"), shutil.which("kpsewhich")
    packages = [finder, "booktabs.sty", "siunitx.sty"] if finder else ["false"]
    if program is None or subprocess.run(packages, capture_output=True, check=False).returncode:
        demanded = os.environ.get("METRIC_LEARNING_SANDBOX_DEMAND_ALL")
        said = "pdfLaTeX is not installed: apt-get install texlive-latex-recommended texlive-science"
        (pytest.fail if demanded else pytest.skip)(said)
    (folder / "t.tex").write_text(source, encoding="utf-8")
    words = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "t.tex"]
    done = subprocess.run(words, cwd=folder, capture_output=True, check=False, timeout=120)
    log = (folder / "t.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    return log


def test_a_whole_file_compiles_as_it_is(place: Path, tmp_path: Path) -> None:
    asked = {"columns": ("data.root",), "metrics": ("map@r", "tar@far=1e-3"), "percent": True}
    table = table_of(place, **asked, baseline="arcface", cost=("parameters",), caption=ODD)
    for siunitx in (False, True):
        source = written(table, f"line\n%{ODD}\r\\end{{x}}", siunitx=siunitx, standalone=True, label="tab:a_b%{}")
        log = compiled(source, tmp_path)
        assert "Overfull" not in log and "Missing character" not in log and (tmp_path / "t.pdf").is_file()


def test_a_part_of_a_paper_compiles_with_what_its_comment_names(place: Path, tmp_path: Path) -> None:
    source = written(table_of(place, columns=("data.root",)), "made so", siunitx=True, label="tab:x")
    assert source.startswith("% made so\n% needs \\usepackage{booktabs}\\usepackage{siunitx} in the preamble")
    needed = [*re.findall(r"\\usepackage\{\w+\}", source), *re.findall(r"\\sisetup\{[^}]*\}", source)]
    needed += [line[2:] for line in source.splitlines() if line.startswith("% \\DeclareUnicodeCharacter")]
    parts = ["\\documentclass{article}", *needed, "\\begin{document}", source, "\\ref{tab:x}", "\\end{document}"]
    compiled("\n".join(parts), tmp_path)


def test_best_letters_arrows_and_rules_are_there(place: Path) -> None:
    table = table_of(place, columns=("data.root",), metrics=("map@r", "tar@far=1e-3"))
    source = written(table)
    assert "\\textbf{0.517 $\\pm$ 0.038}\\textsuperscript{a}" in source and "MAP@R $\\uparrow$" in source
    assert "TAR@FAR=$10^{-3}$ $\\uparrow$" in source and "\\cmidrule(lr){2-3} \\cmidrule(lr){4-5}" in source
    assert source.count("\\midrule") == 2 and "cross\\_entropy + 0.003*center" in source
    assert "\\caption[" in source and "half of the 95 \\% t-interval" in source and "\\label" not in source
    assert "\\begin{table}[htbp]" in source and "resizebox" not in source


def wide(figures: int, label: int) -> Table:
    names = [Column("figure", f"test/verification/d_prime{k}", "MAP@R", "", "↑") for k in range(figures)]
    rows = [
        Row((Cell("contrastive(margin=0.2)"[:label]), *[Cell("0.517", "0.038", 0.517, 0.038, letters="ab")] * figures))
    ] * 2
    return Table((Column("setting", "loss", "objective"), *names), tuple(rows), Caption("Title.", ()))


@pytest.mark.parametrize(
    ("figures", "label", "size"), [(3, 11, ""), (4, 11, "small"), (4, 17, "footnotesize"), (6, 17, "footnotesize")]
)
def test_type_shrinks_until_the_table_fits_and_where_it_cannot_that_is_said(
    tmp_path: Path, figures: int, label: int, size: str
) -> None:
    source = written(wide(figures, label))
    assert re.findall(r"^\\(small|footnotesize)$", source, re.MULTILINE) == ([size] if size else [])
    said = "points wide, where the text of an article is 345" in source
    assert said == (figures == 6)
    document = f"\\documentclass{{article}}\\usepackage{{booktabs}}\\begin{{document}}{source}\\end{{document}}"
    assert ("Overfull" in compiled(document.replace("{document}%", "{document}\n%"), tmp_path)) == said


def test_texts_are_escaped_and_comments_end_with_their_lines() -> None:
    assert escaped("a_b 5% {c} 1e-3 x--y") == "a\\_b 5\\% \\{c\\} 1e-3 x-{}-y"
    assert escaped("DIR@FPIR=1e-2, TAR@FAR=1e-10") == "DIR@FPIR=$10^{-2}$, TAR@FAR=$10^{-10}$"
    assert comment("a\nb\r%c\u2028d") == "% a\n% b\n% %c\n% d\n"
    assert declared("é ł Ж ± x Ж") == ["\\DeclareUnicodeCharacter{0416}{[U+0416]}"]


def test_the_command_takes_the_label_from_the_file(command: Callable[..., Any], tmp_path: Path) -> None:
    finish(tmp_path / "runs", Recipe(), 0.5)
    out = tmp_path / "study_1.tex"
    assert command("table.py", str(tmp_path / "runs"), "--out", str(out), "--siunitx").code == 0
    text = out.read_text()
    assert "\\label{tab:study_1}" in text and "S[table-format=1.3]" in text
