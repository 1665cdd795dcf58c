from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st
from image_files import png16
from PIL import Image

from sandbox.data.catalog import data_kinds, load
from sandbox.data.datasets.homework import HomeworkSpec
from sandbox.data.homework.verification import halves
from sandbox.data.splits.splits import Splits, ToVerify
from sandbox.errors import SandboxError
from sandbox.recipe.text import from_toml

from trees import homework

Tree = Callable[[str], Path]
PAIRED = {
    "s20": ("validation_trials_verification.txt", "validation_verification/"),
    "f20": ("verification_pairs_val.txt", ""),
    "s22": ("verification/verification/verification_dev.csv", "verification/verification/"),
    "f24": ("val_pairs.txt", "ver_data/"),
    "f24 by folders": ("val_pairs.txt", "ver_data/"),
}


def read(root: Path, **settings: object) -> Splits:
    return load(HomeworkSpec(name="homework", root=str(root), **settings))  # type: ignore[arg-type]


def shown(apart: ToVerify | None) -> set[tuple[str, str, bool]]:
    assert apart is not None
    assert apart.pairs is not None
    paths, pairs = apart.images.paths, apart.pairs
    sides = zip(pairs.left, pairs.right, pairs.same, strict=True)
    return {(paths[left], paths[right], bool(same)) for left, right, same in sides}


@pytest.mark.parametrize("era", ["s20", "f20", "s22", "f22", "f24", "f24 by folders"])
def test_every_era_is_a_closed_set_with_verification_apart(tree: Tree, era: str) -> None:
    splits = read(tree(era))
    assert splits.closed_set
    assert splits.mirror
    assert splits.train.classes == splits.val.classes == splits.test.classes
    parts = [set(images.paths) for images in (splits.train, splits.val, splits.test)]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    size = 32 if era == "s20" else 64
    for images in (splits.train, splits.val, splits.test):
        assert images.pixels.shape[1:] == (size, size, 3)
    for apart in (splits.val_verify, splits.test_verify):
        assert apart is not None
        assert apart.pairs is not None
        assert apart.images.pixels.shape[1:] == (size, size, 3)
        assert 0 < apart.pairs.same.sum() < len(apart.pairs)


@pytest.mark.parametrize("era", PAIRED)
def test_every_listed_pair_is_in_one_half_with_its_answer(tree: Tree, era: str) -> None:
    root = tree(era)
    name, base = PAIRED[era]
    lines = [line.replace(",", " ").split() for line in (root / name).read_text().splitlines()]
    wanted = {(base + left, base + right, same == "1") for left, right, same in lines if same in "01"}
    splits = read(root)
    val, test = shown(splits.val_verify), shown(splits.test_verify)
    assert val | test == wanted
    assert not val & test
    for same in (False, True):
        kind = [sum(pair[2] == same for pair in half) for half in (val, test)]
        assert kind[0] - kind[1] in (0, 1)
    assert any("is cut in two, every second pair of each kind is test" in note for note in splits.notes)


@drawn(st.lists(st.booleans(), max_size=40))
def test_halves_share_each_kind(kinds: list[bool]) -> None:
    first, second = halves(kinds)
    assert sorted([*first, *second]) == list(range(len(kinds)))
    expected, seen = ([], []), {False: 0, True: 0}  # type: ignore[var-annotated]
    for place, kind in enumerate(kinds):
        expected[seen[kind] % 2].append(place)
        seen[kind] += 1
    assert (first.tolist(), second.tolist()) == expected


def test_labelled_test_images_are_the_test(tree: Tree) -> None:
    root = tree("f20")
    splits = read(root)
    for images, part in ((splits.train, "train"), (splits.val, "val"), (splits.test, "test")):
        inside = (root / "classification_data" / f"{part}_data").glob("*/*.jpg")
        assert set(images.paths) == {file.relative_to(root).as_posix() for file in inside}
        assert [images.classes[label] for label in images.labels] == [path.split("/")[-2] for path in images.paths]
    assert not any("no labels" in note for note in splits.notes)


