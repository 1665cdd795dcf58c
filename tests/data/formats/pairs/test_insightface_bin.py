from __future__ import annotations

import builtins
import copyreg
import io
import os
import pickle
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sandbox.data.formats.pairs.insightface_bin import decode_pairs, read_bin
from sandbox.errors import SandboxError

from fuzz import FUZZ, changed, read_or_refused

IMAGES = [b"\xff\xd8 first", b"\x89PNG", b"", bytes(range(256)) * 2, b"fifth", b"fifth"]
SAME = [True, False, True]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "lfw.bin"


def refusal(file: Path, content: bytes) -> str:
    file.write_bytes(content)
    with pytest.raises(SandboxError) as caught:
        read_bin(file)
    said = str(caught.value)
    assert str(file) in said
    assert "\n" not in said
    return said.replace(str(file), "F")


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("truth", [SAME, [1, 0, 1]])
def test_plain_pickles_come_back(file: Path, protocol: int, kind: type, truth: list[int]) -> None:
    file.write_bytes(pickle.dumps((kind(IMAGES), kind(truth)), protocol=protocol))
    images, same = read_bin(file)
    assert images == IMAGES
    assert same.dtype == np.bool_
    assert same.tolist() == SAME


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_bytes_of_python_3_in_old_protocols_are_refused_with_the_way_out(file: Path, protocol: int) -> None:
    said = refusal(file, pickle.dumps((IMAGES, SAME), protocol=protocol))
    assert "bytes as Python 3 writes them in protocols 0 to 2, made by a call of '_codecs.encode'" in said
    way_out = said[said.index("pickle.dump(") :]
    bins, same = pickle.loads(file.read_bytes())
    with file.open("wb") as opened:
        eval(way_out, {"pickle": pickle, "bins": bins, "same": same, "file": opened})
    assert read_bin(file)[0] == IMAGES
    assert "a call of '__builtin__.bytes'" in refusal(file, pickle.dumps(([b"", b""], [1]), protocol=protocol))


def python_2(protocol: int, images: list[bytes], same: list[bool]) -> bytes:
    """What cPickle of Python 2 writes, which numbers its memo from 1."""
    out = io.BytesIO()
    numbers = iter(range(1, 10_000))

    def put() -> None:
        number = next(numbers)
        out.write(b"q" + bytes([number]) if number < 256 else b"r" + struct.pack("<I", number))

    if protocol == 2:
        out.write(b"\x80\x02")
    else:
        out.write(b"(")
    out.write(b"]")
    put()
    out.write(b"(")
    for image in images:
        out.write(b"U" + bytes([len(image)]) if len(image) < 256 else b"T" + struct.pack("<i", len(image)))
        out.write(image)
        put()
    out.write(b"e]")
    put()
    out.write(b"(")
    for value in same:
        out.write((b"\x88" if value else b"\x89") if protocol == 2 else (b"I01\n" if value else b"I00\n"))
    out.write(b"e\x86" if protocol == 2 else b"et")
    put()
    out.write(b".")
    return out.getvalue()


@pytest.mark.parametrize("protocol", [1, 2])
def test_strings_of_python_2_are_bytes(file: Path, protocol: int) -> None:
    many = [IMAGES[place % len(IMAGES)] for place in range(400)]
    content = python_2(protocol, many, [place % 3 == 0 for place in range(200)])
    assert pickle.loads(content, encoding="bytes")[0] == many
    file.write_bytes(content)
    images, same = read_bin(file)
    assert images == many
    assert same.tolist() == [place % 3 == 0 for place in range(200)]


def test_text_strings_of_protocol_0_are_read(file: Path) -> None:
    content = b"((lp1\nS'a\\tb'\np2\naS'cd'\naS''\naS'e'\nap3\n(lp4\nI01\naI00\natp5\n."
    file.write_bytes(content)
    assert read_bin(file)[0] == [b"a\tb", b"cd", b"", b"e"]
    file.write_bytes(content.replace(b"cd", b"\\xff"))
    assert read_bin(file)[0][1] == b"\xff"


class Call:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any):
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call


