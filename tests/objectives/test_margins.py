from __future__ import annotations

import pytest

from sandbox.errors import SandboxError
from sandbox.objectives.margins import check_margins, margin_notes
from sandbox.objectives.resolve import resolve


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("arcface(margin=200)", r"arcface\(margin=200\): margin is an angle in degrees from 0 to 90; 28.6 is usual"),
        ("arcface(margin=-5)", "margin is an angle in degrees from 0 to 90"),
        ("sub_center_arcface(margin=100)", "from 0 to 90"),
        ("tuplet_margin(margin=-1)", "from 0 to 90; 5.73 is usual"),
        ("angular(alpha=90)", "alpha is an angle in degrees above 0 and below 90; 40 is usual"),
        ("triplet(miner=angular(angle=120))", "angle is an angle in degrees from 0 to 90; 20 is usual"),
        ("cosface(margin=28.6)", "a cosine and lies between 0 and 1, and this looks like degrees; 0.35 is usual"),
        ("cosface(margin=-0.1)", "a cosine and lies between 0 and 1; 0.35 is usual"),
        ("center + proxy_anchor(margin=28.6)", "looks like degrees; 0.1 is usual"),
        ("soft_triple(margin=5)", "lies between 0 and 1"),
        ("circle(m=25)", "lies between -1 and 1, and this looks like degrees; 0.4 is usual"),
        ("sphereface(margin=28.6)", "the angle is multiplied by, a whole number from 1 to 10; 4 is usual"),
        ("large_margin_softmax(margin=0)", "a whole number from 1 to 10"),
        ("adaface(margin=28.6)", "lies between 0 and 1, and this looks like degrees; 0.4 is usual"),
        ("unitsface(sample_margin=6)", "sample_margin is taken off a cosine .* looks like degrees; 0.1 is usual"),
        (
            "curricularface(margin=28.6)",
            "an angle in radians from 0 to 1.57, and this looks like degrees; 0.5 is usual",
        ),
        ("curricularface(margin=-0.1)", "an angle in radians from 0 to 1.57; 0.5 is usual"),
        ("magface(high_margin=45)", r"magface\(high_margin=45\): high_margin is an angle in radians"),
        ("matryoshka(magface(low_margin=tune(0, 30)), dims=[8])", r"magface\(low_margin=30\)"),
        ("arcface(margin=tune(10, 120))", r"arcface\(margin=120\)"),
        ("cosface(margin=tune([0.3, 28.6]))", r"cosface\(margin=28.6\)"),
    ],
)
def test_a_margin_that_is_none_is_refused_with_what_is_usual(text: str, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        check_margins(resolve(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "arcface(margin=0.5, scale=64)",
            "arcface(margin=0.5) is an angle of 0.5 degrees; 0.5 radians, as most code writes it, are margin=28.6",
        ),
        (
            "tuplet_margin(margin=0.1) + triplet",
            "tuplet_margin(margin=0.1) is an angle of 0.1 degrees; 0.1 radians, as most code writes it, are margin=5.7",
        ),
        (
            "contrastive(miner=angular(angle=1.8))",
            "angular(angle=1.8) is an angle of 1.8 degrees",  # as radians it would be no margin
        ),
    ],
)
def test_an_angle_that_reads_like_radians_is_said(text: str, said: str) -> None:
    check_margins(resolve(text))
    assert margin_notes(resolve(text)) == [said]


@pytest.mark.parametrize(
    "text",
    [
        "arcface",
        "arcface(margin=0)",
        "arcface(margin=28.6)",
        "cosface(margin=0.35)",
        "triplet(margin=0.5)",
        "margin",
        "arcface(margin=tune(5, 45))",
        "angular(alpha=45)",
        "a_softmax(margin=4)",
        "circle(m=-0.2)",
    ],
)
def test_usual_margins_pass_without_a_word(text: str) -> None:
    check_margins(resolve(text))
    assert not margin_notes(resolve(text))