def test_labels_come_from_a_labels_txt(tree: Tree) -> None:
    root = tree("f24")
    splits = read(root)
    assert splits.train.classes == ("0", "14", "7")
    for images, part in ((splits.train, "train"), (splits.val, "dev"), (splits.test, "test")):
        lines = (root / "cls_data" / part / "labels.txt").read_text().splitlines()
        wanted = {f"cls_data/{part}/images/{line.split()[0]}": line.split()[1] for line in lines}
        assert {path: images.classes[label] for path, label in zip(images.paths, images.labels, strict=True)} == wanted


def test_a_large_validation_gives_every_second_image_to_test(tree: Tree) -> None:
    splits = read(tree("s22"))
    base = "classification/classification/dev"
    assert set(splits.val.paths) == {f"{base}/n{who}/{number:04d}_2.jpg" for who in (1, 2, 3) for number in (0, 2, 4)}
    assert set(splits.test.paths) == {f"{base}/n{who}/{number:04d}_2.jpg" for who in (1, 2, 3) for number in (1, 3)}
    assert len(splits.train) == 15
    assert "every second validation image of each of the 3 classes with 4 or more" in splits.notes[0]


def test_a_small_validation_stays_whole_and_training_gives_the_test(tree: Tree) -> None:
    splits = read(tree("s20"))
    assert len(splits.val) == 8
    names = ("0", "1", "10", "2")
    assert set(splits.test.paths) == {f"train_data/medium/{who}/{at:04d}_1.jpg" for who in names for at in (4, 5)}
    assert len(splits.train) == 16
    assert "the last 2 training images, by name, of each of 4 classes, which are not trained on" in splits.notes[0]


def test_a_test_that_is_not_there_is_made(tree: Tree) -> None:
    root = tree("s20")
    shutil.rmtree(root / "test_classification")
    (root / "test_order_classification.txt").unlink()
    assert len(read(root).test) == 8


def test_the_part_of_the_early_eras(tree: Tree) -> None:
    root = tree("s20")
    assert read(root).train.classes == read(root, part="medium").train.classes == ("0", "1", "10", "2")
    assert read(root, part="large").train.classes == ("20", "21", "22")
    with pytest.raises(SandboxError, match=r"data\.part is 'huge', but must be medium or large"):
        read(root, part="huge")
    shutil.rmtree(root / "train_data" / "large")
    with pytest.raises(SandboxError, match=r"train_data has no large/ \(data\.part\), only medium"):
        read(root, part="large")


def test_no_other_era_or_data_set_has_parts(tree: Tree) -> None:
    with pytest.raises(SandboxError, match=r"data\.part is 'large', but .* is not of S19 or S20"):
        read(tree("f20"), part="large")
    with pytest.raises(SandboxError, match=r"data\.part is a setting of data set 'homework'; 'digits' has none"):
        from_toml('[data]\nname = "digits"\npart = "large"\n', kinds=data_kinds())


def test_one_to_many_compares_each_image_with_everybody_known(tree: Tree) -> None:
    root = tree("f22")
    splits = read(root)
    base = "11-785-f22-hw2p2-verification"
    answers = ["n5", "n000000", "n6", "n6", "n000000", "n7", "n5", "n000000"]
    halved = {"val": [0, 3, 6, 1, 7], "test": [2, 5, 4]}  # known people: 0 2 3 5 6, strangers: 1 4 7
    for name, apart in (("val", splits.val_verify), ("test", splits.test_verify)):
        assert shown(apart) == {
            (f"{base}/unknown_dev/{at:06d}.jpg", f"{base}/known/{who}/0000_5.jpg", answers[at] == who)
            for at in halved[name]
            for who in ("n5", "n6", "n7")
        }
        assert apart is not None
        assert len(apart.images) == 3 + len(halved[name])
    assert any("every second image of known people and of strangers is test" in note for note in splits.notes)


def test_names_of_files_count_before_the_order_of_rows(tree: Tree) -> None:
    root = tree("f22")
    before = read(root)
    answers = root / "11-785-f22-hw2p2-verification" / "verification_dev.csv"
    rows = [line.split(",") for line in answers.read_text().splitlines()[1:]]
    shuffled = [f"{name},unknown_dev/{int(at):06d}.jpg" for at, name in rows]
    answers.write_text("\n".join(["Label,file", *reversed(shuffled)]) + "\n")
    after = read(root)
    both = [shown(splits.val_verify) | shown(splits.test_verify) for splits in (before, after)]
    assert both[0] == both[1]