def harmful(kind: str, mark: Path, protocol: int) -> bytes:
    if kind == "os.system":
        return pickle.dumps((["a", "b", Call(os.system, f"touch '{mark}'")], [True]), protocol=protocol)
    if kind == "builtins.eval":
        return pickle.dumps(Call(builtins.eval, f"open({str(mark)!r}, 'w').close()"), protocol=protocol)
    if kind == "os.mkdir":
        return pickle.dumps((["a", "b"], [Call(os.mkdir, str(mark))]), protocol=protocol)
    name = str(mark).encode()
    start = b"\x80" + bytes([protocol]) if protocol > 1 else b"("
    mkdir = b"V" + name + b"\n"
    body = {
        "INST": b"(" + mkdir + b"ios\nmkdir\n",
        "OBJ": b"(cos\nmkdir\n" + mkdir + b"o",
        "REDUCE": b"cos\nmkdir\n" + mkdir + b"\x85R",
        "STACK_GLOBAL": b"Vos\nVmkdir\n\x93" + mkdir + b"\x85R",
        "EXT1": b"\x82\xf0" + mkdir + b"\x85R",
        "EXT2": b"\x83\xf0\x00" + mkdir + b"\x85R",
        "EXT4": b"\x84\xf0\x00\x00\x00" + mkdir + b"\x85R",
        "BUILD": b"cos\nmkdir\n" + mkdir + b"\x85R}b0" + mkdir,
    }[kind]
    return start + body + (b"." if protocol > 1 else b"t.")


@pytest.fixture
def extension() -> Iterator[None]:
    """`os.mkdir` by a number, as a program that uses copyreg has it."""
    copyreg.add_extension("os", "mkdir", 0xF0)
    copyreg.add_extension("posix", "mkdir", 0xF1)
    yield
    copyreg.remove_extension("os", "mkdir", 0xF0)
    copyreg.remove_extension("posix", "mkdir", 0xF1)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("os.system", r"asks for '(posix|nt)\.system', which is refused"),
        ("builtins.eval", r"asks for '(__builtin__|builtins)\.eval', which"),
        (
            "os.mkdir",
            r"asks for '((posix|nt)\.mkdir|registered extension 241)', which",
        ),  # by its number from protocol 2
        ("INST", r"asks for 'os\.mkdir', which"),
        ("OBJ", r"asks for 'os\.mkdir', which"),
        ("REDUCE", r"asks for 'os\.mkdir', which"),
        ("STACK_GLOBAL", r"asks for 'os\.mkdir', which"),
        ("EXT1", r"asks for 'registered extension 240', which"),
        ("EXT2", r"asks for 'registered extension 240', which"),
        ("EXT4", r"asks for 'registered extension 240', which"),
        ("BUILD", r"asks for 'os\.mkdir', which"),
    ],
)
def test_nothing_that_a_pickle_carries_is_run(
    tmp_path: Path, file: Path, extension: None, kind: str, said: str, protocol: int
) -> None:
    mark = tmp_path / "mark"
    found = refusal(file, harmful(kind, mark, protocol))
    assert not mark.exists()
    assert re.search(said, found), found
    # The same pickle does its harm where it is loaded: the refusal above is what kept it from that.
    try:
        pickle.loads(harmful(kind, tmp_path / "done", protocol))
    except (AttributeError, TypeError, pickle.UnpicklingError):
        assert kind == "BUILD"  # it fails after the call
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("code", [b"R", b"b", b"o", b"\x81", b"\x92", b"P1\n", b"Q", b"}", b"\x8f", b"\x97", b"2"])
def test_what_other_instructions_make_is_refused(file: Path, code: bytes) -> None:
    said = refusal(file, b"\x80\x04]]" + code + b".")
    assert re.search("is damaged, cut short|asks for '|must hold two lists", said), said


def test_what_is_kept_elsewhere_is_refused(file: Path) -> None:
    assert "asks for 'an object kept elsewhere'" in refusal(file, b"\x80\x04]Pname\n.")


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "held",
    [
        ([], [np.bool_(True), np.bool_(False)]),
        ([np.zeros(4, np.uint8)] * 2, [True]),
        ([], np.array([True, False])),
        (np.array([[1, 2]]), [True]),
    ],
)
def test_numpy_values_are_refused_with_the_way_out(file: Path, held: object, protocol: int) -> None:
    said = refusal(file, pickle.dumps(held, protocol=protocol))
    assert re.search(r"holds values of NumPy .* a call of 'numpy\.[a-z_.]+'.* save it again by pickle\.dump\(", said)


