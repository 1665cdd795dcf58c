"""Texts that LaTeX sets as they are meant."""

from __future__ import annotations

import re
import unicodedata

from sandbox.wording import printable

_MARKS = {
    "\\": "\\textbackslash{}",
    "{": "\\{",
    "}": "\\}",
    "&": "\\&",
    "%": "\\%",
    "$": "\\$",
    "#": "\\#",
    "_": "\\_",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "''",
    "`": "\\`{}",
    "±": "$\\pm$",
    "↑": "$\\uparrow$",
    "↓": "$\\downarrow$",
    "Δ": "$\\Delta$",
    "\u00d7": "$\\times$",
}
_RATE = re.compile(r"(F(?:A|PI)R=)1e-([0-9]+)\b")
_ACCENTS = "\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327\u0304\u0306\u0307\u030b"
_KNOWN = set("ßæøåœÆØÅŒłŁ§¶†‡…\u2013\u2014\u2018\u2019\u201c\u201d")
"""Signs beyond ASCII that pdfLaTeX's own fonts have, beside letters with one of the accents above."""


_HELD = {"\x00": "$10^{", "\x01": "}$", "\x02": "{}"}
"""Signs that no printable text has, for what is put into it before the rest is escaped."""


def escaped(text: str) -> str:
    """A text of which LaTeX takes nothing for a command; rates as powers of ten: TAR@FAR=$10^{-3}$."""
    held = _RATE.sub("\\1\x00-\\2\x01", printable(text))
    held = re.sub("-(?=-)", "-\x02", held)  # two would become a dash
    return "".join(_MARKS.get(sign) or _HELD.get(sign) or sign for sign in held)


def declared(text: str) -> list[str]:
    """A declaration for each sign of a text that pdfLaTeX would stop at: it is printed as [U+0416]."""
    odd = sorted({character for character in text if not _is_known(character) and character not in _MARKS})
    return [f"\\DeclareUnicodeCharacter{{{ord(c):04X}}}{{[U+{ord(c):04X}]}}" for c in odd]


def signs(text: str) -> int:
    """Characters as they are printed: what pdfLaTeX lacks is printed as [U+0416]."""
    return sum(1 if character in _MARKS or _is_known(character) else 8 for character in text)


def comment(text: str) -> str:
    """Lines of a comment, which no line of the text ends."""
    return "".join(f"% {printable(line)}\n" for line in text.splitlines())


def _is_known(character: str) -> bool:
    if character.isascii() or character in _KNOWN:
        return True
    base, *marks = list(unicodedata.normalize("NFD", character))
    return len(marks) == 1 and base.isascii() and base.isalpha() and marks[0] in _ACCENTS