def test_a_tree_without_answers_is_a_closed_set_alone(tree: Tree) -> None:
    root = tree("f22")
    (root / "11-785-f22-hw2p2-verification" / "verification_dev.csv").unlink()
    splits = read(root)
    assert splits.val_verify is splits.test_verify is None
    assert any("no pairs with answers are there" in note for note in splits.notes)


@pytest.mark.parametrize(("era", "base"), [("s20", "a/b"), ("f20", "11-785-fall-20-homework-2-part-2"), ("f24", "x")])
def test_the_tree_may_lie_deeper_and_beside_strays(tree: Tree, era: str, base: str, write_image: Callable) -> None:
    root = tree(era)
    deeper = root.parent / "unpacked" / base
    deeper.parent.mkdir(parents=True)
    root.rename(deeper)
    plain = read(deeper)
    for folder in (deeper, root.parent / "unpacked"):
        write_image(folder / "stray.jpg")
        (folder / "readme.txt").write_text("about")
        (folder / "submission.csv").write_text("id,label\n")
    again = read(root.parent / "unpacked")
    for before, after in ((plain.train, again.train), (plain.val, again.val), (plain.test, again.test)):
        assert before.classes == after.classes
        assert np.array_equal(before.labels, after.labels)
        assert np.array_equal(before.pixels, after.pixels)


@pytest.mark.parametrize("ending", ["JPG", "jpeg", "PNG", "bmp", "Pgm", "webp"])
def test_endings_of_images(tree: Tree, ending: str, write_image: Callable[..., Path]) -> None:
    root = tree("f20")
    image = write_image(root / "classification_data" / "train_data" / "0" / f"other.{ending}", seed=5)
    assert image.relative_to(root).as_posix() in read(root).train.paths


def test_classes_too_small_to_train_on_are_not_judged_either(tree: Tree, write_image: Callable[..., Path]) -> None:
    root = tree("f20")
    base = root / "classification_data"
    write_image(base / "train_data" / "9" / "a.jpg")
    write_image(base / "val_data" / "9" / "b.jpg")
    write_image(base / "val_data" / "nobody" / "b.jpg")
    splits = read(root, min_images=2)
    assert splits.train.classes == splits.val.classes == ("0", "1", "2")
    assert splits.closed_set
    assert "validation images of 2 classes that are not trained on left out: 9, nobody" in splits.notes


def test_unreadable_images_are_named(tree: Tree) -> None:
    root = tree("f20")
    (root / "classification_data" / "train_data" / "0" / "0000_0.jpg").write_bytes(b"no image")
    splits = read(root)
    assert len(splits.train) == 14
    assert any("1 unreadable image left out: classification_data/train_data/0/0000_0.jpg" in n for n in splits.notes)


@pytest.mark.parametrize("era", PAIRED)
def test_absent_images_are_refused_with_their_lines(tree: Tree, era: str) -> None:
    root = tree(era)
    name, base = PAIRED[era]
    lines = [line.replace(",", " ").split() for line in (root / name).read_text().splitlines()]
    gone = lines[2][0]
    (root / base / gone).unlink()
    first = next(number for number, line in enumerate(lines, start=1) if gone in line[:2])
    with pytest.raises(SandboxError, match=rf"names 1 image that is not in .*: {gone} \(line {first}\)"):
        read(root)


def test_a_list_reaches_nothing_outside_its_folder(tree: Tree, write_image: Callable[..., Path]) -> None:
    root = tree("f24")
    outside = write_image(root.parent / "outside.jpg")
    with (root / "val_pairs.txt").open("a") as stream:
        stream.write(f"000000.jpg ../../outside.jpg 1\n000000.jpg {outside} 1\n")
    with pytest.raises(SandboxError, match=r"names 2 images that are not in .*: \.\./\.\./outside\.jpg \(line 11\)"):
        read(root)


