"""A build that is stopped anywhere goes on to the same bytes, and a folder is never mistaken for what it is not."""

import json
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from killed_build import SHARD_PAIRS as KILLED_SHARD_PAIRS
from killed_build import mixture as killed_mixture
from small_task import built, claims, contents, lines, pairs, phrasings, recitals, task_file, verdicts

from instruction_kit import Mixture
from instruction_kit.build import build as build_build
from instruction_kit.build import drawn as build_drawn
from instruction_kit.build import shard as build_shard
from instruction_kit.build import work as build_work
from instruction_kit.build.commit import committed, owned
from instruction_kit.build.manifest import read_manifest
from instruction_kit.errors import BuildError

SCRIPT = Path(__file__).with_name("killed_build.py")


def killed_builds(folder: Path, *moments: int) -> dict[str, list[int]]:
    """Exit status of each killed build and of the one that went on with it."""
    command = [sys.executable, str(SCRIPT), str(folder), *map(str, moments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, list[int]] = json.loads(done.stdout)
    return told


@contextmanager
def stopped_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, *, after: int = 0) -> Iterator[None]:
    """In the block, the call of this name after so many others stops the build, which leaves what it has done."""
    call, calls = getattr(owner, name), []

    def stopping(*arguments: Any, **options: Any) -> Any:
        calls.append(name)
        if len(calls) > after:
            raise KeyboardInterrupt
        return call(*arguments, **options)

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(owner, name, stopping)
        yield
    assert len(calls) == after + 1


# --- stopped ----------------------------------------------------------------------------------------------------------


def test_a_build_killed_at_any_moment_goes_on_to_the_same_bytes(tmp_path):
    """Moments from the first to the last, and the one after which nothing is left to do."""
    assert killed_builds(tmp_path, 0) == {"0": [0, 0]}
    whole = tmp_path / "killed at 0"
    last = int((whole / "moments").read_text(encoding="utf-8"))
    moments = sorted({1 + (last - 1) * part // 6 for part in range(7)})
    told = killed_builds(tmp_path, *moments)
    assert told == {str(moment): [-signal.SIGKILL, 0] for moment in moments}
    for moment in moments:
        place = tmp_path / f"killed at {moment}"
        assert contents(place / "out") == contents(whole / "out"), moment
        assert contents(place / "cache") == contents(whole / "cache"), moment


def test_a_build_killed_from_outside_at_any_time_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / "cache"))
    paths = phrasings(tmp_path / "paths")
    code = (
        "import sys, pathlib\n"
        f"sys.path.insert(0, {str(SCRIPT.parent)!r})\n"
        "from small_task import built, claims, verdicts\n"
        "built(pathlib.Path('out'), pathlib.Path('paths'), verdicts(claims(9000)), num_validation=50)\n"
    )
    for number, delay in enumerate((0.05, 0.35, 0.8)):
        with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not (tmp_path / "out" / ".work").exists():
                time.sleep(0.01)
            time.sleep(delay)
            process.kill()
        built(tmp_path / "out", paths, verdicts(claims(9000)), num_validation=50)
        (tmp_path / "out").rename(tmp_path / f"out {number}")
        assert contents(tmp_path / f"out {number}") == contents(tmp_path / "out 0")
        assert not any("/." in name for name in contents(tmp_path / "cache"))
        shutil.rmtree(tmp_path / "cache")


