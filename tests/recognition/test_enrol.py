"""People enrolled from folders by a network that was really trained."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sandbox.data.images.decode import decode
from sandbox.errors import SandboxError
from sandbox.inference.embedder import Embedder
from sandbox.inference.load import load_network
from sandbox.recognition import enrol as enrolling
from sandbox.recognition.enrol import Options, add, enrol, remove
from sandbox.recognition.folders import people_in, strangers_in
from sandbox.recognition.identify import identify
from sandbox.recognition.people import People
from sandbox.recognition.strangers import named_twice, of_run
from sandbox.runs.folder import RunFolder

Digits = Callable[..., Path]
PEOPLE = {"Žofie": ("2", 6), "Bo": ("3", 5), "Cy": ("7", 4)}


@pytest.fixture(scope="module")
def network(run: Path) -> Embedder:
    return load_network(run)


def enrolled(network: Embedder, run: Path, folder: Path, **ask: object) -> tuple[People, list[str]]:
    return enrol(network, run, folder, Options(**ask))  # type: ignore[arg-type]


def test_rows_are_what_the_network_makes_of_the_files(network: Embedder, run: Path, digits: Digits) -> None:
    folder = digits("people", PEOPLE)
    people, notes = enrolled(network, run, folder)
    assert not notes and people.gallery.names == ("Bo", "Cy", "Žofie") and people.gallery.counts.tolist() == [5, 4, 6]
    pixels = np.stack([decode(Path(file), 16, 1) for file in people.gallery.files])
    np.testing.assert_allclose(people.gallery.x, network.embed(pixels), atol=1e-6)
    for file, owner in zip(people.gallery.files, people.gallery.person, strict=True):
        assert Path(file).parent.name == people.gallery.names[owner]
    assert people.network.digest == network.digest and people.network.path == str(run.resolve())


def test_validation_images_are_the_strangers_of_a_run(network: Embedder, run: Path, digits: Digits) -> None:
    people, _ = enrolled(network, run, digits("people", PEOPLE), fpir=0.1)
    kept, _ = RunFolder(run).read_tensors("embeddings.safetensors")
    x = kept["val/embeddings"].numpy()
    sums = [people.gallery.x[people.gallery.person == place].astype(float).sum(axis=0) for place in range(3)]
    tops = np.max([x @ (total / np.linalg.norm(total)) for total in sums], axis=0)
    threshold = people.threshold
    assert threshold.source == "validation" and (threshold.images, threshold.people) == (len(x), 2)
    assert threshold.reached == pytest.approx(np.mean(tops >= threshold.value), abs=1e-9) and threshold.reached <= 0.1
    assert threshold.reached > 0.1 - 2 / len(x)
    assert threshold.supported == (len(x) * 0.1 >= 30)


def test_strangers_of_validation_who_are_enrolled_are_none(network: Embedder, run: Path, digits: Digits) -> None:
    people, notes = enrolled(network, run, digits("people", {**PEOPLE, "Dee": ("4", 3)}))
    assert [note for note in notes if note.startswith("left out of the strangers, for 3 images that are enrolled")]
    assert people.threshold.people == 1


@pytest.mark.parametrize("flat", [False, True])
def test_a_folder_of_strangers_chooses_the_threshold(
    network: Embedder, run: Path, digits: Digits, flat: bool, tmp_path: Path
) -> None:
    folder = digits("people", PEOPLE)
    strangers = digits("others", {"x": ("4", 12), "unknown": ("6", 12)})
    if flat:
        for place, file in enumerate(sorted(strangers.glob("*/*.png"))):
            file.rename(strangers / f"{place}.png")
        for inner in ("x", "unknown"):
            (strangers / inner).rmdir()
    people, notes = enrolled(network, run, folder, strangers=strangers, fpir=0.25)
    assert not notes and people.threshold.source == "strangers" and people.threshold.images == 24
    assert people.threshold.people == (24 if flat else 2)
    named = identify(people, network, sorted(strangers.rglob("*.png")))
    assert sum(row.name is not None for row in named) == round(24 * (people.threshold.reached or 0)) == 6
    assert people.strangers is not None and people.calibration is not None
    genuine = 15 if flat else 39
    assert people.calibration.genuine == genuine  # strangers who each have one image add none


def test_a_stranger_of_an_enrolled_name_is_refused(network: Embedder, run: Path, digits: Digits) -> None:
    folder = digits("people", PEOPLE)
    with pytest.raises(SandboxError, match=r"'Bo' in .*others is the name of somebody who is enrolled"):
        enrolled(network, run, folder, strangers=digits("others", {"Bo": ("4", 2)}))
    assert named_twice(["Bo.png"], ["Bo"]) == "Bo.png"
    assert named_twice(["001.png", "Boris", "Bo_1.png"], ["001", "Bo"]) == ""
    assert named_twice(["Bo .png"], ["Bo"]) == "Bo .png"


def test_an_enrolled_image_is_no_stranger_s(network: Embedder, run: Path, digits: Digits) -> None:
    folder, strangers = digits("people", PEOPLE), digits("others", {"x": ("4", 5), "y": ("6", 5)})
    shutil.copy(folder / "Bo" / "000.png", strangers / "x" / "again.png")
    people, notes = enrolled(network, run, folder, strangers=strangers)
    assert notes == ["left out of the strangers, for 1 image that is enrolled: x"]
    assert people.threshold.people == 1 and people.threshold.images == 5
    shutil.rmtree(strangers / "y")
    with pytest.raises(SandboxError, match="all strangers are enrolled; give other people"):
        enrolled(network, run, folder, strangers=strangers)


def odd_images(folder: Path) -> list[str]:
    """Kinds of file that a folder of faces may hold; all can be read."""
    rng = np.random.default_rng(0)
    rgb = Image.fromarray(rng.integers(0, 256, (24, 20, 3), dtype=np.uint8))
    Image.new("RGB", (1, 1), "red").save(folder / "dot.png")
    rgb.convert("CMYK").save(folder / "cmyk.jpg")
    rgb.quantize(8).save(folder / "palette.png")
    Image.fromarray(rng.integers(0, 65536, (20, 20), dtype=np.uint16)).save(folder / "deep.png")
    rgb.save(folder / "moving.gif", save_all=True, append_images=[rgb.rotate(90)])
    turned = Image.Exif()
    turned[0x0112] = 6
    rgb.save(folder / "turned.jpg", exif=turned)
    return ["cmyk.jpg", "deep.png", "dot.png", "moving.gif", "palette.png", "turned.jpg"]


def test_odd_images_are_read_and_bad_ones_named(network: Embedder, run: Path, digits: Digits) -> None:
    folder = digits("people", PEOPLE)
    for name in ("odd", "lost", "empty"):
        (folder / name).mkdir()
    names = odd_images(folder / "odd")
    (folder / "lost" / "a.png").write_text("no image")
    (folder / "lost" / "b.png").write_bytes(b"")
    (folder / "loose.png").write_bytes((folder / "Bo" / "000.png").read_bytes())
    shutil.copy(folder / "Bo" / "000.png", folder / "Bo" / "copy.png")
    shutil.copy(folder / "Bo" / "001.png", folder / "Cy" / "other.png")
    people, notes = enrolled(network, run, folder)
    place = people.gallery.names.index("odd")
    files = [Path(f).name for f, p in zip(people.gallery.files, people.gallery.person, strict=True) if p == place]
    assert files == names
    assert "lost" not in people.gallery.names and "empty" not in people.gallery.names
    said = "\n".join(notes)
    assert "1 image lies beside the folders" in said and "1 folder without images: empty" in said
    assert "2 images cannot be read and left out: " in said and "a.png (is no image)" in said
    assert "without an image that can be used, and left out: lost" in said
    assert "1 image there twice and taken once: " in said and "copy.png" in said
    assert "byte for byte the same, but enrolled as two people: " in said


def test_folders_of_one_name_are_refused(digits: Digits) -> None:
    folder = digits("people", {unicodedata.normalize(form, "Žofie"): ("2", 1) for form in ("NFC", "NFD")})
    if len(list(folder.iterdir())) < 2:
        pytest.skip("this file system composes names itself")
    with pytest.raises(SandboxError, match=r"'Z\\u030cofie' and '\\u017dofie' in .* are both the name 'Žofie'"):
        people_in(folder)


def test_folders_without_people_are_refused(tmp_path: Path, digits: Digits) -> None:
    with pytest.raises(SandboxError, match="there is no folder"):
        people_in(tmp_path / "none")
    Image.new("L", (4, 4)).save(tmp_path / "loose.png")
    with pytest.raises(SandboxError, match="no folder with images, but 1 image in no folder"):
        people_in(tmp_path)
    with pytest.raises(SandboxError, match="nobody can be enrolled as 'UNKNOWN'"):
        people_in(digits("people", {"UNKNOWN": ("2", 1)}))


def test_strangers_are_met_in_any_spelling(digits: Digits, tmp_path: Path) -> None:
    folder = digits("others", {"Z\u030cofie": ("2", 1)})
    shutil.copy(next((folder / "Z\u030cofie").iterdir()), folder / "Jose\u0301.png")
    files, names, _ = strangers_in(folder)
    assert sorted(names) == ["Jos\xe9.png", "\u017dofie"] and all(file.is_file() for file in files)
    assert named_twice(names, ["Jos\xe9"]) == "Jos\xe9.png"


def test_people_come_and_go_and_the_threshold_follows(network: Embedder, run: Path, digits: Digits) -> None:
    folder = digits("people", PEOPLE)
    strangers = digits("others", {"x": ("4", 12), "Dee": ("6", 9)})
    first, _ = enrolled(network, run, folder, strangers=strangers, fpir=0.2)
    four, notes = add(first, network, "Dee", [strangers / "Dee"])
    assert notes == ["'Dee' is no stranger any more"] and four.threshold.images == 12
    assert four.gallery.names == ("Bo", "Cy", "Dee", "Žofie")
    expected, _ = enrolled(
        network, run, digits("people", {"Dee": ("6", 9)}), strangers=digits("rest", {"x": ("4", 12)}), fpir=0.2
    )
    assert four.threshold == expected.threshold and four.calibration == expected.calibration
    three, _ = remove(four, "Zofie".replace("Z", "Z\u030c"))
    assert three.gallery.names == ("Bo", "Cy", "Dee")
    more, notes = add(three, network, " Bo", [*(digits("new", {"Bo": ("3", 2)}, first=9) / "Bo").iterdir()])
    assert more.gallery.counts.tolist() == [7, 4, 9] and not notes
    _, notes = add(three, network, "bo", [digits("new", {"Bo": ("3", 2)}, first=9)])
    assert notes == ["'bo' is enrolled beside 'Bo', as somebody else"]


def test_what_cannot_be_added_or_removed_is_refused(network: Embedder, run: Path, digits: Digits) -> None:
    folder = digits("people", PEOPLE)
    people, _ = enrolled(network, run, folder)
    with pytest.raises(SandboxError, match="every image given is enrolled as Bo's already"):
        add(people, network, "Bo", [folder / "Bo"])
    with pytest.raises(SandboxError, match="there is no file or folder"):
        add(people, network, "Bo", [folder / "nothing.png"])
    with pytest.raises(SandboxError, match=r"none of 1 image can be used: .*is no image"):
        (folder / "text.png").write_text("text")
        add(people, network, "New", [folder / "text.png"])
    with pytest.raises(SandboxError, match="no enrolled person named 'Boo'; did you mean 'Bo'"):
        remove(people, "Boo")
    people, _ = remove(remove(people, "Bo")[0], "Cy")
    with pytest.raises(SandboxError, match="'Žofie' is the only one enrolled"):
        remove(people, "Žofie")


def test_without_strangers_a_threshold_is_given_by_hand(network: Embedder, run: Path, digits: Digits) -> None:
    folder = digits("people", PEOPLE)
    with pytest.raises(SandboxError, match=r"keeps no images of strangers.*--strangers FOLDER.*--threshold by hand"):
        enrol(network, run / "recipe.toml", folder, Options())
    people, notes = enrolled(network, run, folder, threshold=0.5)
    assert (people.threshold.value, people.threshold.reached, people.strangers) == (0.5, None, None) and not notes
    changed, _ = remove(people, "Bo")
    assert changed.threshold == people.threshold and changed.calibration != people.calibration
    lone, notes = enrolled(network, run, digits("lone", {"A": ("2", 1), "B": ("3", 1)}), threshold=0.5)
    assert lone.calibration is None and "no probability will be shown" in notes[0]
    named = identify(lone, network, [folder / "Bo" / "000.png"])
    assert named[0].probability is None and named[0].similarity is not None


def test_too_many_strangers_are_not_kept_and_the_threshold_stays(
    network: Embedder, run: Path, digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolling, "MOST_KEPT", 10)
    people, notes = enrolled(network, run, digits("people", PEOPLE))
    assert people.strangers is None and "are too many to keep (10)" in notes[0]
    changed, notes = remove(people, "Bo")
    assert changed.threshold == people.threshold and "the threshold stays as it was" in notes[0]


def test_a_folder_of_a_hub_keeps_no_strangers(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(SandboxError, match=r"keeps no images of strangers.*--strangers FOLDER"):
        of_run(tmp_path)


def test_a_run_that_was_validated_on_its_own_people_has_no_strangers(run: Path, tmp_path: Path) -> None:
    folder = RunFolder(Path(shutil.copytree(run, tmp_path / "copy")))
    kept, _ = folder.read_tensors("embeddings.safetensors")
    for state in ({"closed_set": True}, None):
        folder.write_tensors("embeddings.safetensors", kept, state)
        with pytest.raises(SandboxError, match="was validated on people that it was trained on"):
            of_run(folder.path)
    apart = {key.replace("val/", "val/verify/"): value.clone() for key, value in kept.items()}
    folder.write_tensors("embeddings.safetensors", kept | apart, {"closed_set": True})
    assert len(of_run(folder.path)) == len(kept["val/labels"])


def test_a_stranger_is_unknown_and_most_like_somebody(network: Embedder, run: Path, digits: Digits) -> None:
    folder = digits("people", PEOPLE)
    people, _ = enrolled(network, run, folder, threshold=0.999)
    files = [folder / "Bo" / "000.png", digits("others", {"x": ("4", 1)}) / "x" / "000.png"]
    low, high = (identify(people, network, files, threshold=cut) for cut in (-1.0, 1.0))
    assert [row.name for row in low] == [row.most_alike for row in low] == [row.most_alike for row in high]
    assert high[1].name is None and high[1].label == f"UNKNOWN (most like {low[1].name})"
    assert people.calibration is not None
    for row in low:
        sums = [people.gallery.x[people.gallery.person == place].astype(float).sum(axis=0) for place in range(3)]
        x = network.embed(decode(Path(row.image), 16, 1)[None])[0]
        scores = [x @ (total / np.linalg.norm(total)) for total in sums]
        assert row.most_alike == people.gallery.names[int(np.argmax(scores))]
        assert row.similarity == pytest.approx(max(scores), abs=1e-6)
        llr = people.calibration.slope * max(scores) + people.calibration.offset
        assert row.probability == pytest.approx(1 / (1 + np.exp(-llr)), abs=1e-5)
    mine = replace(people, threshold=replace(people.threshold, value=low[0].similarity or 0.0))
    assert identify(mine, network, files)[0].name == low[0].name  # accepted at the threshold itself