def test_an_unreadable_image_of_a_pair_is_refused(tree: Tree) -> None:
    root = tree("f24")
    (root / "ver_data" / "000000.jpg").write_bytes(b"no image")
    with pytest.raises(SandboxError, match=r"names 1 image that is not readable: 000000\.jpg \(line 1\)"):
        read(root)


def test_malformed_lines_are_named(tree: Tree) -> None:
    root = tree("f20")
    text = (root / "verification_pairs_val.txt").read_text()
    (root / "verification_pairs_val.txt").write_text(text.replace(" 1\n", " 2\n", 1))
    with pytest.raises(SandboxError, match=r"verification_pairs_val\.txt line 2 must say 1"):
        read(root)
    (root / "verification_pairs_val.txt").write_text(text.replace(" 1\n", " 0\n"))
    with pytest.raises(SandboxError, match="holds 0 same and 9 different pairs; two of each are needed"):
        read(root)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ("id,name\n0,n5\n", r"line 1 must name a column 'label', not 'id,name'"),
        ("id,label\n0,n5\n1,n6\n", r"has 2 rows for the 8 images in .*unknown_dev"),
        ("id,label\n0,n5\n1\n", r"line 3 has 1 columns, but the header 2"),
        ("", "line 1 must name a column 'label'"),
        (
            "label\n" + "n5\n" * 7 + "n55\n",
            r"line 9 names 'n55', who is not in .*known; did you mean 'n5'\?; a stranger",
        ),
        ("label\n" + "n000000\n" * 8, "names known people 0 times"),
    ],
)
def test_names_that_do_not_fit_are_refused(tree: Tree, answers: str, said: str) -> None:
    root = tree("f22")
    (root / "11-785-f22-hw2p2-verification" / "verification_dev.csv").write_text(answers)
    with pytest.raises(SandboxError, match=said):
        read(root)


def test_another_tree_is_refused(tmp_path: Path, write_classes: Callable[..., Path]) -> None:
    root = write_classes(tmp_path / "pets", {"cats": 2, "dogs": 2})
    with pytest.raises(SandboxError, match=r"holds no homework: .* were looked for, .*; there is cats, dogs$"):
        read(root)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(SandboxError, match=r"there is nothing$"):
        read(empty)


def test_labels_that_contradict_each_other_or_are_missing_are_refused(tree: Tree) -> None:
    root = tree("f24")
    labels = root / "cls_data" / "train" / "labels.txt"
    with labels.open("a") as stream:
        stream.write("000002.jpg 0\n")
    with pytest.raises(SandboxError, match=r"train/labels\.txt names 000002\.jpg in line 3 and in line 13"):
        read(root)
    labels.unlink()
    with pytest.raises(SandboxError, match=r"train holds images of 'images' alone; .* or a labels\.txt beside images/"):
        read(root)


@pytest.mark.parametrize(("gone", "left"), [("unknown_dev", "known"), ("known", "unknown_dev")])
def test_half_of_one_to_many_is_refused(tree: Tree, gone: str, left: str) -> None:
    root = tree("f22")
    shutil.rmtree(root / "11-785-f22-hw2p2-verification" / gone)
    with pytest.raises(SandboxError, match=rf"/{left} and .*verification_dev\.csv are there, but no {gone}/ \(F22"):
        read(root)


def test_a_csv_without_a_header_is_refused(tree: Tree) -> None:
    root = tree("s22")
    file = root / "verification" / "verification" / "verification_dev.csv"
    file.write_text(file.read_text().partition("\n")[2])
    with pytest.raises(SandboxError, match=r"line 1 must name the columns, not images: 'dev/000000\.jpg,dev/0"):
        read(root)


@pytest.mark.parametrize("era", ["s20", "f20", "s22", "f24"])
def test_a_list_may_have_a_longer_name(tree: Tree, era: str) -> None:
    root = tree(era)
    before, file = read(root), root / PAIRED[era][0]
    longer = file.with_stem(f"{file.stem}_new")
    file.rename(longer)
    assert shown(read(root).val_verify) == shown(before.val_verify)
    shutil.copy(longer, file.with_stem(f"{file.stem}_old"))
    with pytest.raises(SandboxError, match=rf"_new\{file.suffix} and .*_old\{file.suffix} may both be {file.stem}"):
        read(root)
    shutil.copy(longer, file)
    assert shown(read(root).val_verify) == shown(before.val_verify)


