"""A table in LaTeX: booktabs, a table environment with caption and label, siunitx and a whole file by choice."""

from __future__ import annotations

from sandbox.reporting.tables.table import Cell, Column, Table
from sandbox.reporting.tables.written.latex_text import comment, declared, escaped, signs

_TEXT = 345
"""Width of an article's text, points."""
_SIGN = 5.0
"""Width of a character at 10 points; the measured mean of tables such as these."""
_SIZES = (("", 1.0, 6), ("\\small", 0.93, 4), ("\\footnotesize", 0.86, 3))
"""Sizes of type: how wide they are beside 10 points, and half of the space between columns, points."""


def written(table: Table, header: str = "", *, siunitx: bool = False, standalone: bool = False, label: str = "") -> str:
    """The table environment, under a comment that names what it needs; or a file that compiles as it is.

    Args:
        table: what to show.
        header: lines on how it was made.
        siunitx: S columns, which line numbers up.
        standalone: with a preamble, on a page that is as large as the table.
        label: what a reference names; none where empty.
    """
    body = _environment(table, siunitx, standalone, label)
    packages = ["booktabs", *(["siunitx"] if siunitx else [])]
    if standalone:
        return f"{comment(header)}{_preamble(table, packages, body)}{body}\n\\end{{document}}\n"
    return f"{comment(header)}{comment(_needs(table, packages, body))}{body}"


def _needs(table: Table, packages: list[str], body: str) -> str:
    """What a paper that the table stands in must have, and whether it is too wide there."""
    needed = "".join(f"\\usepackage{{{name}}}" for name in packages)
    said = [f"needs {needed} in the preamble{f', and {_SI} there' if 'siunitx' in packages else ''}"]
    if odd := declared(body):
        said += [
            f"pdfLaTeX needs {len(odd)} declarations more, as below; LuaLaTeX needs a font that has the signs",
            *odd,
        ]
    if (wide := _points(table, *_size(table)[1:])) > _TEXT:
        said.append(
            f"about {wide} points wide, where the text of an article is {_TEXT}: take table* where there are two "
            "columns, a page on its side, --percent, or fewer --metrics"
        )
    return "\n".join(said)


_SI = (
    "\\sisetup{separate-uncertainty, text-series-to-math, propagate-math-font, table-align-uncertainty=false, "
    "table-align-text-after=false, retain-explicit-plus}"
)


def _preamble(table: Table, packages: list[str], text: str) -> str:
    inches = max(6.5, 1.15 * _points(table, *_SIZES[0][1:]) / 72 + 1.5)
    height = 2.5 + 0.17 * (len(table.rows) + 3) + 0.17 * len(table.caption.text) / (14 * (inches - 1.2))
    lines = [
        "\\documentclass{article}",
        f"\\usepackage[paperwidth={inches:.1f}in, paperheight={height:.1f}in, margin=0.6in]{{geometry}}",
        *(f"\\usepackage{{{name}}}" for name in packages),
        *([_SI] if "siunitx" in packages else []),
        *(["\\ifdefined\\DeclareUnicodeCharacter", *odd, "\\fi"] if (odd := declared(text)) else []),
        "\\pagestyle{empty}",
        "\\begin{document}",
    ]
    return "\n".join(lines) + "\n"


