"""What goes with what, as --list prints it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.cli.list_matrix import SIGNS, goes_with, matrix
from sandbox.cli.listing import listing
from sandbox.errors import SandboxError
from sandbox.objectives.catalog import catalog
from sandbox.objectives.goes_with import mark, usable


def test_a_row_has_a_sign_for_each_miner_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = matrix(["signal_to_noise_ratio_contrastive"])  # the longest name
    assert max(map(len, text.splitlines())) <= 80
    miners = [entry.name for entry in usable("miner")]
    row = next(line for line in text.splitlines() if line.startswith("  signal")).split()[1:]
    assert row == [SIGNS[mark("signal_to_noise_ratio_contrastive", miner)][0] for miner in miners]
    letters = text.splitlines()[2].split()
    assert len(letters) == len(miners)
    assert all(f"{letter}={miner}" in text for letter, miner in zip(letters, miners, strict=True))
    assert all(f"{sign}  " in text for sign, _ in SIGNS.values())


def test_a_loss_without_a_miner_has_no_row_and_an_unknown_one_is_refused() -> None:
    with pytest.raises(SandboxError, match="arcface takes no miner"):
        listing(["--list", "matrix", "arcface"], Path())
    with pytest.raises(SandboxError, match="no loss named 'trplet'; did you mean 'triplet'"):
        listing(["--list", "matrix", "trplet"], Path())


def test_what_goes_with_a_loss_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = "\n".join(goes_with(catalog("loss")["contrastive"]))
    assert max(map(len, lines.splitlines())) <= 80
    text = " ".join(lines.split())
    assert "distances: lp, poincare, snr refused: cosine_similarity, dot_product_similarity miners: " in text
    assert "costs more than it gives: angular" in text and "(pxk) by itself; of 128 images train 64 x 2, 32 x 4" in text
    assert "MB in a step of 128 images" in text and "grows as N^" in text


def test_one_that_owns_classes_takes_any_batch_and_one_that_is_refused_says_no_more() -> None:
    text = " ".join(" ".join(goes_with(catalog("loss")["cosface"])).split())
    assert "miners:" not in text and "shuffled epochs by itself; of 128 images train 128 x 1, 64 x 2" in text
    assert not [*goes_with(catalog("loss")["multiple"])]
