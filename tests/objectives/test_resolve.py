from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.objectives.catalog import REQUIRED, Slot, catalog
from sandbox.objectives.language import Tune
from sandbox.objectives.literature import ALIASES, CHOICES
from sandbox.objectives.resolve import fill, resolve


def canonical(loss: str, miner: str = "none") -> str:
    return str(resolve(loss, miner))


@pytest.mark.parametrize(
    ("written", "spelt"),
    [
        ("triplet", "triplet_margin"),
        ("triplet()", "triplet_margin"),
        ("triplet(margin=0.05)", "triplet_margin"),
        ("triplet(0.1)", "triplet_margin(margin=0.1)"),
        ("1.0*triplet", "triplet_margin"),
        ("contrastive(0, 1.0)", "contrastive"),
        ("contrastive(pos_margin=-0.0)", "contrastive"),
        ("arcface(scale=32.0, margin=10)", "arcface(margin=10, scale=32)"),
        ("xbm(contrastive)", "cross_batch_memory(loss=contrastive)"),
        ("xbm(contrastive, 64)", "cross_batch_memory(loss=contrastive, memory_size=64)"),
        ("xbm(triplet(miner=none))", "cross_batch_memory(loss=triplet_margin)"),
        ("triplet(distance=lp(power=2))", "triplet_margin(distance=lp(power=2))"),
        ("triplet(distance=squared_l2)", "triplet_margin(distance=lp(power=2))"),
        ("triplet(distance=euclidean)", "triplet_margin(distance=lp)"),
        ("triplet(distance=None, reducer=none)", "triplet_margin"),
        ("triplet(embedding_regularizer=lp)", "triplet_margin(embedding_regularizer=lp)"),
        ("triplet(miner=semihard)", "triplet_margin(miner=triplet_margin(type_of_triplets='semihard'))"),
        ("triplet(miner=semihard(margin=0.2))", "triplet_margin(miner=triplet_margin(type_of_triplets='semihard'))"),
        ("triplet(miner=none)", "triplet_margin"),
        ("triplet(triplets_per_anchor=all)", "triplet_margin"),
        ("triplet(triplets_per_anchor=5.0)", "triplet_margin(triplets_per_anchor=5)"),
        ("triplet(swap=False)", "triplet_margin"),
        ("pnp(variant=Dq)", "pnp(variant='Dq')"),
        (
            "triplet(reducer=multiple({'loss': mean}))",
            "triplet_margin(reducer=multiple(reducers={'loss': mean}))",
        ),
        ("triplet(margin=tune())", "triplet_margin(margin=tune(0.02, 0.5))"),
        ("tune()*center + triplet", "triplet_margin + tune()*center"),
    ],
)
def test_the_canonical_spelling_is(written: str, spelt: str) -> None:
    assert canonical(written) == spelt
    assert canonical(spelt) == spelt


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("triplet + 0.5*center", "0.5*center + triplet"),
        ("contrastive + triplet", "triplet + contrastive"),
        ("tune(0.1, 1)*triplet + tune(0.2, 1)*triplet", "tune(0.2, 1)*triplet + tune(0.1, 1)*triplet"),
        ("arcface(margin=10, scale=32)", "arcface(scale=32, margin=10)"),
        ("multi_similarity(alpha=3)", "ms(alpha=3.0)"),
        ("triplet(miner=pair_margin(neg_margin=1, pos_margin=0))", "triplet(miner=pair_margin(0, 1))"),
    ],
)
def test_order_of_terms_and_keys_and_number_type_do_not_matter(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


def test_a_different_value_is_a_different_spelling() -> None:
    assert len({canonical(loss) for loss in ("triplet", "2*triplet", "triplet(0.1)", "triplet(miner=hard)")}) == 4


def test_the_heaviest_term_stands_first() -> None:
    assert canonical("0.5*triplet + center + 2*arcface") == "2*arcface + center + 0.5*triplet_margin"


@pytest.mark.parametrize("slot", ALIASES)
def test_every_alias_is_another_spelling_of_a_name(slot: Slot) -> None:
    for alias, (target, preset) in ALIASES[slot].items():
        entry = catalog(slot)[target]
        assert alias in entry.aliases
        assert alias not in catalog(slot)
        assert preset.keys() <= entry.parameters.keys()


@pytest.mark.parametrize(
    ("loss", "said"),
    [
        ("arcfase", "no loss named 'arcfase'; did you mean 'arcface'"),
        ("tripplet", "did you mean 'triplet'"),
        ("qqqq", "--list losses"),
        ("hard", "'hard' is a miner, but stands where a loss is expected"),
        ("triplet(distance=mean)", "'mean' is a reducer, but stands where a distance is expected"),
        ("triplet(distance=cosin)", "no distance named 'cosin'; did you mean 'cosine'"),
        ("triplet(marign=0.1)", "has no parameter 'marign'; did you mean 'margin'"),
        ("siamese(zzz=1)", "has no parameter 'zzz'; it takes miner"),
        ("triplet(reducer=mean(zzz=1))", "has no parameter 'zzz'; it takes none"),
        ("hadsell(1, margin=2)", "is given 'margin' twice"),
        ("siamese(None, 2)", "takes at most 1 values, not 2"),
        ("triplet(margin='x')", "takes a number, not 'x'"),
        ("triplet(margin=True)", "takes a number, not True"),
        ("triplet(margin=[0.1])", r"takes a number, not \[0.1\]"),
        ("triplet(margin={})", r"takes a number, not \{\}"),
        ("triplet(margin=None)", "takes a number, not none"),
        ("triplet(margin=hard)", "takes a number, not the name 'hard'"),
        ("triplet(swap=1)", "takes True or False, not 1"),
        ("triplet(distance='lp')", "takes the name of a distance, not 'lp'"),
        ("triplet(miner=3)", "takes the name of a miner, not 3"),
        ("triplet(triplets_per_anchor=0)", "at least 1, or 'all'"),
        ("triplet(triplets_per_anchor=true)", "at least 1, or 'all'"),
        ("fast_ap(num_bins=2.5)", "a whole number of at least 0, not 2.5"),
        ("fast_ap(num_bins=-1)", "a whole number of at least 0, not -1"),
        ("pnp(variant=Dx)", "takes one of Ds, Dq, Iu, Ib, O"),
        ("triplet(miner=batch_hard(allowed_pos_range=1))", "takes a list of numbers, not 1"),
        ("triplet(miner=batch_hard(allowed_pos_range=['a', 'b']))", "takes a list of numbers"),
        ("xbm", "cross_batch_memory needs loss"),
        ("xbm(none)", "cross_batch_memory needs loss"),
        ("xbm(center)", "cannot hold center"),
        ("xbm(xbm(contrastive))", "cannot hold cross_batch_memory"),
        ("xbm(triplet(miner=hard))", "move miner= to the outer one"),
        ("xbm(0.5*triplet)", r"one loss, without a weight, not 0.5\*triplet"),
        ("multiple", "refused: a sum says the same"),
        ("triplet(reducer=do_nothing)", "is refused"),
        ("triplet(reducer=threshold)", "needs low or high"),
        ("triplet(reducer=multiple(none))", "takes a reducer for each part"),
        ("triplet(reducer=multiple({}))", "takes a reducer for each part"),
        ("triplet(reducer=multiple({'loss': 1}))", "takes a reducer for each part"),
        ("triplet(reducer=multiple({'loss': threshold(low=tune(0, 1))}))", "cannot stand inside"),
        ("triplet(swap=tune(0, 1))", r"mark it as tune\(\[...\]\)"),
        ("triplet(swap=tune([1, 2]))", "takes True or False, not 1"),
        ("triplet(distance=tune([lp, cosine]))", "takes the name of a distance"),
        ("margin(nu=tune())", "no range for a bare tune"),
        ("fast_ap(num_bins=tune(2.5, 8))", "takes whole numbers"),
        ("fast_ap(num_bins=tune(-3, 8))", "takes whole numbers"),
    ],
)
def test_a_mistake_is_named_with_what_is_allowed(loss: str, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        resolve(loss)


def test_a_miner_goes_to_each_term_that_takes_tuples_and_names_none() -> None:
    hard = "triplet_margin(miner=batch_hard)"
    assert canonical("triplet", "hard") == canonical("triplet(miner=hard)") == hard
    assert canonical("triplet + arcface", "hard") == f"arcface + {hard}"
    assert canonical("triplet(miner=hdc)", "hard") == "triplet_margin(miner=hdc)"
    assert canonical("contrastive + triplet(miner=none)", "hard") == "contrastive(miner=batch_hard) + triplet_margin"
    assert canonical("xbm(contrastive)", "hard") == "cross_batch_memory(loss=contrastive, miner=batch_hard)"
    assert canonical("triplet", " none ") == "triplet_margin"
    assert canonical("triplet", "pair_margin(0.1, 0.7)") == canonical("triplet(miner=pair_margin(0.1, 0.7))")


@pytest.mark.parametrize("loss", ["arcface", "cross_entropy + center", "smooth_ap", "instance"])
def test_a_miner_that_no_term_can_use_is_refused(loss: str) -> None:
    with pytest.raises(SandboxError, match="has nothing to do"):
        resolve(loss, "hard")


@pytest.mark.parametrize(
    ("miner", "said"),
    [("hrad", "did you mean 'hard'"), ("hard + easy", "is no name"), ("", "is empty"), ("triplet", "is a loss")],
)
def test_a_miner_that_does_not_exist_is_refused(miner: str, said: str) -> None:
    with pytest.raises(SandboxError, match=said):
        resolve("triplet", miner)


@pytest.mark.parametrize(
    ("loss", "repeats"),
    [("triplet", True), ("arcface", False), ("cross_entropy + center", False), ("arcface + triplet", True)],
)
def test_only_losses_with_class_weights_are_content_without_repeats(loss: str, repeats: bool) -> None:
    assert resolve(loss).takes_tuples is repeats


def test_marks_are_named_by_their_path_and_filled() -> None:
    marked = resolve(
        "tune(0.1, 1)*triplet(margin=tune(), miner=pair_margin(pos_margin=tune(0, 0.3)))"
        " + triplet(triplets_per_anchor=tune([2, all]))"
    )
    assert marked.tunes() == {
        "triplet_margin.triplets_per_anchor": Tune(choices=(2, "all")),
        "triplet_margin#2.weight": Tune(0.1, 1),
        "triplet_margin#2.margin": Tune(0.02, 0.5),
        "triplet_margin#2.miner.pos_margin": Tune(0, 0.3),
    }
    filled = fill(
        marked,
        {
            "triplet_margin.triplets_per_anchor": 2,
            "triplet_margin#2.weight": 0.5,
            "triplet_margin#2.margin": 0.25,
            "triplet_margin#2.miner.pos_margin": 0.1,
        },
    )
    assert not filled.tunes()
    assert str(filled) == canonical(
        "triplet(triplets_per_anchor=2) + 0.5*triplet(margin=0.25, miner=pair_margin(pos_margin=0.1))"
    )


def test_a_bare_mark_takes_the_range_of_the_catalogue() -> None:
    tunes = resolve("tune()*center(alpha=tune()) + arcface").tunes()
    assert tunes == {"center.weight": Tune(1e-4, 1.0, log=True), "center.alpha": Tune(0.1, 0.9)}
    assert resolve("tune()*triplet").tunes() == {"triplet_margin.weight": Tune(1e-2, 10.0, log=True)}


def test_whole_says_which_marks_take_whole_numbers() -> None:
    marked = resolve("tune()*sub_center_arcface(sub_centers=tune(), margin=tune())")
    whole = {path for path in marked.tunes() if marked.whole(path)}
    assert whole == {"sub_center_arcface.sub_centers"}


NUMBERS = st.integers(0, 50) | st.floats(0, 50, allow_nan=False).map(lambda x: round(x, 6))
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "number": NUMBERS
    | st.tuples(st.integers(-9, 0), st.integers(1, 9)).map(lambda ends: f"tune({ends[0]}, {ends[1]})"),
    "whole": st.integers(0, 99),
    "truth": st.booleans(),
    "whole or 'all'": st.integers(1, 9) | st.just("'all'"),
    "numbers": st.lists(NUMBERS, max_size=3),
    "wholes": st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True).map(sorted),
}


