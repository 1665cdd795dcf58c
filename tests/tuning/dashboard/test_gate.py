"""A dashboard that reads: what it answers over HTTP, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from optuna.storages import InMemoryStorage
from PIL import Image

from sandbox.errors import SandboxError
from sandbox.tuning.dashboard.artifacts import attach
from sandbox.tuning.dashboard.notes import read_note
from sandbox.tuning.dashboard.serve import Served, make_server, serve

from dashboards import begun, tried

Asked = tuple[int, dict[str, str], bytes]


@contextmanager
def served(stores: list[Served], *, edit: bool = False) -> Iterator[Any]:
    """A dashboard, as a function that asks it."""
    with make_server(stores, host="127.0.0.1", port=0, edit=edit) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def ask(method: str, path: str, body: Any = None) -> Asked:
            connection = HTTPConnection("127.0.0.1", server.server_port, timeout=30)
            sent = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip"}
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            found = answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            connection.close()
            return found

        try:
            yield ask
        finally:
            server.shutdown()
            thread.join()


def made(folder: Path, name: str) -> Served:
    """A study of one trial with a picture."""
    study = begun(InMemoryStorage(), name)
    trial = tried(study, 0.5)
    (folder / name).mkdir()
    Image.new("RGB", (3, 2)).save(folder / "curve.png")
    attach(study._storage, study._study_id, trial, [folder / "curve.png"], folder / name)
    return Served(name, study._storage, folder / name)


CHANGES = [
    ("DELETE", "/api/studies/0", None),
    ("POST", "/api/studies", {"study_name": "new", "directions": ["minimize"]}),
    ("POST", "/api/studies/0/rename", {"study_name": "new"}),
    ("PUT", "/api/studies/0/note", {"version": 1, "body": "mine"}),
    ("PUT", "/api/studies/0/0/note", {"version": 1, "body": "mine"}),
    ("POST", "/api/trials/0/tell", {"state": "Fail"}),
    ("POST", "/api/trials/0/user-attrs", {"user_attrs": {"a": 1}}),
    ("POST", "/api/artifacts/0/0", {"file": "data:text/plain;base64,aGk=", "filename": "a.txt"}),
    ("PATCH", "/api/studies/0", None),
    ("delete", "/api/studies/0", None),
]


def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    store = made(tmp_path, "mine")
    before = (store.storage.get_all_studies()[0].__dict__, store.storage.get_all_trials(0))
    with served([store]) as ask:
        for method, path, body in CHANGES:
            status, headers, said = ask(method, path, body)
            assert status == 403 and headers["content-type"] == "application/json"
            assert "--edit" in json.loads(said)["reason"]
        assert ask("HEAD", "/api/studies")[0] == 200
        names = [study["study_name"] for study in json.loads(ask("GET", "/api/studies")[2])["study_summaries"]]
    assert names == ["mine"]
    assert (store.storage.get_all_studies()[0].__dict__, store.storage.get_all_trials(0)) == before


def test_an_editor_writes_notes_and_deletes_but_begins_no_study(tmp_path: Path) -> None:
    stores = [made(tmp_path, "one"), made(tmp_path, "two")]
    with served(stores, edit=True) as ask:
        assert ask("PUT", "/api/studies/1/1/note", {"version": 1, "body": "mine"})[0] == 204
        assert ask("PUT", "/api/studies/0/note", {"version": 1, "body": "of all"})[0] == 204
        for path in ("/api/studies", "/api/studies/", "/api/studies/0/rename"):
            status, _, said = ask("POST", path, {"study_name": "new", "directions": ["minimize"]})
            assert status == 403 and "tune.py" in json.loads(said)["reason"]
        status, _, said = ask("POST", "/api/artifacts/0", {"file": "data:text/plain;base64,aGk=", "filename": "a"})
        assert status == 403 and "one study" in json.loads(said)["reason"]
        assert ask("DELETE", "/api/studies/0", {})[0] == 204
    assert read_note(stores[1].storage, 0, 0) == "mine"
    assert stores[0].storage.get_all_studies() == [] and len(stores[1].storage.get_all_studies()) == 1
    assert not list((tmp_path / "one" / "artifacts").iterdir()) and list((tmp_path / "two" / "artifacts").iterdir())
    with served(stores[1:], edit=True) as ask:
        sent = {"file": "data:text/plain;base64,aGk=", "filename": "a.txt"}
        status, _, said = ask("POST", "/api/artifacts/0", sent)
        assert status == 201
        assert ask("GET", f"/artifacts/0/{json.loads(said)['artifact_id']}")[2] == b"hi"


def test_each_study_has_its_trials_and_its_pictures(tmp_path: Path) -> None:
    stores = [made(tmp_path, "one"), made(tmp_path, "two")]
    with served(stores) as ask:
        for number, store in enumerate(stores):
            said = json.loads(ask("GET", f"/api/studies/{number}?after=0")[2])
            assert said["name"] == store.name and [trial["number"] for trial in said["trials"]] == [0]
            (listed,) = said["trials"][0]["artifacts"]
            for path in (f"{number}/{said['trials'][0]['trial_id']}", "0/0", "7/99"):  # as links in notes have them
                status, headers, picture = ask("GET", f"/artifacts/{path}/{listed['artifact_id']}")
                assert (status, headers["content-type"]) == (200, "image/png")
                assert picture == (tmp_path / "curve.png").read_bytes()
        assert ask("GET", "/artifacts/0/0/00000000-0000")[0] == 404
        assert ask("GET", "/artifacts/0/0/..%2f..%2fcurve.png")[0] == 404


def test_a_page_for_reading_has_no_buttons_to_change_things(tmp_path: Path) -> None:
    store = made(tmp_path, "mine")
    pages = {}
    for edit in (False, True):
        with served([store], edit=edit) as ask:
            for path in ("/dashboard", "/dashboard/studies/0/trials"):
                status, headers, pages[edit] = ask("GET", path)
                assert status == 200 and "'unsafe-inline'" in headers["content-security-policy"]
                assert int(headers["content-length"]) == len(pages[edit])
    before, _, after = pages[False].rpartition(b"<style>")
    style, _, rest = after.partition(b"</style>")
    assert b"DeleteIcon" in style and b"display: none" in style
    assert before + rest == pages[True]


def test_it_says_where_it_is_and_ends_by_ctrl_c(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stores = [made(tmp_path, "one"), made(tmp_path, "two")]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answered = []

    def ask_and_end() -> None:
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with suppress(ConnectionRefusedError):
                    connection = HTTPConnection("127.0.0.1", port, timeout=30)
                    connection.request("GET", "/api/studies")
                    answered.append(connection.getresponse().status)
                    connection.close()
                    return
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=ask_and_end)
    thread.start()
    serve(stores, port=port)
    thread.join()
    said = capsys.readouterr().out
    assert answered == [200] and f"2 studies one, two: http://127.0.0.1:{port}/" in said and said.endswith("ended\n")


def test_an_address_that_cannot_be_listened_on_is_said(tmp_path: Path) -> None:
    store = made(tmp_path, "mine")
    with (
        make_server([store], host="127.0.0.1", port=0) as server,
        pytest.raises(SandboxError, match=r"cannot listen on .*choose another --port"),
    ):
        serve([store], port=server.server_port)
    for port in (0, -1, 65536):
        with pytest.raises(SandboxError, match=f"--port is {port}, but lies between 1 and 65535"):
            serve([store], port=port)
    for host in ("999.1.1.1", "a" * 300, "b\udcff", "a\0b"):
        with pytest.raises(SandboxError, match="cannot listen on"):
            make_server([store], host=host, port=0)
    with pytest.raises(SandboxError, match="--host is empty"):
        make_server([store], host="", port=0)
    with pytest.raises(SandboxError, match="has no study 'other'"):
        begun(store.storage, "second")
        make_server([Served("other", store.storage, tmp_path)], host="127.0.0.1", port=0)