@pytest.mark.parametrize(
    ("name", "after"), [("scan", 1), ("write_runs", 2), ("merge", 2), ("card", 0), ("write_json", 0)]
)
def test_what_is_done_is_not_done_again(tmp_path, monkeypatch, name, after):
    where = build_work if hasattr(build_work, name) else build_build
    paths = phrasings(tmp_path / "paths")
    tasks = [verdicts(claims(30)), verdicts(claims(20), name="more"), recitals(9)]
    with stopped_at(monkeypatch, where, name, after=after):
        built(tmp_path / "out", paths, *tasks, num_validation=3)
    drawn = {build_drawn.ROWS, build_drawn.POOLS}  # the draw alone is done again, because no file of it is kept
    files = (path for path in (tmp_path / "out").rglob("*.parquet") if path.name not in drawn)
    done = {path: path.stat().st_mtime_ns for path in files}
    kept = {}
    with stopped_at(monkeypatch, build_build, "_clear"):
        built(tmp_path / "out", paths, *tasks, num_validation=3)
    for path, when in done.items():
        kept[path] = path.stat().st_mtime_ns == when
    assert all(kept.values())
    built(tmp_path / "out", paths, *tasks, num_validation=3)
    built(tmp_path / "whole", paths, *tasks, num_validation=3)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_finished_build_is_left_as_it_is(tmp_path):
    paths = phrasings(tmp_path / "paths")
    first = built(tmp_path / "out", paths, verdicts(claims(30)), num_validation=3)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.*")}
    assert built(tmp_path / "out", paths, verdicts(claims(30)), num_validation=3) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.*")} == before


# --- damage -----------------------------------------------------------------------------------------------------------


def damaged(path: Path, how: str) -> None:
    data = path.read_bytes()
    if how == "flipped":
        path.write_bytes(data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :])
    elif how == "cut":
        path.write_bytes(data[:-5])
    elif how == "gone":
        path.unlink()
    else:
        path.write_bytes(b"")


