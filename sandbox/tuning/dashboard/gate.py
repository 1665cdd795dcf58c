"""What stands before Optuna's dashboard: it lets readers read, and pictures be found by notes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from optuna.artifacts.exceptions import ArtifactNotFound

from sandbox.tuning.dashboard.artifacts import ArtifactFolders

_READING = ("GET", "HEAD", "OPTIONS")
_PICTURE = re.compile(r"/artifacts/\d+/\d+/([0-9a-fA-F-]+)")
_PNG = b"\x89PNG\r\n\x1a\n"
_EDITING = ("Delete", "AddBox", "DriveFileRenameOutline", "Edit")
_UPLOAD = ".MuiCard-root:has([data-testid=UploadFileIcon]):not(:has(.MuiCard-root + .MuiCard-root))"
_BUTTONS = ", ".join(f".MuiButtonBase-root:has([data-testid={icon}Icon])" for icon in _EDITING)
_HIDDEN = f"{_BUTTONS}, {_UPLOAD} {{display: none}}"
"""Style of a page for reading: nothing is shown that it would refuse."""
App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
"""A WSGI application."""


def gated(app: App, artifacts: ArtifactFolders, *, edit: bool, several: bool) -> App:
    """An application that answers what it may not do with 403 and the reason, as JSON.

    Args:
        app: the dashboard.
        artifacts: where pictures are found by their id alone, as the ids of study and trial in a note are those of
            its own storage.
        edit: whether more than reading is allowed; else buttons that would do more are not shown.
        several: whether there are several studies, so that a new file belongs to none of them.
    """

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if why := _refusal(method, path, edit=edit, several=several):
            return _say(start, "403 Forbidden", "application/json", json.dumps({"reason": why}).encode())
        if (found := _PICTURE.fullmatch(path)) and (picture := _read_picture(artifacts, found[1])):
            return _say(start, "200 OK", "image/png", picture)
        if not edit and re.fullmatch(r"/dashboard(/.*)?", path):
            return _without_buttons(app, environ, start)
        return app(environ, start)

    return answer


def _refusal(method: str, path: str, *, edit: bool, several: bool) -> str:
    """Why a request is refused; empty where it is not."""
    if method in _READING:
        return ""
    if not edit:
        return "This dashboard is for reading; begun with --edit, it lets you change things."
    if re.fullmatch(r"/api/studies/*|/api/studies/\d+/rename/*", path):
        return "Studies are begun and named by tune.py, as their folders and their search belong to them."
    if several and method == "POST" and path.startswith("/api/artifacts/"):
        return "Files are added where the dashboard shows one study alone."
    return ""


def _read_picture(artifacts: ArtifactFolders, artifact: str) -> bytes:
    """The PNG of that id; empty where there is none."""
    try:
        with artifacts.open_reader(artifact) as file:
            if (head := file.read(len(_PNG))) == _PNG:
                return head + file.read()
    except (ArtifactNotFound, OSError, ValueError):
        pass
    return b""


def _without_buttons(app: App, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """The dashboard's page, with a style that hides what only an editor can use."""
    answered: list[Any] = []
    fresh = {key: value for key, value in environ.items() if not key.startswith(("HTTP_IF_", "HTTP_RANGE"))}
    pieces = app(fresh, lambda status, headers, *more: answered.extend((status, headers)))
    body = b"".join(pieces)
    getattr(pieces, "close", lambda: None)()
    status, headers = answered[:2]
    if environ["REQUEST_METHOD"] == "GET" and status.startswith("200"):
        body = body.replace(b"</head>", f"<style>{_HIDDEN}</style></head>".encode(), 1)
        left_out = ("content-length", "last-modified", "etag", "accept-ranges")
        headers = [(name, value) for name, value in headers if name.lower() not in left_out]
        headers.append(("Content-Length", str(len(body))))
    start(status, headers)
    return [body]


def _say(start: Callable[..., Any], status: str, kind: str, body: bytes) -> Iterable[bytes]:
    start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
