"""Write a run's network to a file that others can run: python experiments/export.py RUN --onnx FILE.onnx."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from sandbox.called import called
from sandbox.cli import flags
from sandbox.cli.say import say
from sandbox.errors import SandboxError

WHAT = (
    "Write the embedding network of a finished run to an ONNX file, to a torch.export program or to both. They take "
    "images (N, C, S, S) uint8 as they are and give unit embeddings (N, D) float32; pixel statistics and, where the "
    "run asks for it, the average with the mirror image are inside. They are compared with torch on up to 64 of the "
    "run's validation images, and kept only where no number differs by more than 1e-4."
)


@dataclass(frozen=True, kw_only=True)
class Command:
    """What export.py takes."""

    run: Annotated[str, tyro.conf.Positional]
    """The folder of a finished run."""
    onnx: str = ""
    """The ONNX file to write, such as face.onnx; evaluate.py --run and others take it in place of the run."""
    program: str = ""
    """The .pt2 file to write, for torch.export.load."""
    hub: str = ""
    """The folder to write as a model hub expects it: weights, config.json and a card; it is a network as well."""
    license: str = "unknown"
    """The licence of the weights that the card of --hub names, such as mit."""
    images: str = ""
    """Compare on the images in this folder and below it, where the run's own are not at hand."""


ENDINGS = {"onnx": ".onnx", "program": ".pt2"}


def main(argv: Sequence[str]) -> None:
    """Read the flags, export, say how near it came."""
    command = flags.parse(Command, argv, prog=called("export"), description=WHAT)
    _check(command, argv)
    flags.quiet_libraries()
    from sandbox.inference.onnx_session import need

    if command.onnx:
        need("onnx", "onnxscript", "onnxruntime")
    from sandbox.inference.example_images import real_images
    from sandbox.inference.export import export, metadata
    from sandbox.inference.trained import load_trained
    from sandbox.runs.folder import RunFolder

    folder = RunFolder(Path(command.run))
    trained = load_trained(folder, rows=bool(command.hub))
    if trained.of_rows and (command.onnx or command.program):
        load_trained(folder)  # says that it takes no images
    pixels, source = real_images(folder, trained, Path(command.images) if command.images else None)
    places = {flag: Path(getattr(command, flag)) if getattr(command, flag) else None for flag in ENDINGS}
    if command.hub:
        from sandbox.inference.hub import write_hub

        write_hub(folder, trained, Path(command.hub), pixels, command.license)
        say(f"wrote {command.hub}: model.safetensors, config.json, README.md; its embeddings of {source} are the run's")
        if not command.onnx and not command.program:
            return
    written = export(trained, pixels, onnx=places["onnx"], program=places["program"])
    shape = metadata(trained)["input"].partition(" ")[2].partition(" uint8")[0]
    say(f"{trained.name}: images {shape} uint8 to embeddings (N, {trained.dim}) float32, weights {trained.digest}")
    for file in written:
        say(f"wrote {file.path} ({file.size / 1e6:,.1f} MB), at most {file.difference:.1e} from torch")
    say(f"compared on {source}")
    if command.onnx:
        say(f"next: {called('evaluate')} --run {shlex.quote(command.onnx)} --bin FILE.bin")


def _check(command: Command, argv: Sequence[str]) -> None:
    """Refuse flags that leave nothing to do, or files that nobody would find by their ending."""
    given = {word[2:].split("=")[0] for word in argv if word.startswith("--")}
    for flag in (*ENDINGS, "images", "hub", "license"):
        if flag in given and not getattr(command, flag):
            raise SandboxError(f"--{flag} is empty")
    if not command.onnx and not command.program and not command.hub:
        raise SandboxError("give --onnx FILE.onnx, --program FILE.pt2 or both, or --hub DIR")
    if "license" in given and not command.hub:
        raise SandboxError("--license stands in the card that --hub DIR writes: give that as well")
    for flag, ending in ENDINGS.items():
        place = getattr(command, flag)
        if place and Path(place).suffix.lower() != ending:
            raise SandboxError(f"--{flag} is '{place}', but names a file that ends in {ending}")