def test_numpy_bools_of_python_2_are_refused_by_name(file: Path) -> None:
    content = b"\x80\x02]q\x01]q\x02cnumpy.core.multiarray\nscalar\nq\x03cnumpy\ndtype\nq\x04U\x02b1K\x00K\x01\x87R."
    assert "a call of 'numpy.core.multiarray.scalar'" in refusal(file, content)


def dumped(held: object) -> bytes:
    return pickle.dumps(held, protocol=4)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "F is empty"),
        (b"\xff\xd8\xff\xe0", "F is not a pickle"),
        (b"hello", "F is not a pickle"),
        (b"\x80", "F is damaged, cut short or not a pickle"),
        (b"\x80\x04.", "F is damaged, cut short or not a pickle"),
        (b"\x80\x09N.", "F is damaged.*unsupported pickle protocol: 9"),
        (dumped((IMAGES, SAME))[:-1], "F is damaged, cut short"),
        (dumped((IMAGES, SAME))[:60], "F is damaged, cut short"),
        (b"\x80\x02(" + b"]" * 5 + b"e.", "F is damaged"),
        (b"\x80\x02]r\xff\xff\xff\x7f.", "F must hold two lists"),
        (b"(]p99999999999\n.", "F must hold two lists"),
        (b"\x80\x02B\xff\xff\xff\x7fab.", "F is damaged"),
        (b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7fab.", "F is damaged"),
        (b"(" * 100_000 + b"t" * 100_000 + b".", "it holds a tuple of 1 of a tuple of 1"),
        (dumped(None), r"F must hold two lists, \(bins, issame_list\), but it holds None"),
        (dumped(IMAGES), "holds a list of 6 of bytes, bytes, bytes, bytes, bytes"),
        (dumped((IMAGES, SAME, 1)), "holds a tuple of 3 of a list of 6, a list of 3, an integer"),
        (dumped((b"ab", [True])), "holds a tuple of 2 of bytes, a list of 1"),
        (dumped((["a", b"b"], [True])), "image 0 is text"),
        (dumped(([b"a", [b"b"]], [True])), "image 1 is a list of 1"),
        (dumped(([b"a", b"b"], [2])), "pair 0 has 2"),
        (dumped(([b"a", b"b"], [-1])), "pair 0 has -1"),
        (dumped(([b"a", b"b"], [10**80])), "pair 0 has an integer"),
        (dumped(([b"a", b"b"], [None])), "pair 0 has None"),
        (dumped(([b"a", b"b"], [b"1"])), "pair 0 has bytes"),
        (dumped(([b"a"] * 5, [1, 0])), "F holds 5 images for 2 pairs, but a pair is two images"),
        (dumped(([b"a"], [])), "F holds 1 image for 0 pairs"),
        (dumped(([], [])), "F holds no genuine pair among 0"),
        (dumped(([b"a"] * 4, [1, 1])), "F holds no impostor pair among 2"),
        (dumped(([b"a"] * 4, [0, False])), "F holds no genuine pair among 2"),
    ],
)
def test_what_is_no_verification_set_is_said_in_a_sentence(file: Path, content: bytes, said: str) -> None:
    assert re.search(said, refusal(file, content))


def test_a_list_that_holds_itself_is_no_image(file: Path) -> None:
    images: list[Any] = [b"a"]
    images.append(images)
    assert "image 1 is a list of 2" in refusal(file, dumped((images, [True])))


def test_a_file_that_is_not_there_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"cannot read the verification set .*none\.bin: no such file"):
        read_bin(tmp_path / "none.bin")
    with pytest.raises(SandboxError, match="is a directory"):
        read_bin(tmp_path)
    with pytest.raises(SandboxError, match="null"):
        read_bin(tmp_path / "a\0b")


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "lfw.bin"


STARTS = [
    dumped((IMAGES, SAME)),
    pickle.dumps((IMAGES, SAME), protocol=1),
    python_2(1, IMAGES, SAME),
    python_2(2, IMAGES, SAME),
]


