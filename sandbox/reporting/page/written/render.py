"""The template of a page filled in: text escaped, style and scripts inside, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from sandbox.reporting.page.found.packed import as_script
from sandbox.wording import printable

_ASSETS = Path(__file__).parent / "assets"


def render(template: str, data: Any, scripts: Sequence[str], **parts: Any) -> str:
    """A page as HTML.

    Args:
        template: a file of `assets/`.
        data: plain data that its scripts read.
        scripts: files of `assets/`, in order; they share one scope.
        parts: what the template names.
    """
    environment = Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_visible, loader=FileSystemLoader(_ASSETS)
    )
    code = "\n".join(_asset(name) for name in scripts)
    return environment.get_template(template).render(
        style=Markup(_asset("style.css")),
        script=Markup(f'"use strict";\n(() => {{\n{code}\n}})();'),
        data=Markup(as_script(data)),
        **parts,
    )


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _visible(value: Any) -> Any:
    """A text with the escapes of what cannot be seen; a name may hold marks that turn the order of a page round."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value
