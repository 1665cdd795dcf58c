"""The embedding network of a finished run as a file that needs none of this code: ONNX, and torch's own .pt2."""

from __future__ import annotations

import copy
import importlib.metadata
import io
import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from sandbox.backbones.embed import embed, to_tensor
from sandbox.backbones.network import Network
from sandbox.backbones.views import sampled
from sandbox.errors import SandboxError
from sandbox.files import whole_file
from sandbox.inference.embedder import as_channels
from sandbox.inference.onnx_network import FORMAT, INPUT, OUTPUT, load_exported
from sandbox.inference.onnx_session import need
from sandbox.inference.trained import Trained
from sandbox.recipe.size import sides
from sandbox.wording import counted, reason

LIMIT = 1e-4
"""Largest difference of any number of any embedding from what torch gives."""
_IMAGES = 256  # with all their versions, that go through a file's graph at once
_LARGEST_FILE = (1 << 31) - (1 << 24)  # bytes; a protobuf message holds 2 GB, and the graph needs a little of it


@dataclass(frozen=True)
class Written:
    """A file that was written and found to agree with torch."""

    path: Path
    size: int
    """Bytes."""
    difference: float
    """The largest, over all numbers of all embeddings, from what torch gives in float32 on the CPU."""


_Write = Callable[[torch.export.ExportedProgram, dict[str, str], Path], None]
_Embed = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class _File:
    """A file to write: its place, its writer, and how it is opened again to be compared."""

    path: Path
    write: _Write
    open: Callable[[Path], _Embed]