@st.composite
def names(draw: st.DrawFn, slot: Slot, depth: int = 0) -> str:
    usable = [e for e in catalog(slot).values() if not e.note.refused]
    entry = draw(st.sampled_from(usable if depth < 2 else [e for e in usable if not _needs(e.parameters)]))
    words = []
    for key, parameter in draw(st.permutations(list(entry.parameters.items()))):
        needed = parameter.default is REQUIRED or (entry.name, key) == ("threshold", "low")
        if not needed and not draw(st.integers(0, 3)) == 0:
            continue
        kind = parameter.kind
        if entry.name == "cross_batch_memory" and key == "loss":
            words.append(f"loss={draw(st.sampled_from(['contrastive', 'triplet(0.1)', 'supcon']))}")
        elif entry.name == "matryoshka" and key in ("loss", "weights", "miner"):  # weights are as many as lengths
            words += [f"loss={draw(st.sampled_from(['contrastive', 'triplet(0.1)', 'center']))}"] * (key == "loss")
        elif kind == "choice":
            words.append(f"{key}={draw(st.sampled_from(CHOICES[key]))!r}")
        elif kind == "reducers":
            words.append(f"{key}={{'loss': {draw(names('reducer', 2).filter(lambda text: 'tune' not in text))}}}")
        elif kind in KINDS:
            words.append(f"{key}={draw(KINDS[kind])}")
        elif depth < 2:
            words.append(f"{key}={draw(names(kind, depth + 1))}")
    spelling = draw(st.sampled_from([entry.name, *(a for a in entry.aliases if not ALIASES[slot][a][1])]))
    return f"{spelling}({', '.join(words)})"


def _needs(parameters: dict[str, Any]) -> bool:
    return any(p.default is REQUIRED and p.kind in ("loss", "distance", "reducers") for p in parameters.values())


WEIGHTS = st.sampled_from(["", "1*", "0.5*", "3*", "tune()*", "tune(0.1, 2, log=True)*"])
EXPRESSIONS = st.lists(st.tuples(WEIGHTS, names("loss")).map("".join), min_size=1, max_size=3)


@settings(deadline=None, max_examples=100)
@given(EXPRESSIONS, st.randoms(use_true_random=False))
def test_the_canonical_spelling_reads_back_as_itself_whatever_the_order(terms: list[str], random: Any) -> None:
    text = " + ".join(terms)
    expression = resolve(text)
    again = resolve(str(expression))
    assert str(again) == str(expression)
    assert again.tunes() == expression.tunes()
    random.shuffle(terms)
    assert canonical(" + ".join(terms)) == str(expression)
