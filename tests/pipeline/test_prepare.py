from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from image_files import png16

from sandbox.pipeline.prepare import facts, prepare
from sandbox.recipe.specs import BackboneSpec, DataSpec, Recipe


@pytest.mark.parametrize(("top", "bits"), [(4095, 12), (65535, 16)])
def test_a_run_knows_how_deep_its_files_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, top: int, bits: int
) -> None:
    monkeypatch.setenv("METRIC_LEARNING_SANDBOX_CACHE", str(tmp_path / "cache"))
    for place in range(8):
        folder = tmp_path / "root" / f"c{place}"
        folder.mkdir(parents=True)
        for number in range(4):
            noise = np.random.default_rng(4 * place + number).integers(0, top + 1, (16, 16, 1))
            (folder / f"{number}.png").write_bytes(png16(noise))
    data = DataSpec(name="folder", root=str(tmp_path / "root"), image_size=16)
    prepared = prepare(
        Recipe(loss="triplet", data=data, backbone=BackboneSpec(name="conv4"), max_steps=1, device="cpu")
    )
    assert facts(prepared)["input"]["bits"] == bits
    assert any("taken for numbers of 12 bits" in note for note in prepared.notes) == (bits == 12)


def test_a_run_on_other_files_does_not() -> None:
    data = DataSpec(name="digits")
    prepared = prepare(
        Recipe(loss="triplet", data=data, backbone=BackboneSpec(name="conv4"), max_steps=1, device="cpu")
    )
    assert "bits" not in facts(prepared)["input"]
