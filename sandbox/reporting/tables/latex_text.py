"""Texts that LaTeX sets as they are meant."""

from __future__ import annotations

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
    '"': "\\textquotedbl{}",
    "±": "$\\pm$",
    "↑": "$\\uparrow$",
    "↓": "$\\downarrow$",
    "Δ": "$\\Delta$",
    "\u00d7": "$\\times$",
}
_RATE = "FAR=", "FPIR="
_ACCENTS = "\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327\u0304\u0306\u0307\u030b"
_KNOWN = set("ßæøåœÆØÅŒłŁ§¶†‡…\u2013\u2014\u2018\u2019\u201c\u201d")
"""Signs beyond ASCII that pdfLaTeX's own fonts have, beside letters with one of the accents above."""


def escaped(text: str) -> str:
    """A text of which LaTeX takes nothing for a command; rates as powers of ten: TAR@FAR=$10^{-3}$."""
    plain = printable(text)
    return (
        "".join(_MARKS.get(character, character) for character in _with_powers(plain))
        .replace(*_HELD[0])
        .replace(*_HELD[1])
    )


_HELD = (("\x00", "$10^{"), ("\x01", "}$"))


def _with_powers(text: str) -> str:
    """`FAR=1e-3` with the place of its power held by two signs that no printable text has."""
    for start in _RATE:
        head, *parts = text.split(start)
        text = head
        for part in parts:
            digits = part[3:].partition(",")[0].partition(" ")[0] if part.startswith("1e-") else ""
            text += start + (f"\x00-{digits}\x01{part[3 + len(digits) :]}" if digits.isdigit() else part)
    return text


def declared(text: str) -> list[str]:
    """A declaration for each sign of a text that pdfLaTeX would stop at: it is printed as [U+0416]."""
    odd = sorted({character for character in text if not _is_known(character) and character not in _MARKS})
    return [f"\\DeclareUnicodeCharacter{{{ord(c):04X}}}{{[U+{ord(c):04X}]}}" for c in odd]


def comment(text: str) -> str:
    """Lines of a comment, which no line of the text ends."""
    return "".join(f"% {printable(line)}\n" for line in text.splitlines())


def _is_known(character: str) -> bool:
    if character.isascii() or character in _KNOWN:
        return True
    base, *marks = list(unicodedata.normalize("NFD", character))
    return len(marks) == 1 and base.isascii() and base.isalpha() and marks[0] in _ACCENTS
