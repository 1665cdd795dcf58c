"""A recipe for one data set, run on another."""

from pathlib import Path

from sandbox.data.catalog import data_kinds
from sandbox.recipe.moved import moved
from sandbox.recipe.text import load_staged

STAGED = """
[data]
name = "homework"
part = "medium"
image_size = 32
[[stages]]
name = "first"
[[stages]]
name = "other"
max_steps = 5
data = { part = "large", min_images = 2 }
"""


def read(tmp_path: Path):
    """The recipe and its stages."""
    (tmp_path / "staged.toml").write_text(STAGED)
    return load_staged(str(tmp_path / "staged.toml"), tmp_path, data_kinds())


def test_settings_of_its_own_data_set_stay_behind_and_are_told(tmp_path):
    base, stages, notes = moved(*read(tmp_path), "lfw", data_kinds())
    assert [note.split(" is left out")[0] for note in notes] == [
        "data.part = 'medium' of the recipe",
        "data.part = 'large' of stage 'other'",
    ]
    assert (base.data.name, base.data.image_size) == ("lfw", 32)
    other = stages[1].over(base)
    assert (other.data.name, other.data.min_images, other.max_steps) == ("lfw", 2, 5)
    assert not hasattr(other.data, "part")


def test_the_recipes_own_data_set_and_a_misspelt_one_change_nothing(tmp_path):
    base, stages = read(tmp_path)
    for name in ("homework", "", "lwf"):
        assert moved(base, stages, name, data_kinds()) == (base, stages, [])
