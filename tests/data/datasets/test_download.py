from __future__ import annotations

import gzip
import hashlib
import io
import os
import socket
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
import sklearn.datasets._olivetti_faces as olivetti_of_sklearn
from PIL import Image
from scipy.io import savemat
from sklearn.datasets._base import RemoteFileMetadata
from torchvision.datasets import CIFAR100, MNIST, Omniglot

from sandbox.data.catalog import files_of, load
from sandbox.data.datasets import omniglot
from sandbox.data.datasets.download import folder_of, kept
from sandbox.errors import SandboxError
from sandbox.recipe.specs import DataSpec

from omniglot_trees import alphabet, official_tree

DOWNLOADED = ("olivetti", "mnist", "cifar100", "omniglot")


class _Server(SimpleHTTPRequestHandler):
    """Serves a folder; files called *.broken stop in the middle, though their head promises them whole."""

    def log_message(self, *_: Any) -> None:
        pass

    def send_head(self) -> Any:
        path = Path(self.translate_path(self.path))
        broken = path.with_name(path.name + ".broken")
        if not broken.exists():
            return super().send_head()
        content = broken.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.close_connection = True
        return io.BytesIO(content[: len(content) // 2])


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder, and the address that a server on this machine serves it under."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Server, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address of this machine at which nobody listens."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def point(monkeypatch: pytest.MonkeyPatch, address: str, digests: dict[str, str] | None = None) -> None:
    """Lets torchvision and scikit-learn look for their files at an address."""
    digests = digests or {}
    monkeypatch.setattr(MNIST, "mirrors", [f"{address}/", f"{address}/second/"])
    monkeypatch.setattr(MNIST, "resources", [(name, digests.get(name, md5)) for name, md5 in MNIST.resources])
    monkeypatch.setattr(CIFAR100, "url", f"{address}/cifar.tar.gz")
    monkeypatch.setattr(CIFAR100, "tgz_md5", digests.get("cifar.tar.gz", CIFAR100.tgz_md5))
    monkeypatch.setattr(Omniglot, "download_url_prefix", address)
    zips = {name: digests.get(f"{name}.zip", md5) for name, md5 in Omniglot.zips_md5.items()}
    monkeypatch.setattr(Omniglot, "zips_md5", zips)
    checksum = digests.get("faces.mat", olivetti_of_sklearn.FACES.checksum)
    remote = RemoteFileMetadata("olivettifaces.mat", f"{address}/faces.mat", checksum)
    monkeypatch.setattr(olivetti_of_sklearn, "FACES", remote)


def tarred(folder: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.add(folder, folder.name)
    return out.getvalue()


def zipped(folder: Path, pattern: str = "*.png") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for file in sorted(folder.rglob(pattern)):
            archive.write(file, file.relative_to(folder.parent))
    return out.getvalue()


def drawings(folder: Path, alphabets: str) -> Path:
    for place, letter in enumerate(alphabets):
        for character in (1, 2):
            for number in range(4):
                file = folder / f"Alphabet_{letter}" / f"character{character:02d}" / f"{number:02d}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                ink = np.full((105, 105), 255, np.uint8)
                ink[10 * place : 10 * place + 8, 10 * character : 30 + number] = 0
                Image.fromarray(ink).save(file)
    return folder


def idx(array: np.ndarray) -> bytes:
    lengths = b"".join(side.to_bytes(4, "big") for side in array.shape)
    return bytes((0, 0, 8, array.ndim)) + lengths + array.astype(np.uint8).tobytes()


def archives(name: str, tmp_path: Path) -> dict[str, bytes]:
    """Small files of the true form, as the servers keep them."""
    random = np.random.default_rng(0)
    if name == "mnist":
        files = {}
        for half, count in (("train", 60), ("t10k", 30)):
            files[f"{half}-images-idx3-ubyte.gz"] = idx(random.integers(0, 256, (count, 28, 28)))
            files[f"{half}-labels-idx1-ubyte.gz"] = idx(np.arange(count) % 10)
        return {file: gzip.compress(content) for file, content in files.items()}
    if name == "omniglot":
        background = drawings(tmp_path / "images_background", "ABC")
        evaluation = drawings(tmp_path / "images_evaluation", "DEF")
        return {"images_background.zip": zipped(background), "images_evaluation.zip": zipped(evaluation)}
    if name == "cifar100":
        import pickle

        folder = tmp_path / "cifar-100-python"
        folder.mkdir()
        for half, count in (("train", 40), ("test", 12)):
            rows = random.integers(0, 256, (count, 3072), dtype=np.uint8)
            held = {b"data": rows, b"fine_labels": [place % 4 for place in range(count)]}
            (folder / half).write_bytes(pickle.dumps(held, protocol=4))
        (folder / "meta").write_bytes(
            pickle.dumps({b"fine_label_names": [b"apple", b"bear", b"bed", b"bee"]}, protocol=4)
        )
        return {"cifar.tar.gz": tarred(folder)}
    out = io.BytesIO()
    savemat(out, {"faces": random.integers(0, 256, (4096, 400), dtype=np.uint8)})
    return {"faces.mat": out.getvalue()}


def digests(files: dict[str, bytes]) -> dict[str, str]:
    return {
        name: (hashlib.sha256 if name.endswith(".mat") else hashlib.md5)(data).hexdigest()
        for name, data in files.items()
    }


@pytest.mark.parametrize("name", DOWNLOADED)
def test_downloaded_once_and_read_from_the_cache(
    name: str, served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    folder, address = served
    files = archives(name, tmp_path)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    point(monkeypatch, address, digests(files))
    first = load(DataSpec(name=name))
    assert min(map(len, (first.train, first.val, first.test))) >= 2
    for file in files:
        (folder / file).unlink()
    second = load(DataSpec(name=name))
    assert second.digest == first.digest
    np.testing.assert_array_equal(second.test.pixels, first.test.pixels)
    assert load(DataSpec(name=name, root=str(kept(name)))).digest == first.digest
    assert [entry.name for entry in kept(name).parent.iterdir()] == [name]
    assert capfd.readouterr().out == ""
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("name", DOWNLOADED)
@pytest.mark.parametrize("how", ["breaks off", "another file", "not found", "second missing"])
def test_a_download_that_fails_leaves_nothing(
    name: str, how: str, served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = served
    files = archives(name, tmp_path)
    if how == "second missing" and len(files) == 1:
        return
    last = list(files)[-1]
    for file, content in files.items():
        if how == "breaks off" and file == last:
            (folder / f"{file}.broken").write_bytes(content)
        elif how == "another file" and file == last:
            (folder / file).write_bytes(content + b"\0")
        elif how != "not found" and file != last:
            (folder / file).write_bytes(content)
    point(monkeypatch, address, digests(files))
    with pytest.raises(
        SandboxError, match=f"data set '{name}' could not be downloaded .*; where you have it"
    ) as caught:
        load(DataSpec(name=name))
    assert "\n" not in str(caught.value)
    if how in ("not found", "second missing"):
        assert "HTTP 404" in str(caught.value)
    assert not kept(name).exists()
    assert list(kept(name).parent.iterdir()) == []
    for file, content in files.items():
        (folder / f"{file}.broken").unlink(missing_ok=True)
        (folder / file).write_bytes(content)
    assert len(load(DataSpec(name=name)).train)


@pytest.mark.parametrize("name", DOWNLOADED)
def test_no_network_is_one_sentence_and_exit_code_2(
    name: str, nowhere: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: Callable[..., Any]
) -> None:
    point(monkeypatch, nowhere)
    said = command("run.py", "--data.name", name, "--out", str(tmp_path / "runs"))
    assert said.code == 2
    assert said.err.startswith(f"error: data set '{name}' could not be downloaded (")
    assert "Connection refused" in said.err and "give data.root a folder that holds" in said.err
    assert said.err.count("\n") == 1 and "Traceback" not in said.err
    assert not (tmp_path / "runs").exists()
    assert list(kept(name).parent.iterdir()) == []


@pytest.mark.parametrize("name", DOWNLOADED)
def test_a_root_is_never_downloaded_into(
    name: str, served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = served
    files = archives(name, tmp_path)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    point(monkeypatch, address, digests(files))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SandboxError, match="empty holds n"):
        load(DataSpec(name=name, root=str(tmp_path / "empty")))
    assert list((tmp_path / "empty").iterdir()) == []
    assert not kept(name).exists()


def test_a_cache_that_was_damaged_since_says_the_way_out(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = served
    files = archives("mnist", tmp_path)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    point(monkeypatch, address, digests(files))
    load(DataSpec(name="mnist"))
    (kept("mnist") / "t10k-labels-idx1-ubyte").write_bytes(b"")
    with pytest.raises(SandboxError, match=f"starts with nothing, .*; delete {kept('mnist')} to have it downloaded"):
        load(DataSpec(name="mnist"))


def test_an_interrupted_download_leaves_nothing() -> None:
    def fetch(folder: Path) -> None:
        (folder / "half").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), folder_of(DataSpec(name="mnist"), fetch, "files"):
        pass
    assert list(kept("mnist").parent.iterdir()) == []


def test_what_a_killed_download_left_is_swept_up_after_a_day() -> None:
    old, young = (kept("mnist").with_name(f"mnist.{name}.part") for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "half").write_bytes(b"half")
    os.utime(old, (time.time() - 25 * 3600,) * 2)
    with folder_of(DataSpec(name="mnist"), lambda folder: (folder / "whole").touch(), "files") as folder:
        assert [entry.name for entry in folder.iterdir()] == ["whole"]
    assert not old.exists() and young.exists()


def test_a_process_that_was_faster_is_no_error() -> None:
    def fetch(folder: Path) -> None:
        kept("mnist").mkdir()
        (kept("mnist") / "theirs").touch()
        (folder / "ours").touch()

    with folder_of(DataSpec(name="mnist"), fetch, "files") as folder:
        assert [entry.name for entry in folder.iterdir()] == ["theirs"]


def test_a_cache_that_cannot_be_written(cache: Path) -> None:
    (cache / "downloads").touch()
    with pytest.raises(SandboxError, match=r"cannot write the cache folder .*downloads \(.*\); set METRIC_LEARNING"):
        load(DataSpec(name="mnist"))


def test_the_official_runs_of_omniglot_are_added_to_what_was_downloaded(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, address = served
    tree = official_tree(tmp_path / "tree")
    alphabet(tmp_path / "images_evaluation", "Angelic", 2)
    files = {
        "images_background.zip": zipped(tree / "background"),
        "images_evaluation.zip": zipped(tmp_path / "images_evaluation"),
    }
    for file, content in files.items():
        (folder / file).write_bytes(content)
    point(monkeypatch, address, digests(files))
    monkeypatch.setattr(omniglot, "_RUNS", f"{address}/all_runs.zip")
    spec = omniglot.OmniglotSpec(name="omniglot", split="official", image_size=8)
    with pytest.raises(SandboxError, match=r"all_runs\.zip .*HTTP 404.* give data.root a folder that holds the 20"):
        load(spec)
    (folder / "all_runs.zip").write_bytes(zipped(tree / "one", "*"))
    splits = load(spec)
    assert splits.test_oneshot is not None and len(splits.test_oneshot.trials) == 400
    assert {name.split("/")[0] for name in splits.test.classes} == {"Angelic"}
    for file in folder.iterdir():
        file.unlink()
    assert load(spec).digest == splits.digest
    assert all(path.is_file() for path in files_of(spec, splits))
