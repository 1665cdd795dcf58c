"""The card of a network on a model hub: what it is worth, on what, how it was made and how it is used.

The head is the YAML that hubs read (https://huggingface.co/docs/hub/model-cards); the rest is Markdown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.evaluation.figures import printed_name, spell, spell_interval
from sandbox.inference.trained import Trained
from sandbox.runs.folder import RunFolder
from sandbox.wording import printable

_FIRST = ("retrieval/map@r", "retrieval/recall@1", "verification/auc", "verification/eer")


def card(folder: RunFolder, trained: Trained, licence: str) -> str:
    """The card of a finished run's network.

    Raises:
        SandboxError: its report is absent or damaged.
    """
    recipe, facts, report = folder.recipe(), folder.facts_of_finished(), folder.read_json("report.json")
    split = "test" if "test" in report else "val"
    what = f"rows of {trained.channels:,} numbers" if trained.of_rows else _images(trained)
    parts = [
        _head(trained.name, recipe.data.name, licence, report[split]),
        f"# {printable(trained.name)}",
        f"A network of metric learning: {what} to embeddings of {trained.dim:,} numbers and length 1, compared by "
        f"cosine. Trunk `{recipe.backbone.name}`, objective `{facts.get('objective', recipe.loss)}`, weights "
        f"`{trained.digest}`.",
        "## Figures",
        f"{facts.get('judged_on') or 'On ' + split + ' of ' + recipe.data.name}.",
        _table(report),
        "Intervals are of 95 %, by identity; where there is none, too few identities would say little.",
        "## How it was made",
        _made(facts, recipe.data.name),
        "## How it is used",
        "With metric-learning-sandbox, where DIR is this folder:",
        "```bash\npython experiments/embed.py DIR IMAGES --out embeddings.npz\n```",
        "## Licence",
        f"Licence of the weights: {licence}. What they were learnt from ({recipe.data.name}) may bind them further.",
    ]
    return "\n\n".join(parts) + "\n"


def _images(trained: Trained) -> str:
    cut = f", cut out of {trained.resize}" if trained.resize else ""
    side, colour = trained.image_size, "grey" if trained.channels == 1 else "RGB"
    return f"{colour} images of {side} x {side} pixels{cut}"


def _head(name: str, data: str, licence: str, figures: Mapping[str, Any]) -> str:
    """YAML, each text in it as JSON, which YAML reads."""
    told = json.dumps(name)
    metrics = [
        f"    - type: {json.dumps(key)}\n      name: {json.dumps(printed_name(key))}\n      value: {entry['value']}"
        for key in _FIRST
        if (entry := figures.get(key))
    ]
    results = "\n".join(
        [
            "model-index:",
            f"- name: {told}",
            "  results:",
            "  - task:\n      type: image-feature-extraction",
            f"    dataset:\n      name: {json.dumps(data)}\n      type: {json.dumps(data)}",
            "    metrics:",
            *metrics,
        ]
    )
    tags = "tags:\n- metric-learning\n- embeddings"
    lines = ["---", f"license: {json.dumps(licence)}", "library_name: metric-learning-sandbox"]
    return "\n".join([*lines, "pipeline_tag: image-feature-extraction", tags, *([results] if metrics else []), "---"])


def _table(report: Mapping[str, Any]) -> str:
    splits = [split for split in ("val", "test") if split in report]
    keys = [
        key for key in report[splits[-1]] if key in _FIRST or key.startswith(("retrieval/recall@", "verification/tar"))
    ]
    head = " | ".join(f"{'validation' if split == 'val' else split} | 95 % interval" for split in splits)
    rows = []
    for key in keys:
        cells = []
        for split in splits:
            entry = report[split].get(key)
            cells += [spell(entry), spell_interval(entry)]
        rows.append(f"| {printed_name(key)} | {' | '.join(cells)} |")
    return "\n".join([f"| figure | {head} |", "|:---|" + "---:|:---|" * len(splits), *rows])


def _made(facts: Mapping[str, Any], name: str) -> str:
    counts = facts.get("data") or {}
    data = ", ".join(
        f"{'validation' if split == 'val' else split} {part['images']:,} of {part['classes']:,} classes"
        for split, part in counts.items()
        if isinstance(part, dict) and part.get("images")
    )
    lines = [f"- data: {name}: {data} (split `{facts.get('split')}`)"]
    lines += [f"- steps: {facts.get('steps'):,}, batch {facts.get('batch')}, seed {facts.get('seed')}"]
    for stretch in facts.get("went_on") or ():
        lines.append(f"- at step {stretch['at']:,} it was given more steps than planned, {stretch['to']:,} in all")
    versions = facts.get("versions") or {}
    if isinstance(versions, dict) and versions.get("torch"):
        lines.append(f"- torch {versions['torch']}, started {facts.get('started', '')}")
    command = str(facts.get("command", "")).replace("```", "")
    return "\n".join([*lines, "", f"```bash\n{printable(command)}\n```"])
