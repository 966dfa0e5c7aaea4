"""Files behind URLs: read like files on this machine, and every way in which a backend says no told in words."""

import gzip
import os
import subprocess
import sys
import threading
import zipfile
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import fsspec
import polars as pl
import pytest
from reading import refused, rows_of

from instruction_kit import Files
from instruction_kit.errors import SourceError
from instruction_kit.source.raw import Where

FILES = {
    "a.csv": b"x,y\n1,2\n",
    "a.jsonl.gz": gzip.compress(b'{"x": 1}\n'),
    "texts/pos/1.txt": b"Fine.",
    "texts/neg/2.txt": b"Bad.",
}


WITHOUT = """
import sys
from pathlib import Path

class Gone:  # the package is as good as not installed, whether it is or not
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[1]:
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Gone())
from instruction_kit import Files
from instruction_kit.errors import SourceError
from instruction_kit.source.raw import Where
try:
    Files({"train": sys.argv[2]}).ranges("train", Where(Path()))
except SourceError as error:
    print(error)
"""


@pytest.fixture
def folder(tmp_path):
    for name, data in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    pl.DataFrame({"x": [1, 2, 3]}).write_parquet(tmp_path / "a.parquet", row_group_size=2)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted(tmp_path.rglob("*")):
            if path.is_file() and path.name != "all.zip":
                archive.write(path, path.relative_to(tmp_path).as_posix())
    return tmp_path


@pytest.fixture
def memory(folder):
    system = fsspec.filesystem("memory")
    for path in folder.rglob("*"):
        if path.is_file():
            system.pipe(f"/data/{path.relative_to(folder).as_posix()}", path.read_bytes())
    yield "memory://data"
    system.rm("/data", recursive=True)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def http(folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(params=["memory", "file", "zip", "http"])
def root(request, folder):
    """What stands before a file's name, and what after it."""
    match request.param:
        case "memory":
            return f"{request.getfixturevalue('memory')}/", ""
        case "file":
            return f"file://{folder}/", ""
        case "zip":
            return "zip://", "::all.zip"
        case _:
            return f"{request.getfixturevalue('http')}/", ""


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("a.csv", [{"x": "1", "y": "2"}]),
        ("a.jsonl.gz", [{"x": 1}]),
        ("a.parquet", [{"x": 1}, {"x": 2}, {"x": 3}]),
    ],
)
def test_a_url_reads_like_a_file_and_has_its_content(name, rows, root, folder):
    before, after = root
    url, local = Files({"train": f"{before}{name}{after}"}), Files({"train": name})
    assert rows_of(url, folder) == rows_of(local, folder) == (rows, [])
    there, here = url.ranges("train", Where(folder)), local.ranges("train", Where(folder))
    assert [part.content for part in there] == [part.content for part in here]


def test_a_pattern_in_a_url_is_all_files_that_match(root, folder):
    before, after = root
    found, _ = rows_of(Files({"train": f"{before}texts/*/*.txt{after}"}, format="text"), folder)
    assert [(row["folder"], row["text"]) for row in found] == [("neg", "Bad."), ("pos", "Fine.")]
    lines = Files({"train": f"{before}texts/*/*.txt{after}"})
    assert rows_of(lines, folder)[0] == [{"line": "Bad."}, {"line": "Fine."}]


def test_files_side_by_side_may_lie_anywhere(memory, folder):
    source = Files({"train": {"there": f"{memory}/texts/pos/1.txt", "here": "texts/neg/2.txt"}})
    assert rows_of(source, folder) == ([{"there": "Fine.", "here": "Bad."}], [])


def test_no_name_of_a_range_tells_the_machine(memory, folder):
    splits = {
        "train": [f"file://{folder}/a.csv", f"{folder}/texts/neg/2.txt", f"zip://texts/pos/1.txt::{folder}/all.zip"],
        "test": ["zip://a.csv::all.zip", f"{memory}/a.csv", "a.csv"],
    }
    source = Files(splits)
    names = [part.name for split in splits for part in source.ranges(split, Where(folder))]
    assert names == [
        "a.csv",
        "texts/neg/2.txt",
        "zip://texts/pos/1.txt::all.zip",
        "zip://a.csv::all.zip",
        f"{memory}/a.csv",
        "a.csv",
    ]
    for split in splits:
        assert len(rows_of(source, folder, split=split)[0]) == 3


