"""A task reads its dataset over HTTP from a hub behind `HF_ENDPOINT`, then, with the hub gone, from the offline cache.

The stand-in answers what `huggingface_hub` and `datasets` ask for: the files of a revision with their commit and ETag,
the tree of a folder, facts about paths and about the repository. The readers are processes of their own, since the
ecosystem reads its settings when it is loaded.
"""

import hashlib
import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from test_source_hub import MEND, TASKS, outcomes, write_repository

from instruction_kit import Hub
from instruction_kit.source import Sample

READ = ["snli", "squad", "samsum"]
"""A ClassLabel with a config, nested columns, and a repository of the default config."""

CONVERTED = "refs/convert/parquet"
"""The branch that the hub makes of a repository's files, without a card: a folder for each config and split."""

READER = """
import json, logging, sys, time
from dataclasses import asdict
time.sleep = lambda _: None  # between the six times that a hub is asked which does not answer
sys.path.insert(0, sys.argv[1])
from test_source_hub import Hub, SourceError, TASKS, Where, outcomes
logging.disable()
for line in json.loads(sys.argv[2]):
    task = TASKS[line["task"]]
    source = Hub(task.source.id, **(task.source.model_dump(exclude={"id"}) | line["changes"]))
    try:
        contents = [part.content for split in source.split_names for part in source.ranges(split, Where())]
        rows = {split: asdict(outcome) for split, outcome in outcomes(source, task).items()}
        answer = {"commit": source._builder.hash, "contents": contents, "outcomes": rows}
    except SourceError as error:
        answer = {"refused": str(error)}
    print(json.dumps(answer), flush=True)
"""


@dataclass(frozen=True)
class Repository:
    """One dataset on the stand-in: its revisions, each a commit with its files."""

    revisions: dict[str, str]
    files: dict[str, dict[str, bytes]]


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

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        parts = [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]
        match parts:
            case ["datasets", namespace, name, "resolve", revision, *path]:
                self._file(f"{namespace}/{name}", revision, "/".join(path))
            case ["api", "datasets", namespace, name, "tree", revision, *path]:
                self._tree(f"{namespace}/{name}", revision, "/".join(path))
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

    def _refuse(self, code: str, *, commit: str = "") -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": code} | ({"X-Repo-Commit": commit} if commit else {})
        self._answer(404, b"{}", headers)

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


AS_CONVERTED = {"config": None, "data_dir": "plain_text", "revision": CONVERTED}

Line = tuple[str, dict[str, Any]]
"""A task, and what is changed in its source."""