@FUZZ
@given(data=st.data(), start=st.sampled_from(STARTS))
def test_damage_never_ends_in_a_traceback(scratch: Path, data: st.DataObject, start: bytes) -> None:
    content = bytearray(start)
    # Most of the bytes are pixels; the instructions stand at both ends.
    places = st.integers(0, len(content) - 1) | st.integers(0, 40) | st.integers(len(content) - 30, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        content[place] = value
    scratch.write_bytes(content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))])
    try:
        images, same = read_bin(scratch)
    except SandboxError as error:
        assert "\n" not in str(error)
    else:
        assert len(images) == 2 * len(same)
        assert {type(image) for image in images} == {bytes}


CODES = st.sampled_from(
    [
        *(b"(", b"]", b")", b"a", b"e", b"l", b"t", b"\x85", b"\x86", b"\x87", b"\x88", b"\x89", b"0", b"1", b"N"),
        *(b"I01\n", b"I7\n", b"K\x01", b"L5L\n", b"\x8a\x01\x01", b"U\x01a", b"C\x01a", b"S'a'\n", b"Va\n"),
        *(b"\x94", b"q\x00", b"h\x00", b"p1\n", b"g1\n"),
    ]
)


@FUZZ
@given(st.lists(CODES, max_size=25), st.booleans())
def test_any_program_of_plain_instructions_is_read_or_refused(scratch: Path, codes: list[bytes], ended: bool) -> None:
    scratch.write_bytes(b"\x80\x04" + b"".join(codes) + b"." * ended)
    try:
        images, same = read_bin(scratch)
    except SandboxError as error:
        assert "\n" not in str(error)
    else:
        assert len(images) == 2 * len(same)


def encoded(kind: str, value: int, side: int = 8, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (side, side), value if mode == "L" else (value, 100, 200)).save(buffer, kind)
    return buffer.getvalue()


def test_images_become_pixels_of_one_size() -> None:
    pixels = decode_pairs(
        [encoded("PNG", 10), encoded("JPEG", 250, 20), encoded("PNG", 7, 4, "L"), encoded("PNG", 1)], 8
    )
    assert (pixels.shape, pixels.dtype) == ((4, 8, 8, 3), np.uint8)
    assert (pixels[0] == [10, 100, 200]).all()
    assert abs(pixels[1].astype(int) - [250, 100, 200]).max() < 5
    assert (pixels[2] == 7).all()
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    assert np.array_equal(decode_pairs([buffer.getvalue()] * 2, 8)[1], noise)


def test_images_that_cannot_be_decoded_are_counted_and_the_first_named(tmp_path: Path) -> None:
    good, jpeg = encoded("PNG", 1), encoded("JPEG", 9, 64)
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n"
    with pytest.raises(SandboxError) as caught:
        decode_pairs([good, good, good, jpeg[: len(jpeg) // 2], b"", eps], 8, tmp_path / "lfw.bin")
    said = str(caught.value)
    assert f"3 of 6 images in {tmp_path / 'lfw.bin'} cannot be decoded, the first is image 3, right of pair 1" in said
    for image, reason in (
        (b"", "empty"),
        (eps, "not a JPEG or PNG"),
        (b"\xff\xd8\xff", "cannot identify"),
        (good[:40], ""),
    ):
        with pytest.raises(
            SandboxError, match=f"1 of 2 images cannot be decoded, .* image 0, left of pair 0, .*{reason}"
        ):
            decode_pairs([image, good], 8)


@FUZZ
@given(data=st.data(), kind=st.sampled_from(["PNG", "JPEG"]))
def test_damaged_images_never_end_in_a_traceback(data: st.DataObject, kind: str) -> None:
    content = bytearray(encoded(kind, 50))
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=4)
    ):
        content[place] = value
    try:
        assert decode_pairs([bytes(content)], 8).shape == (1, 8, 8, 3)
    except SandboxError as error:
        assert "image 0" in str(error)


@FUZZ
@given(data=st.data(), start=st.sampled_from(STARTS))
def test_bytes_put_in_taken_out_and_turned_are_read_or_refused(
    scratch: Path, data: st.DataObject, start: bytes
) -> None:
    scratch.write_bytes(data.draw(changed(start)))
    read_or_refused(lambda: read_bin(scratch))
