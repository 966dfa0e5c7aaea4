"""What holds for every test: no network but this machine's own, caches that end with the session, the same settings.

The environment is set before any test module is imported, since the hub's libraries read it when they are loaded;
processes that tests start inherit it. A test of the hub serves one on loopback and names it in `HF_ENDPOINT`.
"""

import ipaddress
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = ROOT.parent / "shared" / "data"
SCRATCH = Path(tempfile.mkdtemp(prefix="instruction-kit-tests-"))
NOWHERE = "http://127.0.0.1:9"
"""A hub that refuses at once: what a test gets that reaches for one without serving it."""

THREADS = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"

ENVIRONMENT = {
    "COLUMNS": "120",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_ENDPOINT": NOWHERE,
    "HF_HOME": str(SCRATCH / "hf"),
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",  # it opens its sockets outside Python
    "INSTRUCTION_KIT_CACHE": str(SCRATCH / "cache"),
    "MKL_NUM_THREADS": THREADS,
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": str(SCRATCH / "matplotlib"),
    "NO_COLOR": "1",
    "OMP_WAIT_POLICY": "PASSIVE",  # on a busy machine threads that wait would burn the time of those that work
    "OMP_NUM_THREADS": THREADS,  # torch takes its number of threads from here
    "TERM": "dumb",
    "TOKENIZERS_PARALLELISM": "false",
    "TZ": "UTC",
}
SETTINGS_OF_THE_USER = ("HF_HUB_OFFLINE", "HF_TOKEN", "HF_DATASETS_CACHE", "HF_HUB_CACHE", "FORCE_COLOR")
"""What would make a test's outcome depend on who runs it."""

for name in [key for key in os.environ if key in SETTINGS_OF_THE_USER or key.lower().endswith("_proxy")]:
    del os.environ[name]
os.environ.update(ENVIRONMENT)
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # the same numbers everywhere; a test of a GPU asks for one by name

hypothesis.settings.register_profile("here", deadline=None)  # two cores shared with a tuning run know no deadlines
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


class NetworkRefusedError(RuntimeError):
    """A test reached for another machine. No OSError, so that code which expects such does not swallow it."""


def is_loopback(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    try:
        return name == "localhost" or ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


def refuse_other_machines(host: object) -> None:
    if not is_loopback(host):
        raise NetworkRefusedError(f"tests reach no other machine: {host!r}; serve what is needed on 127.0.0.1")


def pytest_configure() -> None:
    look_up, connect, connect_ex = socket.getaddrinfo, socket.socket.connect, socket.socket.connect_ex

    def guarded(call):
        def on_loopback(self, address):
            if self.family in (socket.AF_INET, socket.AF_INET6):
                refuse_other_machines(address[0])
            return call(self, address)

        return on_loopback

    def getaddrinfo(host, *args, **options):
        refuse_other_machines(host)
        return look_up(host, *args, **options)

    socket.getaddrinfo = getaddrinfo
    socket.socket.connect = guarded(connect)  # type: ignore[method-assign]
    socket.socket.connect_ex = guarded(connect_ex)  # type: ignore[method-assign]


def pytest_unconfigure() -> None:
    shutil.rmtree(SCRATCH, ignore_errors=True)


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.real_data)


@pytest.fixture(scope="module")
def one_thread():
    """Small models are ten times as fast on one thread of torch as on two."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def real_data(pytestconfig) -> Path:
    """The folder `raw` of the real datasets, unpacked once for each version of their archive."""
    archive = REAL_DATA / "raw.tar.xz"
    if not archive.is_file():
        pytest.skip("the real datasets are not beside this checkout")
    cache = pytestconfig.cache.mkdir(f"real-data-{archive.stat().st_size}")
    command = [sys.executable, REAL_DATA / "unpack.py", cache]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())