def _environment(table: Table, siunitx: bool, standalone: bool, label: str) -> str:
    name, _, gap = _SIZES[0] if standalone else _size(table)
    size = [name, f"\\setlength{{\\tabcolsep}}{{{gap}pt}}"] if name else []
    kinds = [_kind(table, k, siunitx) for k in range(len(table.columns))]
    rows = [_row(table, row.cells, siunitx) for row in table.rows]
    foot = ["\\midrule", *rows[table.foot :]] if table.foot < len(rows) else []
    lines = [
        "\\begin{table}[htbp]",
        "\\centering",
        "\\setlength{\\belowcaptionskip}{6pt}",
        *size,
        f"\\caption[{{{escaped(table.caption.title)}}}]{{{escaped(table.caption.text)}}}",
        *([f"\\label{{{_safe(label)}}}"] if label else []),
        f"\\begin{{tabular}}{{@{{}}{''.join(kinds)}@{{}}}}",
        "\\toprule",
        *_blocks(table),
        " & ".join(_head(column, siunitx) for column in table.columns) + r" \\",
        "\\midrule",
        *rows[: table.foot],
        *foot,
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _safe(label: str) -> str:
    """A label of signs that LaTeX takes as they are."""
    return "".join(c if c.isascii() and (c.isalnum() or c in ":-_.+/ ") else "-" for c in label)


def _size(table: Table) -> tuple[str, float, int]:
    """The largest size at which the table fits an article's text, or the smallest; a resized box would be any."""
    return next((size for size in _SIZES if _points(table, *size[1:]) <= _TEXT), _SIZES[-1])


def _points(table: Table, share: float, gap: int) -> int:
    """About how wide the table is."""
    return round(_signs(table) * _SIGN * share + 2 * gap * (len(table.columns) - 1))


def _signs(table: Table) -> float:
    """Characters of the widest cells together, or of the names of blocks; a superscript is half as wide."""
    columns = zip(*([signs(c.plain) + len(c.letters) / 2 for c in row.cells] for row in table.rows), strict=True)
    heads = [signs(column.head) for column in table.columns]
    widths = [max(head, *found) for head, found in zip(heads, columns, strict=True)]
    total, place = 0.0, 0
    for block, many in table.blocks:
        total += max(signs(block), sum(widths[place : place + many]))
        place += many
    return total


def _blocks(table: Table) -> list[str]:
    if all(not block for block, _ in table.blocks):
        return []
    heads, rules, place = [], [], 1
    for block, many in table.blocks:
        heads.append(f"\\multicolumn{{{many}}}{{c}}{{{escaped(block)}}}")
        if block:
            rules.append(f"\\cmidrule(lr){{{place}-{place + many - 1}}}")
        place += many
    return [" & ".join(heads) + r" \\", " ".join(rules)]


def _head(column: Column, siunitx: bool) -> str:
    text = escaped(column.head)
    return f"{{{text}}}" if siunitx and column.numeric else text


def _row(table: Table, cells: tuple[Cell, ...], siunitx: bool) -> str:
    pairs = zip(table.columns, cells, strict=True)
    return " & ".join(_cell(column, cell, siunitx) for column, cell in pairs) + r" \\"


def _cell(column: Column, cell: Cell, siunitx: bool) -> str:
    letters = f"\\textsuperscript{{{cell.letters}}}" if cell.letters else ""
    if siunitx and column.kind in ("figure", "difference"):
        if not _is_number(cell.text):
            return f"{{{escaped(cell.plain)}}}" if cell.text else ""
        number = f"{cell.text} \\pm {cell.reach}" if cell.reach else cell.text
        bold = "\\bfseries " if cell.best else ""
        return f"{bold}{number}{{{letters}}}" if letters else f"{bold}{number}"
    text = escaped(cell.plain)
    if column.numeric and text[:1] in "+-" and text:
        text = f"${text[0]}${text[1:]}"
    return f"\\textbf{{{text}}}{letters}" if cell.best else f"{text}{letters}"


def _kind(table: Table, place: int, siunitx: bool) -> str:
    """The kind of a column, l, r or S with the digits that its numbers take."""
    column = table.columns[place]
    if not column.numeric:
        return "l"
    cells = [row.cells[place] for row in table.rows if _is_number(row.cells[place].text)]
    if not siunitx or column.kind not in ("figure", "difference") or not cells:
        return "r"
    whole = max(len(cell.text.lstrip("+-").partition(".")[0]) for cell in cells)
    decimals = max(len(cell.text.partition(".")[2]) for cell in cells)
    sign = "+" if any(cell.text[0] in "+-" for cell in cells) else ""
    reach = max((len(cell.reach.replace(".", "").lstrip("0")) for cell in cells), default=0)
    uncertainty = f"({max(1, reach)})" if any(cell.reach for cell in cells) else ""
    longest = max((cell.letters for cell in cells), key=len)
    after = f",table-space-text-post={{\\textsuperscript{{{longest}}}}}"
    letters = after if any(cell.letters for cell in cells) else ""
    return f"S[table-format={sign}{whole}.{decimals}{uncertainty}{letters}]"


def _is_number(text: str) -> bool:
    return text.lstrip("+-").replace(".", "", 1).isdigit()
