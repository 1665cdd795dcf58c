"""What the READMEs say of the code holds: links, commands, flags, settings, and the examples of sandbox/README.md."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from sandbox.cli.flags import flag_names
from sandbox.cli.study.commands import LOOKS
from sandbox.cli.table.commands import LOOKS as TABLE_LOOKS
from sandbox.data.catalog import data_kinds
from sandbox.recipe.specs import own_settings
from sandbox.recipe.text import load_staged

ROOT = Path(__file__).resolve().parent.parent
READMES = ["README.md", "experiments/README.md", "sandbox/README.md", "results/README.md"]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARKED = re.compile(r"^<!-- (file|change): (\S+) -->\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(readme: str) -> str:
    return (ROOT / readme).read_text(encoding="utf-8")


def fenced(readme: str, language: str) -> list[str]:
    return [body for kind, body in FENCED.findall(text(readme)) if kind == language]


@pytest.mark.parametrize("readme", READMES)
def test_every_relative_link_leads_to_a_file(readme: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", text(readme)))
    assert links
    for link in links:
        if not link.startswith(("https://", "http://", "#")):
            assert (ROOT / readme).parent.joinpath(link.partition("#")[0]).exists(), link


@pytest.mark.parametrize("readme", READMES)
def test_every_link_into_a_page_leads_to_a_heading(readme: str) -> None:
    for link in re.findall(r"\]\(([^)\s]*#[^)\s]+)\)", FENCED.sub("", text(readme))):
        file, _, anchor = link.partition("#")
        page = FENCED.sub("", ((ROOT / readme).parent / file if file else ROOT / readme).read_text(encoding="utf-8"))
        headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
        assert anchor in [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings], link


def test_the_first_page_is_short_and_begins_with_the_two_commands() -> None:
    page = text("README.md")
    assert len(page.splitlines()) <= 200
    install, tests = page.split("<!-- install -->\n\n```bash\n")[1].split("\n```")[0].split("\n")
    assert 'pip install -e ".[test]"' in install
    assert tests == "python -m pytest"


def commands(readme: str) -> list[tuple[str, list[str]]]:
    """File of experiments/ and words of every command in a README: a line of a block, or between two backticks."""
    page = text(readme).replace("\\\n", " ")
    lines = [line for kind, body in FENCED.findall(page) if kind in ("", "bash") for line in body.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", FENCED.sub("", page))
    found = [re.search(r"(?:python|torchrun --nproc_per_node \d+) experiments/(\S+\.py)\b(.*)", line) for line in lines]
    return [(m[1], shlex.split(m[2], comments=True)) for m in found if m]


def look(file: str, word: str) -> type | None:
    """What `tune.py WORD` or `table.py WORD` takes, where it is not what the command itself takes."""
    if file == "tune.py" and word in LOOKS:
        return LOOKS[word][0]
    if file == "table.py" and word in TABLE_LOOKS:
        return import_module(f"sandbox.cli.table.{word}").Command
    return None


def test_every_command_is_there_and_has_the_flags_that_are_shown() -> None:
    own = [f"data.{name}" for kind in data_kinds().values() for name in own_settings(kind)]
    shown = [(readme, file, words) for readme in READMES for file, words in commands(readme)]
    assert {file for _, file, _ in shown} == {path.name for path in (ROOT / "experiments").glob("*.py")}
    modules = {file: import_module(f"sandbox.cli.commands.{file[:-3]}") for _, file, _ in shown}
    for readme, file, words in shown:
        where = f"{readme}: {file} {shlex.join(words)}"
        first = words[0] if words and not words[0].startswith("-") else ""
        kind = "Command" if hasattr(modules[file], "Command") else first.capitalize()
        assert hasattr(modules[file], kind), where
        names = flag_names(look(file, first) or getattr(modules[file], kind))
        names += own if "data.name" in names else []
        for flag in (word.partition("=")[0][2:] for word in words if word.startswith("--")):
            plain = re.sub(r"(^|\.)no_", r"\1", flag)
            assert flag in (*names, "help") or plain in names, where


def test_every_recipe_that_is_shown_can_be_read(tmp_path: Path) -> None:
    shown = [body for readme in READMES for body in fenced(readme, "toml")]
    assert shown
    for place, body in enumerate(shown):
        (tmp_path / f"{place}.toml").write_text(body, encoding="utf-8")
        load_staged(str(tmp_path / f"{place}.toml"), tmp_path, data_kinds())


def test_the_floors_are_those_of_the_linter_and_every_package_has_a_line() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    rows = fenced("sandbox/README.md", "")[0].splitlines()[2:]  # below experiments/ and the line
    for row, layer in zip(rows, layers, strict=True):
        assert {*row.split()[: len(layer.split(" | "))]} == {*layer.split(" | ")}
    packages = {init.parent.relative_to(ROOT / "sandbox").as_posix() for init in ROOT.glob("sandbox/*/**/__init__.py")}
    packages |= {path.parent.name for path in ROOT.glob("sandbox/*/*.toml")}
    assert packages == {*re.findall(r"^\| `([\w/]+)/` \|", text("sandbox/README.md"), re.MULTILINE)}


def changed(old: str, diff: str) -> str:
    """A file with the hunks of a diff in it; each hunk's context must stand there, once."""
    for hunk in diff.split("@@\n"):
        rows = hunk.splitlines(keepends=True)
        before, after = ("".join(row[1:] for row in rows if row[0] in kinds) for kinds in (" -", " +"))
        assert old.count(before) == 1, f"sandbox/README.md changes what is not there:\n{before}"
        old = old.replace(before, after)
    return old


FOUND = """
import gc
import os

gc.disable()  # most of the time goes into imports, which are a tenth faster so
import sandbox
from sandbox.backbones.catalog import make_backbone
from sandbox.data.catalog import data_kinds, load
from sandbox.pipeline.prepare import check
from sandbox.recipe.specs import Recipe

assert os.path.samefile(os.path.dirname(os.path.dirname(sandbox.__file__)), os.getcwd())  # the copy, not the original
data = data_kinds()["gratings"](name="gratings", noise=0.4)
trained = check(Recipe(loss="triplet + 0.1*uniformity(t=3)", miner="nearest_negative", data=data))  # rehearses it
assert str(trained) == "triplet_margin(miner=nearest_negative) + 0.1*uniformity(t=3)", trained
splits = load(data)
assert not set(splits.train.classes) & set(splits.test.classes)
strided = make_backbone("strided", channels=1, image_size=32, stem="auto", pretrained=False)
"""
MEASURED = """
assert strided(torch.zeros(2, 1, 32, 32)).shape == (2, strided.features)
for figures in (run.report["test"], sandbox.score(embeddings, labels)):
    assert 0 < figures["retrieval/precision@5"]["low"] <= figures["retrieval/precision@5"]["value"] <= 1
os.write(1, b"all of it works")
os._exit(0)  # to take a process of this size apart takes another second
"""


@pytest.mark.thorough
def test_the_examples_work(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sandbox", tmp_path / "sandbox")
    marked = MARKED.findall(text("sandbox/README.md"))
    assert [kind for kind, _, _ in marked] == ["file"] * 5 + ["change"]
    for kind, name, body in marked:
        file = tmp_path / name
        assert file.exists() == (kind == "change")
        new = body if kind == "file" else changed(file.read_text(encoding="utf-8"), body)
        file.write_text(new, encoding="utf-8")
    (shown,) = fenced("README.md", "python")
    assert "max_steps=60" in shown
    program = FOUND + shown.replace("max_steps=60", "max_steps=2") + MEASURED
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("all of it works")
