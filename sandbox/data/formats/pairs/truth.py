"""The words by which a list says that a pair is same or different."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sandbox.errors import SandboxError
from sandbox.wording import shown

_KINDS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("1", "true"), ("0", "false")),
    (("1", "+1"), ("-1",)),
    (("1.0",), ("0.0",)),
    (("same",), ("different", "diff")),
    (("genuine",), ("impostor", "imposter")),
    (("match", "matched"), ("mismatch", "mismatched", "nonmatch", "non-match")),
    (("positive", "pos"), ("negative", "neg")),
)
"""Words for same and for different; a list takes all of its words from one row."""
_ANY = frozenset(word for row in _KINDS for kind in row for word in kind)


def is_truth(word: str) -> bool:
    """Whether a word may say that a pair is same or different."""
    return word.lower() in _ANY


def all_truth(words: Sequence[str]) -> bool:
    """Whether all of the words, of one list, say so in words that go together."""
    used = {word.lower() for word in words}
    return any(len(used) == _fit(used, *kind) for kind in _KINDS)


def read_truth(words: Sequence[str], place: Callable[[int], str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """What the words of one list say, as (M,) bool, and a sentence where they are not the usual 1 and 0.

    Args:
        words: (M,) one for each pair, in any case.
        place: where a word stands, such as "pairs.txt line 3".

    Raises:
        SandboxError: a word says nothing, or goes not together with the others.
    """
    lower = [word.lower() for word in words]
    used = set(lower)
    same, different = max(_KINDS, key=lambda kind: _fit(used, *kind))  # the first of equals
    odd = next((at for at, word in enumerate(lower) if word not in same and word not in different), None)
    if odd is not None:
        either = f"{same[0]} for a same pair or {different[0]} for a different one"
        raise SandboxError(f"{place(odd)} must say {either}, not {shown(words[odd])}")
    truth = np.array([word in same for word in lower], dtype=bool)
    if used <= {*_KINDS[0][0], *_KINDS[0][1]}:
        return truth, ()
    said = {kind: " or ".join(sorted(used & {*kind})) for kind in (same, different)}
    words_for = [f"{said[kind]} as {name}" for kind, name in ((same, "same"), (different, "different")) if said[kind]]
    return truth, (f"the truth of a pair is read as it is written: {' and '.join(words_for)}",)


def _fit(used: set[str], same: Sequence[str], different: Sequence[str]) -> int:
    """How many of the words are of this kind; -1 counts beside 1 alone, as it may mean that nothing is known."""
    return 0 if "-1" in different and not used & {*same} else len(used & {*same, *different})
