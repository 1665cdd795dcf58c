"""What a person calls a figure or a setting."""

from __future__ import annotations

import pytest

from sandbox.errors import SandboxError
from sandbox.recipe.specs import Recipe, flat
from sandbox.reporting.records.names import figure_key, printed_setting, setting_name

KNOWN = ["val/retrieval/map@r", "test/retrieval/map@r", "test/verification/tar@far=1e-3"]


@pytest.mark.parametrize("text", ["map@r", "MAP@R", "retrieval/map@r", "test/retrieval/map@r", " Map@R "])
def test_any_name_is_the_test_figure(text: str) -> None:
    assert figure_key(text, KNOWN) == "test/retrieval/map@r"


def test_validation_is_named_and_the_nearest_is_of_test() -> None:
    assert figure_key("validation/MAP@R", KNOWN) == figure_key("val/map@r", KNOWN) == "val/retrieval/map@r"
    assert figure_key("TAR@FAR=1e-3", KNOWN) == "test/verification/tar@far=1e-3"
    with pytest.raises(SandboxError, match=r"no run has the figure 'map' on test; did you mean 'map@r'\?"):
        figure_key("map", KNOWN)


def test_a_setting_goes_by_its_dotted_and_its_printed_name() -> None:
    known = flat(Recipe())
    assert setting_name("backbone.name", known) == setting_name("Network", known) == "backbone.name"
    assert setting_name("learning rate", known) == "optimizer.lr"
    with pytest.raises(SandboxError, match=r"no run has the setting 'data.nam'; did you mean 'data.name'\?"):
        setting_name("data.nam", known)


def test_every_setting_has_a_printed_name_of_its_own() -> None:
    names = [printed_setting(name) for name in flat(Recipe())]
    assert len(set(names)) == len(names) and not any("." in name or "_" in name for name in names)


def test_a_name_is_that_of_the_plain_figure_and_not_of_what_comes_after_the_embedding() -> None:
    known = sorted([*KNOWN, "test/after/retrieval/map@r", "test/after/retrieval/map", "test/retrieval/map"])
    assert figure_key("MAP@R", known) == figure_key("map@r", known) == "test/retrieval/map@r"
    assert figure_key("MAP@R, after", known) == figure_key("after/retrieval/map@r", known) == known[1]
    assert figure_key("mAP", known) == "test/retrieval/map"