def read(*lines: Line, **environment: str) -> list[dict[str, Any]]:
    """What a process of its own says that reads tasks from their own hub."""
    asked = json.dumps([{"task": name, "changes": changes} for name, changes in lines])
    done = subprocess.run(
        [sys.executable, "-c", READER, str(Path(__file__).parent), asked],
        env={**os.environ, "USE_TORCH": "0", **environment},  # with torch, `datasets` takes seconds longer to load
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def from_sample(name: str) -> Any:
    found = outcomes(Sample(TASKS[name].sample_path), TASKS[name])
    return json.loads(json.dumps({split: asdict(outcome) for split, outcome in found.items()}))


def hub_id(name: str) -> str:
    source = TASKS[name].source
    assert isinstance(source, Hub)
    return source.id


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    files = {name: files_of(write_repository(TASKS[name], tmp_path_factory.mktemp(name))) for name in READ}
    older = {path: data for path, data in files["snli"].items() if "test" not in path}
    older["README.md"] = b"\n".join(line for line in older["README.md"].split(b"\n") if b"test" not in line)
    names = (path for path in files["snli"] if path.endswith(".parquet"))
    converted = {f"{path.partition('-')[0]}/0000.parquet": files["snli"][path] for path in names}
    found = {hub_id(name): repository(main=files[name]) for name in READ}
    return found | {hub_id("snli"): repository(main=files["snli"], v1=older, **{CONVERTED: converted})}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The caches of one user: what is read over HTTP is there when the hub has gone."""
    return str(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def over_http(home, repositories, tmp_path_factory):
    """Read each, one of them streamed; then revisions; then a repository that is not there. And what was asked for."""
    here = tmp_path_factory.mktemp("folder")
    write_repository(TASKS["cb"], here / hub_id("samsum"))  # a folder under the name of a repository
    older = {"revision": "v1", "splits": {"train": "train"}, "streaming": True}
    lines: list[Line] = [*((name, {}) for name in READ), ("snli", {"streaming": True}), ("snli", older)]
    lines += [("snli", AS_CONVERTED)]
    with served(repositories) as (endpoint, asked), pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        found = read(*lines, ("snli", {"revision": "v2"}), ("cb", {}), HF_ENDPOINT=endpoint, HF_HOME=home)
    return found, asked


@pytest.fixture(scope="module")
def offline(over_http, home):
    """The same user, without a hub; then with one version pinned that is cached, and one that is not."""
    found, _ = over_http
    commit = found[READ.index("snli")]["commit"]
    lines: list[Line] = [*((name, {}) for name in READ), ("snli", {"revision": commit}), ("snli", {"revision": "v1"})]
    lines += [("snli", AS_CONVERTED), ("cb", {})]
    return read(*lines, HF_HUB_OFFLINE="1", HF_HOME=home)


@pytest.mark.parametrize("name", READ)
def test_a_hub_gives_the_examples_and_the_fates_of_the_sample(name, over_http):
    found, _ = over_http
    assert found[READ.index(name)]["outcomes"] == from_sample(name)


def test_a_streamed_hub_gives_the_same_and_is_the_same_content(over_http):
    whole, streamed = over_http[0][READ.index("snli")], over_http[0][len(READ)]
    assert streamed["outcomes"] == whole["outcomes"]
    assert set(streamed["contents"]) == set(whole["contents"])


def test_another_revision_is_another_content(over_http):
    whole, older = over_http[0][READ.index("snli")], over_http[0][len(READ) + 1]
    assert older["commit"] != whole["commit"]
    assert older["outcomes"] == {"train": whole["outcomes"]["train"]}
    assert not set(older["contents"]) & set(whole["contents"])


def test_the_branch_of_converted_files_gives_the_same_rows(over_http):
    whole, converted = over_http[0][READ.index("snli")], over_http[0][len(READ) + 2]
    assert converted["outcomes"] == whole["outcomes"]


def test_a_folder_of_a_repository_is_refused_offline(offline):
    """`datasets` caches it under a name that it does not find again without the hub."""
    assert offline[len(READ) + 2] == {
        "refused": "Hub(stanfordnlp/snli, revision=refs/convert/parquet, data_dir=plain_text): cannot be read: "
        f"Couldn't find cache for stanfordnlp/snli for config 'default-data_dir=plain_text'{MEND}"
    }


def test_a_revision_that_is_not_there_is_refused(over_http):
    assert over_http[0][-2] == {
        "refused": "Hub(stanfordnlp/snli, config=plain_text, revision=v2): cannot be read: "
        f"Revision 'v2' doesn't exist for dataset 'stanfordnlp/snli' on the Hub.{MEND}"
    }


def test_a_repository_that_is_not_there_is_refused(over_http):
    assert over_http[0][-1] == {
        "refused": "Hub(aps/super_glue, config=cb): cannot be read: "
        f"Dataset 'aps/super_glue' doesn't exist on the Hub or cannot be accessed.{MEND}"
    }


def test_the_branch_is_looked_up_once_for_all_splits(over_http):
    _, asked = over_http
    assert asked.count("HEAD /datasets/rajpurkar/squad/resolve/main/README.md") == 1


def test_no_loading_script_is_fetched(over_http):
    _, asked = over_http
    assert [line for line in asked if line.startswith("GET") and line.endswith(".py")] == []


@pytest.mark.parametrize("name", READ)
def test_with_the_hub_gone_the_cache_gives_the_same_rows_and_the_same_content(name, over_http, offline):
    assert offline[READ.index(name)] == over_http[0][READ.index(name)]


def test_a_commit_that_is_cached_can_be_named_offline(over_http, offline):
    assert offline[len(READ)]["outcomes"] == over_http[0][READ.index("snli")]["outcomes"]


def test_a_revision_that_is_not_the_cached_one_is_refused_offline(over_http, offline):
    """`datasets` would hand over whatever it cached last."""
    commits = [over_http[0][place]["commit"] for place in (READ.index("snli"), len(READ) + 1)]
    assert offline[len(READ) + 1] == {
        "refused": "Hub(stanfordnlp/snli, config=plain_text, revision=v1): cannot be reached, and the copy in the "
        f"cache is of another revision ({commits[0]}, not {commits[1]}); read it once with the hub in reach, "
        f"or state revision='{commits[0]}'"
    }


def test_what_was_never_read_is_refused_offline(offline):
    assert offline[-1] == {
        "refused": "Hub(aps/super_glue, config=cb): cannot be read: "
        f"Couldn't reach 'aps/super_glue' on the Hub (OfflineModeIsEnabled){MEND}"
    }


def test_a_hub_that_cannot_be_reached_is_an_error_that_says_what_to_check(tmp_path):
    assert read(("snli", {}), HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(tmp_path)) == [
        {
            "refused": "Hub(stanfordnlp/snli, config=plain_text): cannot be read: "
            f"Couldn't reach 'stanfordnlp/snli' on the Hub (LocalEntryNotFoundError){MEND}"
        }
    ]


def test_a_hub_that_hangs_up_is_an_error_too(tmp_path):
    with socketserver.TCPServer(("127.0.0.1", 0), HangUp) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        said = read(("snli", {}), HF_ENDPOINT=endpoint, HF_HOME=str(tmp_path))
        server.shutdown()
    assert said == [
        {
            "refused": "Hub(stanfordnlp/snli, config=plain_text): cannot be read: "
            f"Server disconnected without sending a response.{MEND}"
        }
    ]