def test_parts_without_people_are_refused(tree: Tree) -> None:
    root = tree("f20")
    shutil.rmtree(root / "classification_data" / "val_data")
    (root / "classification_data" / "val_data").mkdir()
    with pytest.raises(SandboxError, match=r"val_data holds neither a folder of images for each person nor"):
        read(root)


def test_validation_and_test_of_different_people_are_not_classified(tree: Tree) -> None:
    root = tree("f20")
    shutil.rmtree(root / "classification_data" / "val_data" / "2")
    shutil.rmtree(root / "classification_data" / "test_data" / "0")
    splits = read(root)
    assert not splits.closed_set
    assert splits.notes[-1] == "validation and test show different people, so that classification is not judged"


def test_the_shorter_side_may_be_resized_first(tree: Tree) -> None:
    root = tree("f20")
    whole, cut = read(root, image_size=8), read(root, image_size=8, resize=10)
    assert whole.train.pixels.shape == cut.train.pixels.shape
    assert not np.array_equal(whole.train.pixels, cut.train.pixels)


def test_names_meet_in_any_spelling_and_tabs_part_lists(tree: Tree) -> None:
    root = tree("f24 by folders")
    plain = read(root)
    for part, name in (("train", "Zo\xeb"), ("dev", "Zoe\u0308"), ("test", "Zo\xeb ")):
        (root / "cls_data" / part / "14").rename(root / "cls_data" / part / name)
    (root / "ver_data" / "000000.jpg").rename(root / "ver_data" / "Jose\u0301 0.jpg")
    lines = (root / "val_pairs.txt").read_text().replace(" ", "\t").replace("000000.jpg", "Jos\xe9 0.jpg")
    (root / "val_pairs.txt").write_text(f"# pairs\n{lines}")
    splits = read(root)
    assert splits.closed_set and splits.train.classes == ("0", "7", "Zo\xeb")
    assert [len(part) for part in (splits.train, splits.val, splits.test)] == [
        len(part) for part in (plain.train, plain.val, plain.test)
    ]
    old = "ver_data/000000.jpg"
    assert shown(splits.val_verify) == {
        (*(path.replace(old, "ver_data/Jose\u0301 0.jpg") for path in (left, right)), same)
        for left, right, same in shown(plain.val_verify)
    }
    told = [note for note in splits.notes if note not in plain.notes]
    assert told[0] == r"1 name is spelt in several ways and taken for one: 'Zoe\u0308' = 'Zo\xeb' = 'Zo\xeb '"
    assert told[1] == "1 line that begins with # is passed over, the first line 1"
    assert told[2].startswith("the list names 1 image in another spelling than the files in ") and len(told) == 3


def test_what_is_read_apart_is_read_at_one_scale(tmp_path: Path) -> None:
    for file in sorted(homework(tmp_path).rglob("*.png")):
        bits = 4 if "verification" in str(file) else 2
        file.write_bytes(png16(np.asarray(Image.open(file)).astype(int) << bits))
    splits = load(HomeworkSpec(name="homework", root=str(tmp_path), image_size=16))
    assert splits.bits == 12
    assert {images.bits for images in splits.image_sets().values()} == {12}
    assert splits.train.pixels.max() < 64
    assert splits.test.pixels.max() < 64


def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    person = next((homework(tmp_path) / "classification_data" / "train_data").iterdir())
    (person / "notes.txt").write_text("about")
    (person / "@eaDir").mkdir()
    notes = load(HomeworkSpec(name="homework", root=str(tmp_path), image_size=16)).notes
    within = f"classification_data/train_data/{person.name}"
    assert f"1 file that is no image passed over: {within}/notes.txt" in notes
    assert f"1 entry whose name starts with @ or __MACOSX passed over: {within}/@eaDir" in notes
