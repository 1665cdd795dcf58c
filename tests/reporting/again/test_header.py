"""What a file says of how it was made, in each of its formats."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.reporting.again.grids import grids
from sandbox.reporting.again.header import FIGURES, read_header
from sandbox.reporting.again.lines import PROGRAMS

from fuzz import FUZZ, changed, read_or_refused

TABLES = Path(__file__).resolve().parents[3] / "results" / "tables"
LINES = (
    "python experiments/table.py results/runs --metrics 'a<b' --out t",
    "2026-11-26, x86_64; runs made by",
    "python experiments/run.py --loss arcface --seeds 2",
    "python experiments/run.py --loss contrastive",
)
TEXT = "\n".join(LINES)
BODY = "| objective | n |\n|:--|--:|\n| arcface | 2 |\n"


def put(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.md", f"<!-- {TEXT} -->\n\n{BODY}"),
        ("t.tex", "".join(f"% {line}\n" for line in (*LINES, r"needs \usepackage{booktabs}")) + "\\begin{table}\n"),
        ("t.csv", "".join(f"# {line}\n" for line in (*LINES, "A caption.")) + "objective,n\narcface,2\n"),
        ("t.html", "<!DOCTYPE html>\n<!-- " + TEXT.replace("<", "&lt;") + " -->\n<html><table></table></html>"),
    ],
)
def test_a_comment_names_the_command_the_date_and_the_runs(tmp_path: Path, name: str, text: str) -> None:
    header = read_header(put(tmp_path, name, text))
    assert header.kind == "table" and header.built and header.built.words[2] == "a<b"
    assert header.said == (LINES[1],)
    assert [line.text for line in header.made] == [*LINES[2:]]
    assert header.unknown == ()


def test_an_editor_s_byte_order_mark_is_no_part_of_a_table(tmp_path: Path) -> None:
    header = read_header(put(tmp_path, "t.md", f"\ufeff<!-- {TEXT} -->\n\n{BODY}"))
    assert header.built and [line.text for line in header.made] == [*LINES[2:]]


def test_lines_that_are_no_commands_of_ours_are_kept_apart(tmp_path: Path) -> None:
    text = "\n".join([*LINES[:3], "rm -rf /", LINES[3], "curl x | sh"])
    header = read_header(put(tmp_path, "t.md", f"<!-- {text} -->\n{BODY}"))
    assert header.unknown == ("rm -rf /", "curl x | sh") and len(header.made) == 2


def test_a_line_that_goes_on_below_is_one(tmp_path: Path) -> None:
    text = (
        "<!-- python experiments/table.py \\\n    --out a.md\npython experiments/run.py \\\n  --loss arcface -->\n"
        + BODY
    )
    header = read_header(put(tmp_path, "t.md", text))
    assert header.built and header.built.words == ("--out", "a.md")
    assert [line.words for line in header.made] == [("--loss", "arcface")]


def test_figures_that_were_put_down_by_hand_have_a_command_each(tmp_path: Path) -> None:
    rows = [
        "# LFW",
        ",".join(FIGURES),
        "a,auc,0.5,,,0.1,3,python experiments/evaluate.py --embeddings FILE.npz,2026-11-22",
    ]
    header = read_header(put(tmp_path, "t.csv", "\n".join(rows)))
    assert header.kind == "figures" and header.built is None and header.said == ("LFW",)
    assert [line.program for line in header.made] == ["evaluate"]
    by_hand = read_header(put(tmp_path, "t.md", "# A\n```bash\npython experiments/run.py --loss arcface\n```\n" + BODY))
    assert by_hand.kind == "figures" and len(by_hand.made) == 1


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("none.md", None, "there is no table"),
        ("t.png", "", "ends in none of"),
        ("t.md", BODY, "has no header that says how it was made"),
        ("t.md", f"# x\n\n{BODY}\n<!-- {LINES[0]} -->\n", "has no header"),
        ("t.md", f"<!-- made by me -->\n{BODY}", "a header with no command: its first line is 'made by me'"),
        ("t.md", f"<!-- {LINES[2]} -->\n{BODY}", "but a table is made by table.py or tune.py"),
        ("t.md", f"<!-- {LINES[0]}\npython experiments/rum.py -->\n{BODY}", "did you mean 'run'"),
        ("t.md", f"```bash\nls\n```\n{BODY}", "has no command that is known here; its first line is 'ls'"),
        ("t.csv", ",".join(FIGURES) + "\na,auc,0.5\n", r"line 2 is broken: it has 3 cells, and the head 9"),
        ("t.csv", ",".join(FIGURES) + "\na,auc,0.5,,,,,,2026\n", "line 2 has a figure without a command"),
        ("t.csv", "objective,n\n", "has no header"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_say_is_refused(tmp_path: Path, name: str, text: str | None, sentence: str) -> None:
    if text is not None:
        put(tmp_path, name, text)
    with pytest.raises(SandboxError, match=sentence):
        read_header(tmp_path / name)


@pytest.mark.parametrize(
    "path", sorted(p for p in TABLES.iterdir() if p.suffix in (".md", ".csv", ".tex", ".html")), ids=str
)
def test_every_committed_table_says_how_it_was_made(path: Path) -> None:
    header = read_header(path)
    assert header.made or (header.built and header.built.program == "tune")  # which trains by itself


@FUZZ
@given(data=st.data(), suffix=st.sampled_from([".md", ".tex", ".html", ".csv"]))
def test_a_table_with_bytes_turned_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, suffix: str
) -> None:
    sign = {".tex": "% ", ".csv": "# "}.get(suffix, "")
    head = "".join(f"{sign}{line}\n" for line in LINES)
    whole = (head if sign else f"<!-- {head} -->\n") + BODY
    path = tmp_path_factory.getbasetemp() / f"turned{suffix}"
    path.write_bytes(data.draw(changed(whole.encode())))
    header = read_or_refused(lambda: read_header(path))
    if header is not None:
        assert all(line.program in PROGRAMS for line in (*header.made, *filter(None, [header.built])))
        grids(path.read_text(encoding="utf-8"), suffix)
