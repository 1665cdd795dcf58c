from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.data.images.cache import cache_folder, cached_file
from sandbox.data.images.decode import decode
from sandbox.data.images.form import Form
from sandbox.data.images.pack import pack
from sandbox.errors import SandboxError


@pytest.fixture
def files(tmp_path: Path, write_image: Callable[..., Path]) -> list[Path]:
    return [write_image(tmp_path / "a" / f"{number}.png", seed=number) for number in range(5)]


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    return {file.name: (file.stat().st_ino, file.stat().st_mtime_ns) for file in folder.iterdir()}


def test_rows_are_the_decoded_files(tmp_path: Path, files: list[Path]) -> None:
    packed = pack(files, tmp_path, Form(8))
    assert packed.pixels.shape == (5, 8, 8, 1)
    assert packed.kept == (0, 1, 2, 3, 4)
    assert packed.notes == ()
    assert isinstance(packed.pixels, np.memmap)
    assert not packed.pixels.flags.writeable
    for row, file in zip(packed.pixels, files, strict=True):
        assert np.array_equal(row, decode(file, 8, 1))


def test_a_second_call_reads_the_cache(tmp_path: Path, cache: Path, files: list[Path]) -> None:
    first = np.array(pack(files, tmp_path, Form(8)).pixels)
    before = stamps(cache)
    assert {name.rpartition(".")[2] for name in before} == {"npy", "json"}
    assert np.array_equal(pack(files, tmp_path, Form(8)).pixels, first)
    assert stamps(cache) == before


def test_size_colour_and_changed_files_have_caches_of_their_own(
    tmp_path: Path, cache: Path, files: list[Path], write_image: Callable[..., Path]
) -> None:
    pack(files, tmp_path, Form(8))
    assert pack(files, tmp_path, Form(9)).pixels.shape == (5, 9, 9, 1)
    assert pack(files, tmp_path, Form(8, "rgb")).pixels.shape == (5, 8, 8, 3)
    write_image(files[2], seed=77, size=(14, 14))
    assert np.array_equal(pack(files, tmp_path, Form(8)).pixels[2], decode(files[2], 8, 1))
    assert len(list(cache.glob("*.npy"))) == 4


def test_auto_colour_sees_one_coloured_file(
    tmp_path: Path, files: list[Path], write_image: Callable[..., Path]
) -> None:
    coloured = [*files, write_image(tmp_path / "b" / "x.png", mode="RGB")]
    assert pack(coloured, tmp_path, Form(8)).pixels.shape == (6, 8, 8, 3)
    assert pack(coloured, tmp_path, Form(8, "grey")).pixels.shape == (6, 8, 8, 1)


def test_broken_files_are_named_and_left_out(
    tmp_path: Path, cache: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch, write_image: Callable[..., Path]
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    empty, text, cut = tmp_path / "b" / "empty.png", tmp_path / "b" / "text.jpg", tmp_path / "b" / "cut.png"
    slightly, far = tmp_path / "b" / "slightly.png", tmp_path / "b" / "far.png"
    write_image(slightly, size=(40, 40))
    write_image(far, size=(80, 80))
    empty.touch()
    text.write_text("no image")
    whole = write_image(cut, size=(30, 30)).read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    mixed = [files[0], empty, text, files[1], cut, slightly, far, files[2]]
    for _ in range(2):  # the second time from the cache
        packed = pack(mixed, tmp_path, Form(8))
        assert packed.kept == (0, 3, 7)
        assert len(packed.pixels) == 3
        assert np.array_equal(packed.pixels[1], decode(files[1], 8, 1))
        (note,) = packed.notes
        assert note.startswith("5 unreadable images left out: b/empty.png (empty file), b/text.jpg (not an image)")
        assert "b/far.png (over 1,000 pixels)" in note
        assert "b/slightly.png (over 1,000 pixels)" in note
    assert len(list(cache.glob("*.npy"))) == 1


def test_only_five_broken_files_are_named(tmp_path: Path, files: list[Path]) -> None:
    broken = [tmp_path / f"{number}.png" for number in range(8)]
    for file in broken:
        file.touch()
    (note,) = pack([*files, *broken], tmp_path, Form(8)).notes
    assert note.count("empty file") == 5
    assert note.endswith("and 3 more")


def test_nothing_readable_is_an_error_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "x.png").touch()
    with pytest.raises(SandboxError, match=r"none of the 1 image files can be read: x.png \(empty file\)"):
        pack([tmp_path / "x.png"], tmp_path, Form(8))
    assert not list(cache.glob("*.json"))


@pytest.mark.parametrize("ending", ["npy", "json"])
@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_a_damaged_cache_is_made_again(
    tmp_path: Path, cache: Path, files: list[Path], ending: str, damage: str
) -> None:
    first = np.array(pack(files, tmp_path, Form(8)).pixels)
    (file,) = cache.glob(f"*.{ending}")
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1])
    assert np.array_equal(pack(files, tmp_path, Form(8)).pixels, first)


def test_what_fails_halfway_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), cached_file(tmp_path / "x.npy") as part:
        part.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_old_parts_of_killed_runs_are_swept(tmp_path: Path) -> None:
    old, new = tmp_path / ".1.part.npy", tmp_path / ".2.part.npy"
    old.touch()
    new.touch()
    os.utime(old, (0, 0))
    with cached_file(tmp_path / "y") as part:
        part.write_text("whole")
    assert {file.name for file in tmp_path.iterdir()} == {".2.part.npy", "y"}


def test_a_cache_that_cannot_be_made_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("METRIC_LEARNING_SANDBOX_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(SandboxError, match="METRIC_LEARNING_SANDBOX_CACHE"):
        cache_folder()


def test_processes_at_once_do_not_clash(tmp_path: Path, cache: Path, files: list[Path]) -> None:
    script = (
        "import sys; from pathlib import Path; from sandbox.data.images.form import Form;"
        "from sandbox.data.images.pack import pack; root = Path(sys.argv[1]);"
        "print(int(pack(sorted(root.rglob('*.png')), root, Form(8)).pixels.sum()))"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    source = Path(__file__).resolve().parents[3]
    running = [subprocess.Popen(command, cwd=source, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    sums = {process.communicate()[0] for process in running}
    assert all(process.returncode == 0 for process in running)
    assert sums == {f"{int(pack(files, tmp_path, Form(8)).pixels.sum())}\n"}
    assert len(list(cache.iterdir())) == 2