def test_an_archive_that_was_replaced_is_read_anew(folder):
    source = Files({"train": "zip://a.csv::all.zip"})
    before = source.ranges("train", Where(folder))[0].content
    with zipfile.ZipFile(folder / "new.zip", "w") as archive:
        archive.writestr("a.csv", "x,y\n3,4\n")
    (folder / "new.zip").replace(folder / "all.zip")
    assert rows_of(source, folder) == ([{"x": "3", "y": "4"}], [])
    assert source.ranges("train", Where(folder))[0].content != before


def test_nothing_there_is_told_with_the_nearest_name(memory, folder):
    assert refused(Files({"train": f"{memory}/b.csv"}), folder) == f"{memory}/b.csv: no such file; did you mean a.csv?"
    assert refused(Files({"train": "zip://b.csv::all.zip"}), folder) == (
        f"zip://b.csv::{folder}/all.zip: no such file; did you mean a.csv?"
    )
    assert refused(Files({"train": f"{memory}/*.tsv"}), folder) == f"{memory}/*.tsv: no file matches"


def test_an_archive_that_is_not_there_is_told(folder):
    said = refused(Files({"train": "zip://a.csv::gone.zip"}), folder)
    assert said.startswith(f"zip://a.csv::{folder}/gone.zip: cannot be read (")
    assert said.endswith("; check the address, the network and your access")


def test_a_server_that_has_no_such_file_or_is_not_there_is_told(http, folder):
    assert refused(Files({"train": f"{http}/b.csv"}), folder).startswith(f"{http}/b.csv: no such file; ")
    gone = "http://127.0.0.1:9/b.csv"
    assert refused(Files({"train": gone}), folder).startswith(
        f"{gone}: cannot be read (Cannot connect to host 127.0.0.1"
    )


@pytest.mark.parametrize(
    ("url", "module", "told"),
    [
        ("s3://bucket/a.csv", "s3fs", "s3:// needs a package that is not installed: pip install s3fs ("),
        (
            "https://host/a.csv",
            "aiohttp",
            "https:// needs a package that is not installed: pip install 'fsspec[https]' (",
        ),
        ("zip://a.csv::gs://b/a.zip", "gcsfs", "gs:// needs a package that is not installed: pip install gcsfs ("),
    ],
)
def test_a_backend_that_is_not_installed_is_told_with_its_install_line(url, module, told, folder):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, module, url], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{url}: {told}")


def test_a_protocol_that_nobody_knows_is_told_with_the_nearest(folder):
    assert (
        refused(Files({"train": "memry://a.csv"}), folder) == "memry://a.csv: no protocol memry; did you mean memory?"
    )


def test_a_password_in_a_url_is_refused():
    with pytest.raises(SourceError) as error:
        Files({"train": "https://me:secret@host/a.csv"})
    assert str(error.value) == (
        "Files: a URL holds a password; set it where fsspec's backend looks for it, not in a task file"
    )


NOBODY = 65534


@contextmanager
def ordinary_user():
    """Nothing is closed to root, so root is somebody else meanwhile."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_that_may_not_be_read_is_told():
    with TemporaryDirectory() as name:  # others may not look into pytest's own folders
        folder, file = Path(name), Path(name) / "a.csv"
        folder.chmod(0o755)
        file.write_bytes(FILES["a.csv"])
        assert rows_of(Files({"train": "a.csv"}), folder) == ([{"x": "1", "y": "2"}], [])
        file.chmod(0)
        with ordinary_user():
            assert refused(Files({"train": "a.csv"}), folder) == f"{file}: cannot be read (Permission denied)"