@pytest.mark.parametrize(
    ("shard", "how"),
    [
        ("train/train-00001-of", "flipped"),
        ("train/train-00001-of", "cut"),
        ("train/train-00001-of", "gone"),
        ("train/seen", "empty"),
        ("held_out/held__test", "flipped"),
        ("rejected/lines", "flipped"),
        ("README.md", "flipped"),
    ],
)
def test_a_damaged_file_is_noticed_and_it_alone_is_written_again(tmp_path, monkeypatch, caplog, shard, how):
    monkeypatch.setattr(build_shard, "SHARD_PAIRS", 20)
    task_file(tmp_path / "mine", "lines", train=lines(30))
    tasks = ["lines", verdicts({"test": claims(5)}, name="held", cluster="judged")]
    paths = (tmp_path / "mine", phrasings(tmp_path / "paths"))
    mixture = Mixture(tasks=tasks, paths=paths, hold_out=["held"], num_validation=2)
    mixture.build(tmp_path / "out")
    before = contents(tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.parquet")}
    path = next(
        path for path in (tmp_path / "out").rglob("*.*") if str(path.relative_to(tmp_path / "out")).startswith(shard)
    )
    damaged(path, how)
    with caplog.at_level(logging.WARNING):
        mixture.build(tmp_path / "out")
    assert contents(tmp_path / "out") == before
    assert {p for p, when in times.items() if p.stat().st_mtime_ns != when} <= {path}
    if shard != "README.md":
        told = f"{tmp_path}/out: {path.relative_to(tmp_path / 'out')}: not what the manifest says; written again"
        assert [message for message in caplog.messages if "manifest" in message] == [told]


def test_a_damaged_run_of_a_stopped_build_is_made_again(tmp_path, monkeypatch):
    paths, task = phrasings(tmp_path / "paths"), verdicts(claims(30))
    built(tmp_path / "whole", paths, task)
    with stopped_at(monkeypatch, build_work, "merge"):
        built(tmp_path / "out", paths, task)
    runs = sorted((tmp_path / "out" / ".work").rglob("train--*.parquet"))
    assert runs
    damaged(runs[0], "flipped")
    built(tmp_path / "out", paths, task)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


# --- something else ---------------------------------------------------------------------------------------------------


def changed(folder: Path, what: str) -> tuple[dict[str, Any], str]:
    """Change one thing of the mixture below; the result is what to change in its keys, and what the error says."""
    sorting = folder / "mine" / "tasks" / "sorting"
    template = folder / "mine" / "templates" / "lines" / "one.jinja"
    if what == "template":
        template.write_text("Other: {{ text }}\n\n{{ options }}\n|||\n{{ answer }}", encoding="utf-8")
        return {}, "template lines/one changed"
    if what == "new template":
        template.with_name("two.jinja").write_text("{{ text }}?\n|||\n{{ answer }}", encoding="utf-8")
        return {}, "template lines/two is new"
    if what == "task":
        (sorting / "lines.py").write_text((sorting / "lines.py").read_text("utf-8") + "# note\n", encoding="utf-8")
        return {}, "task lines changed"
    if what == "source":
        (sorting / "lines.train.jsonl").write_text(lines(31), encoding="utf-8")
        return {}, "source lines train changed"
    if what == "seed":
        return {"seed": 1, "num_pairs": 9}, "num_pairs was None, now 9; seed was 0, now 1"
    if what == "more tasks":
        task_file(folder / "mine", "more", train=lines(9))
        return {"tasks": ["lines", "more"]}, "tasks was ['lines'], now ['lines', 'more']; source more train is new; "
    raise AssertionError(what)


@pytest.mark.parametrize("state", ["stopped", "finished"])
@pytest.mark.parametrize("what", ["template", "new template", "task", "source", "seed", "more tasks"])
def test_a_folder_with_another_mixture_is_refused_with_what_differs(tmp_path, monkeypatch, what, state):
    task_file(tmp_path / "mine", "lines", train=lines(30))
    phrasings(tmp_path / "mine", {"lines/one": "{{ text }}\n\n{{ options }}\n|||\n{{ answer }}"})
    mixture = Mixture(tasks=["lines"], paths=[tmp_path / "mine"], num_validation=2)
    if state == "stopped":
        with stopped_at(monkeypatch, build_work, "merge", after=1):
            mixture.build(tmp_path / "out")
    else:
        mixture.build(tmp_path / "out")
    before = contents(tmp_path / "out")
    update, told = changed(tmp_path, what)
    with pytest.raises(BuildError) as error:
        mixture.model_copy(update=update).build(tmp_path / "out")
    assert str(error.value).startswith(f"{tmp_path}/out: holds another mixture: {told}")
    assert str(error.value).endswith("; build into a new folder, or remove this one")
    assert contents(tmp_path / "out") == before


def test_other_code_is_another_mixture(tmp_path, monkeypatch):
    paths, task = phrasings(tmp_path / "paths"), verdicts(claims(9))
    built(tmp_path / "out", paths, task)
    monkeypatch.setattr("instruction_kit.build.identity.code_hash", lambda: "another")
    with pytest.raises(BuildError, match=r": holds another mixture: code changed; build into a new folder"):
        built(tmp_path / "out", paths, task)


def test_a_build_that_failed_before_it_wrote_anything_is_in_nobodys_way(tmp_path):
    paths, task = phrasings(tmp_path / "paths"), verdicts(claims(9))
    with pytest.raises(Exception, match="max_repeats"):
        built(tmp_path / "out", paths, task, num_pairs=1_000)
    assert not (tmp_path / "out").exists()
    built(tmp_path / "out", paths, task, num_pairs=10)


# --- two builds -------------------------------------------------------------------------------------------------------


def test_a_second_build_into_one_folder_is_told_who_is_there(tmp_path):
    paths, task = phrasings(tmp_path / "paths"), verdicts(claims(9))
    with owned(tmp_path / "out" / ".work"):
        with pytest.raises(BuildError) as error:
            built(tmp_path / "out", paths, task)
        told = f"process {os.getpid()} is building into this folder; wait for it or name another one"
        assert str(error.value) == f"{tmp_path}/out: {told}"
    assert not (tmp_path / "out").exists()
    built(tmp_path / "out", paths, task)


def test_of_many_builds_at_once_those_that_are_not_refused_agree(tmp_path, monkeypatch):
    """Each first builds into a folder of its own, with one cache for all, and then into one folder for all."""
    monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / "cache"))
    paths = phrasings(tmp_path / "paths")
    code = (
        "import os, pathlib, sys, time\n"
        f"sys.path.insert(0, {str(SCRIPT.parent)!r})\n"
        "from small_task import built, claims, verdicts\n"
        "from instruction_kit.errors import BuildError\n"
        "while not pathlib.Path('go').exists(): time.sleep(0.002)\n"
        "built(pathlib.Path(f'own {os.getpid()}'), pathlib.Path('paths'), verdicts(claims(500)))\n"
        "try: built(pathlib.Path('out'), pathlib.Path('paths'), verdicts(claims(500)))\n"
        "except BuildError as error: sys.exit(str(error))\n"
    )
    start = [sys.executable, "-c", code]
    processes = [subprocess.Popen(start, cwd=tmp_path, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    time.sleep(1)  # until they have imported what they need
    (tmp_path / "go").touch()
    told = [process.communicate()[1] for process in processes]
    built(tmp_path / "whole", paths, verdicts(claims(500)))
    for name in ("out", *(f"own {process.pid}" for process in processes)):
        assert contents(tmp_path / name) == contents(tmp_path / "whole"), name
    for process, error in zip(processes, told, strict=True):
        who = {other.pid for other in processes if f"process {other.pid} is building into this folder" in error}
        assert process.returncode == (1 if who else 0), error
        assert process.pid not in who
    assert 0 in {process.returncode for process in processes}
    assert len(list((tmp_path / "cache" / "scans").glob("*/*"))) == 1


def test_a_lock_that_a_dead_process_left_is_no_lock(tmp_path):
    paths = phrasings(tmp_path / "paths")
    (tmp_path / "out" / ".work").mkdir(parents=True)
    (tmp_path / "out" / ".work" / "lock").write_text("process 1", encoding="utf-8")
    built(tmp_path / "out", paths, verdicts(claims(9)))
    built(tmp_path / "whole", paths, verdicts(claims(9)))
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


# --- the disk ---------------------------------------------------------------------------------------------------------


@contextmanager
def no_file_larger_than(num_bytes: int) -> Iterator[None]:
    """As on a full disk, a write fails half-way."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("num_bytes", [100, 3_000, 12_000])
def test_on_a_full_disk_no_half_file_is_left_and_the_build_goes_on_when_there_is_room(tmp_path, monkeypatch, num_bytes):
    monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / "cache"))
    paths, task = phrasings(tmp_path / "paths"), verdicts(claims(600))
    with no_file_larger_than(num_bytes), pytest.raises(BuildError, match=r"cannot be written: .*File too large"):
        built(tmp_path / "out", paths, task)
    assert not any(name.endswith(".part") for name in contents(tmp_path))
    assert not (tmp_path / "out" / "manifest.json").exists()
    built(tmp_path / "out", paths, task)
    built(tmp_path / "whole", paths, task)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    with committed(tmp_path / "deep" / "file") as beside:
        beside.write_text("first", encoding="utf-8")
        assert not (tmp_path / "deep" / "file").exists()
    with suppress(ZeroDivisionError), committed(tmp_path / "deep" / "file") as beside:
        beside.write_text("half", encoding="utf-8")
        raise ZeroDivisionError
    assert contents(tmp_path) == {"deep/file": b"first"}


def test_the_mixture_of_the_killed_builds_has_every_kind_of_file(tmp_path, monkeypatch):
    """Else the test of kills would prove less than it seems to."""
    monkeypatch.setattr(build_shard, "SHARD_PAIRS", KILLED_SHARD_PAIRS)
    killed_mixture(tmp_path).build(tmp_path / "out")
    record = read_manifest(tmp_path / "out")
    assert {shard.config for shard in record.shards} == {"train", "held_out", "rejected", "overlap"}
    assert len([shard for shard in record.shards if shard.split == "train"]) > 1
    assert pairs(tmp_path / "out").height == sum(shard.rows for shard in record.shards if shard.split == "train")
