"""TensorBoard: event files in the run's own folder, so that ``tensorboard --logdir results/runs`` shows all runs.

The validation images stand in its projector, each with its picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from sandbox.recipe.specs import Recipe
from sandbox.tracking.follow import MAIN
from sandbox.tracking.tracker import settings

_MOST = 2000
"""Images in the projector: its sprite is one picture of at most 8,192 pixels."""


class _TensorBoard:
    def __init__(self, folder: Path, recipe: Recipe, step: int):
        self.folder, self.recipe = folder, recipe
        place = folder / "tensorboard"
        self.writer = SummaryWriter(str(place), purge_step=step + 1 if step else None)
        self.last = step

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)
        self.last = max(self.last, step)

    def figures(self, values: Mapping[str, float]) -> None:
        wanted = [f"{split}/{key}" for split in ("test", "val") for key in MAIN]
        told = {f"end/{name}": values[name] for name in wanted if name in values}  # a card each; the text has all
        self.writer.add_hparams(dict(settings(self.recipe)), told, run_name=".")
        self.writer.add_text("report", _as_markdown(values), self.last)
        self._project()

    def pictures(self, files: Sequence[Path]) -> None:
        for file in files:
            with Image.open(file) as picture:
                self.writer.add_image(f"figures/{file.stem}", np.asarray(picture.convert("RGB")), dataformats="HWC")

    def close(self) -> None:
        self.writer.close()

    def _project(self) -> None:
        """Embeddings of validation, with the images as sprites where the data can be read."""
        from sandbox.data.catalog import load
        from sandbox.errors import SandboxError
        from sandbox.scoring.from_run import of_run

        held = of_run(self.folder, "val").probe
        rows = np.linspace(0, len(held) - 1, min(len(held), _MOST)).astype(int)
        sprites = None
        try:
            pixels = load(self.recipe.data).val.pixels
        except SandboxError:
            pixels = np.empty((0,))
        if len(pixels) == len(held):
            images = pixels[rows].transpose(0, 3, 1, 2)
            sprites = torch.from_numpy(np.repeat(images, 3, 1) if images.shape[1] == 1 else images).float() / 255
        names = [held.classes[label] for label in held.labels[rows]]
        self.writer.add_embedding(torch.from_numpy(held.x[rows]), names, sprites, self.last, "validation")


def _as_markdown(values: Mapping[str, float]) -> str:
    rows = [(name, value) for name, value in values.items() if not name.endswith(("/low", "/high"))]
    lines = ["| figure | value | 95 % interval |", "|:--|--:|--:|"]
    for name, value in rows:
        low, high = values.get(f"{name}/low"), values.get(f"{name}/high")
        lines.append(f"| {name} | {value:.4f} | {'' if low is None or high is None else f'{low:.4f} to {high:.4f}'} |")
    return "\n".join(lines)


def begin(folder: Path, recipe: Recipe, step: int) -> _TensorBoard:
    """A run's event files."""
    return _TensorBoard(folder, recipe, step)