class Whole(nn.Module):
    """All that is between pixels and the unit embeddings that are compared."""

    grids: torch.Tensor

    def __init__(self, network: Network, flip: bool, grids: torch.Tensor):
        super().__init__()
        self.network = network
        self.flip = flip
        self.register_buffer("grids", grids)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Images (N, C, S, S) uint8 to unit embeddings (N, D) float32; a zero embedding stays zero."""
        if not self.flip and not len(self.grids):
            return F.normalize(self.network(images))
        # One pass over all versions keeps the graph as small as that of one.
        sides = torch.cat((images, images.flip(-1))) if self.flip else images
        if len(self.grids):
            sides = self._with_changed(sides.float() / 255)
        count = (1 + self.flip) * (1 + len(self.grids))
        every = F.normalize(self.network(sides))
        return F.normalize(every.reshape(count, -1, self.network.dim).sum(0))

    def _with_changed(self, pixels: torch.Tensor) -> torch.Tensor:
        """Images (N, C, S, S) float, and behind them as many as each grid makes of them."""
        many, shape = len(self.grids), pixels.shape
        grids = self.grids[:, None].expand(-1, shape[0], -1, -1, -1).flatten(0, 1)
        return torch.cat((pixels, sampled(pixels[None].expand(many, -1, -1, -1, -1).flatten(0, 1), grids)))


def export(trained: Trained, pixels: np.ndarray, *, onnx: Path | None, program: Path | None) -> list[Written]:
    """Write a network to an ONNX file, a .pt2 file or both, and compare them with torch on images.

    Both take `images` (N, C, S, S) uint8, grey or RGB, and give `embeddings` (N, D) float32 of unit length, for any N:
    pixel statistics, the average with the mirror image and over views where the run asks for it, and L2 normalisation
    are inside. The weights are float32. What an `Embedder` says of itself stands in the ONNX file's metadata and, in
    the .pt2 file, as JSON in the extra file ``metadata.json``. Either every file is written, or none is touched.

    Args:
        trained: the network.
        pixels: (N, H, W, C) uint8, images of the kind that it was trained on.
        onnx: the ONNX file, or None.
        program: the file of a `torch.export` program, or None.

    Raises:
        SandboxError: packages are missing, the network cannot be exported, an embedding differs from torch's by more
            than `LIMIT`, or a file cannot be written.
    """
    if onnx:
        need("onnx", "onnxscript", "onnxruntime")
    files = [_File(path, *kind) for path, kind in ((onnx, _ONNX), (program, _PROGRAM)) if path]
    network = copy.deepcopy(trained.network).cpu().to(memory_format=torch.contiguous_format).eval()
    pixels = as_channels(pixels, trained.channels)
    for file in files:
        if os.path.isdir(file.path):
            raise SandboxError(f"{file.path} is a folder, but a file is needed")
    with ExitStack() as places, torch.no_grad():
        # Opened first, so that a place that cannot be written is found out at once; none is filled unless all agree.
        parts = [places.enter_context(whole_file(file.path, make_folder=True)) for file in files]
        places.enter_context(_quiet())
        wanted = embed(network, pixels, device=torch.device("cpu"), flip=trained.flip, views=trained.views)
        grids = trained.views.grids(*sides(trained.image_size))
        traced = _trace(Whole(network.requires_grad_(False), trained.flip, grids), trained)
        about = metadata(trained)
        # One image by itself as well, as a graph may have grown used to the number that it was traced with.
        most = max(1, _IMAGES // trained.views.count)
        cuts = [slice(0, 1), *(slice(start, start + most) for start in range(0, len(pixels), most))]
        compared = [(pixels[cut], wanted[cut]) for cut in cuts]
        return [_written(file, part, traced, about, compared) for file, part in zip(files, parts, strict=True)]


def metadata(trained: Trained) -> dict[str, str]:
    """What a file says of its network, so that it can be used without the run."""
    colour = "grey" if trained.channels == 1 else "RGB"
    shape = "({})".format(", ".join(map(str, ("N", trained.channels, *sides(trained.image_size)))))
    views = trained.views
    return {
        **FORMAT,
        "name": "".join(letter if letter.isprintable() else "?" for letter in trained.name),
        "digest": trained.digest,
        "image_size": str(trained.image_size),
        "channels": str(trained.channels),
        "resize": str(trained.resize),
        **({"bits": str(trained.bits)} if trained.bits else {}),
        "flip": "yes" if trained.flip else "no",
        **({"views": str(views.count), "view_strength": f"{views.strength:g}"} if views.count > 1 else {}),
        "input": f"{INPUT} {shape} uint8, {colour}, 0 to 255 as they are",
        "output": f"{OUTPUT} (N, {trained.dim}) float32 of unit length",
        "version": _version(),
    }


def _version() -> str:
    try:
        return importlib.metadata.version("metric-learning-sandbox")
    except importlib.metadata.PackageNotFoundError:  # a checkout that was never installed
        return ""


def _trace(whole: nn.Module, trained: Trained) -> torch.export.ExportedProgram:
    two = torch.zeros(2, trained.channels, *sides(trained.image_size), dtype=torch.uint8)
    try:
        traced = torch.export.export(whole, (two,), dynamic_shapes=({0: torch.export.Dim("batch")},), strict=False)
    except Exception as error:  # torch's tracers raise a dozen unrelated types
        raise _refusal("torch.export cannot trace the network", error) from None
    for node in traced.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    return traced


def _write_onnx(traced: torch.export.ExportedProgram, about: dict[str, str], path: Path) -> None:
    weights = sum(value.numel() * value.element_size() for value in traced.state_dict.values())
    if weights > _LARGEST_FILE:
        raise SandboxError(
            f"an ONNX file holds 2 GB, but the weights are {weights / 1e9:.1f} GB; --program has no limit"
        )
    try:
        pool = torch.ops.aten.adaptive_max_pool2d.default
        if any(node.target is pool for node in traced.graph.nodes):  # asked first, as it takes as long as the rest
            traced = traced.run_decompositions({pool: _adaptive_max_pool})
        made = torch.onnx.export(
            traced,
            dynamo=True,
            verbose=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: "batch"},),
        )
        assert made is not None
        model: Any = made.model
        for noted in (model, model.graph, *model.graph.all_nodes()):
            noted.metadata_props.clear()  # how torch came by it, longer than the graph itself
        model.metadata_props.update(about)
        made.save(path, external_data=False)
    except OSError:
        raise
    except Exception as error:  # as above
        raise _refusal("torch.onnx cannot write the network", error) from None


def _adaptive_max_pool(x: torch.Tensor, size: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """`adaptive_max_pool2d` in operations that ONNX has: window i of k over n rows is those from i n/k to (i + 1) n/k.

    Its second result, the places of the maxima, is asked for by no network here and is all zero.
    """
    for dim, count in ((-2, size[0]), (-1, size[1])):
        n = x.shape[dim]
        bounds = [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]
        x = torch.stack([x.narrow(dim, low, high - low).amax(dim) for low, high in bounds], dim)
    return x, torch.zeros_like(x, dtype=torch.int64)


def _write_program(traced: torch.export.ExportedProgram, about: dict[str, str], path: Path) -> None:
    held = io.BytesIO()  # torch's own writer of files ends the process where the disk is full
    try:
        torch.export.save(traced, held, extra_files={"metadata.json": json.dumps(about, indent=1)})
    except Exception as error:  # as above
        raise _refusal("torch.export cannot save the network", error) from None
    path.write_bytes(held.getbuffer())


def _open_onnx(path: Path) -> _Embed:
    return load_exported(path).embed


def _open_program(path: Path) -> _Embed:
    network = torch.export.load(path).module()
    return lambda pixels: network(to_tensor(pixels)).numpy()


_ONNX = (_write_onnx, _open_onnx)
_PROGRAM = (_write_program, _open_program)


def _written(
    file: _File,
    part: Path,
    traced: torch.export.ExportedProgram,
    about: dict[str, str],
    compared: Sequence[tuple[np.ndarray, np.ndarray]],
) -> Written:
    """Write a file beside its place and compare what it gives with what torch gave: one image, then all in batches."""
    try:
        file.write(traced, about, part)
    except OSError as error:
        raise SandboxError(f"cannot write {file.path}: {reason(error)}") from None
    try:
        embed_by = file.open(part)
        apart = [np.abs(embed_by(pixels) - wanted).max() for pixels, wanted in compared]
    except Exception as error:  # whatever a runtime raises
        raise _refusal(f"{file.path.name} was written, but cannot be run", error) from None
    difference = float(np.max(apart))
    if not difference <= LIMIT:  # nor where it is NaN
        many = counted(sum(len(pixels) for pixels, _ in compared[1:]), "image", "images")
        raise SandboxError(
            f"the embeddings of {file.path.name} differ from torch's by up to {difference:.2g} on {many}, but "
            f"{LIMIT:g} is allowed; nothing was written"
        )
    return Written(file.path, part.stat().st_size, difference)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what exporters tell their developers from a person's terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _refusal(what: str, error: Exception) -> SandboxError:
    """One sentence of an exporter's page."""
    while error.__cause__ is not None and isinstance(error.__cause__, Exception):
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return SandboxError(f"{what}: {lines[0][:300] if lines else type(error).__name__}")
