"""A stand-in for a hub, on loopback: what `huggingface_hub` and `datasets` ask for, answered as the hub does.

It serves the files of a revision with their commit and ETag, the tree of a folder, facts about paths and about the
repository, its branches and tags, and keeps a gated repository shut.
"""

import hashlib
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

GRANTED = "hf_granted"
"""The token of an account that has accepted the terms of the gated repository."""


@dataclass(frozen=True)
class Repository:
    """One dataset on the stand-in: its revisions, each a commit with its files."""

    revisions: dict[str, str]
    files: dict[str, dict[str, bytes]]
    gated: bool = False
    """Whether only the account of `GRANTED` may read it."""


def commit_of(files: dict[str, bytes]) -> str:
    return hashlib.sha1(json.dumps({name: data.hex() for name, data in files.items()}).encode()).hexdigest()  # noqa: S324


def repository(**revisions: dict[str, bytes]) -> Repository:
    return Repository(
        {name: commit_of(files) for name, files in revisions.items()},
        {commit_of(files): files for files in revisions.values()},
    )


def files_of(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


class StandIn(BaseHTTPRequestHandler):
    """Answers as the hub does."""

    protocol_version = "HTTP/1.1"
    repositories: dict[str, Repository]
    asked: list[str]

    def _may(self, name: str) -> bool:
        if name not in self.repositories or not self.repositories[name].gated:
            return True
        sent = self.headers.get("Authorization", "")
        if sent != f"Bearer {GRANTED}":
            self._refuse("GatedRepo", status=403 if sent else 401)
        return sent == f"Bearer {GRANTED}"

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        match parts:
            case ["datasets", namespace, name, "resolve", revision, *path]:
                self._file(f"{namespace}/{name}", revision, "/".join(path))
            case ["api", "datasets", namespace, name, "tree", revision, *path]:
                self._tree(f"{namespace}/{name}", revision, "/".join(path))
            case ["api", "datasets", namespace, name, "refs"]:
                self._refs(f"{namespace}/{name}")
            case ["api", "datasets", namespace, name, "auth-check"]:
                if self._commit(f"{namespace}/{name}", "main"):
                    self._say({})
            case ["api", "datasets", namespace, name]:
                self._facts(f"{namespace}/{name}", "main")
            case ["api", "datasets", namespace, name, "revision", revision]:
                self._facts(f"{namespace}/{name}", revision)
            case _:
                self._refuse("EntryNotFound")

    do_HEAD = do_GET  # noqa: N815 - the server's own name for it

    def do_POST(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        match self.path.strip("/").split("/"):
            case ["api", "datasets", namespace, name, "paths-info", revision]:
                if found := self._commit(f"{namespace}/{name}", unquote(revision)):
                    files = found[1]
                    wanted = [path.strip("/") for path in json.loads(body)["paths"]]
                    self._say([self._about(path, files) for path in wanted if self._is_there(path, files)])
            case _:
                self._refuse("EntryNotFound")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _commit(self, name: str, revision: str) -> tuple[str, dict[str, bytes]] | None:
        if name not in self.repositories:
            self._refuse("RepoNotFound")
            return None
        if not self._may(name):
            return None
        known = self.repositories[name]
        commit = known.revisions.get(revision, revision)
        if commit not in known.files:
            self._refuse("RevisionNotFound")
            return None
        return commit, known.files[commit]

    def _file(self, name: str, revision: str, path: str) -> None:
        if not (found := self._commit(name, revision)):
            return
        commit, files = found
        if path not in files:
            self._refuse("EntryNotFound", commit=commit)
            return
        data = files[path]
        start, _, end = self.headers.get("Range", "bytes=-").removeprefix("bytes=").partition("-")
        piece = data[int(start or 0) : int(end) + 1 if end else None]
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if "Range" in self.headers:
            headers["Content-Range"] = f"bytes {start or 0}-{int(start or 0) + len(piece) - 1}/{len(data)}"
        self._answer(206 if "Range" in self.headers else 200, piece, headers)

    def _tree(self, name: str, revision: str, folder: str) -> None:
        if not (found := self._commit(name, revision)):
            return
        files = found[1]
        inside = [path for path in files if not folder or path.startswith(f"{folder}/")]
        if not inside:
            self._refuse("EntryNotFound")
            return
        deep = "recursive=true" in self.path.lower()
        skip = len(folder) + 1 if folder else 0
        kept = {path if deep else path[:skip] + path[skip:].split("/")[0] for path in inside}
        folders = {"/".join(path.split("/")[:depth]) for path in kept for depth in range(1, path.count("/") + 1)}
        self._say([self._about(path, files) for path in sorted(kept | {f for f in folders if len(f) > skip})])

    def _facts(self, name: str, revision: str) -> None:
        if found := self._commit(name, revision):
            siblings = [{"rfilename": path} for path in found[1]]
            self._say({"id": name, "sha": found[0], "private": False, "tags": [], "siblings": siblings})

    def _refs(self, name: str) -> None:
        if self._commit(name, "main"):
            told = [
                {"name": ref.removeprefix("refs/convert/"), "ref": ref, "targetCommit": commit}
                for ref, commit in self.repositories[name].revisions.items()
            ]
            converts = [ref for ref in told if ref["ref"].startswith("refs/convert/")]
            tags = [ref for ref in told if ref["name"].startswith("v")]
            self._say({"branches": [r for r in told if r not in converts + tags], "converts": converts, "tags": tags})

    @staticmethod
    def _is_there(path: str, files: dict[str, bytes]) -> bool:
        return path in files or any(file.startswith(f"{path}/") for file in files)

    @staticmethod
    def _about(path: str, files: dict[str, bytes]) -> dict[str, Any]:
        data = files.get(path)
        kind = {"type": "directory", "size": 0} if data is None else {"type": "file", "size": len(data)}
        return {**kind, "path": path, "oid": hashlib.sha1(path.encode() + (data or b"")).hexdigest()}  # noqa: S324

    def _say(self, value: Any) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, code: str, *, commit: str = "", status: int = 404) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": code} | ({"X-Repo-Commit": commit} if commit else {})
        self._answer(status, b"{}", headers)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class HangUp(socketserver.BaseRequestHandler):
    """Hears what is asked and goes."""

    def handle(self) -> None:
        self.request.recv(10_000)


@contextmanager
def served(repositories: dict[str, Repository]) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("Served", (StandIn,), {"repositories": repositories, "asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
