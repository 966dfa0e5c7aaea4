"""Several processes build the very same folder, and nothing that befalls one of them is lost on the user."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from small_task import claims, contents, task_file, verdicts

from instruction_kit import Mixture
from instruction_kit.build import shard as build_shard
from instruction_kit.build.identity import identify
from instruction_kit.build.job import Job, opened
from instruction_kit.build.manifest import read_manifest
from instruction_kit.build.worker import _handed
from instruction_kit.errors import BuildError, InstructionKitError, MissingExtraError
from instruction_kit.library import recipe_files
from instruction_kit.mixture.portable import local

REASONED = """
import polars as pl
from instruction_kit import Files, Task, labels
from instruction_kit.schema import Classification

task = Task(
    schema=Classification,
    source=Files({{"train": "{name}.train.parquet", "test": "{name}.test.parquet"}}),
    columns={{"text": "text", "label": labels("label", ["no", "yes"]), "rationale": "why"}},
    key="id",
)
"""
SETTINGS = {
    "zero_shot.options": 2,
    "few_shot.options": 1,
    "few_shot.options.cot": 1,
    "zero_shot.no_options.inverted": 1,
}


def remarks(name: str, count: int, *, start: int = 0) -> Any:
    """Rows of which some say what others say, in this task or in another; some lack what is needed."""
    import polars as pl

    numbers = range(start, start + count)
    texts = [f"On day {number} the ferry to the islands left at noon with {number} people" for number in numbers]
    texts = [
        "" if number % 11 == 0 else f"Said {number % 5}" if number % 7 == 0 else text
        for number, text in zip(numbers, texts, strict=True)
    ]
    return pl.DataFrame(
        {
            "id": [f"{name}{number}" for number in numbers],
            "text": texts,
            "label": [number % 2 for number in numbers],
            "why": [f"It is day {n}." for n in numbers],
        }
    )


def tasks(folder: Path) -> Path:
    """Three tasks over files of several row groups, two that train and share rows, and one that is measured."""
    for cluster, name, start in (("ferries", "boats", 0), ("islands", "piers", 20), ("harbours", "docks", 30)):
        place = folder / "tasks" / cluster / f"{name}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(REASONED.format(name=name), encoding="utf-8")
        for split, first, count in (("train", start, 40), ("test", start + 500, 9)):
            frame = remarks(name, count, start=first)
            frame.write_parquet(place.with_name(f"{name}.{split}.parquet"), row_group_size=15)
    return folder


def mixture(folder: Path, **options: Any) -> Mixture:
    parts = {
        "boats": {"weight": 2, "tasks": ["boats"], "phrasings": 2},
        "rest": {
            "weight": 1,
            "parts": {"piers": {"weight": 1, "tasks": ["islands", "docks"], "option_styles": ["dash"]}},
        },
    }
    values = {
        "parts": parts,
        "paths": [folder],
        "hold_out": ["docks"],
        "settings": SETTINGS,
        "held_out_settings": ["zero_shot.options", "few_shot.options.cot"],
        "exemplars": {"num": [1, 2]},
        "num_pairs": 90,
        "num_validation": 3,
        "num_held_out": 5,
        "drop_duplicates": "near",
        "drop_overlap": True,
    }
    return Mixture(**{**values, **options})


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """The folder `mine`, and `out` and `cache` as one process makes them."""
    folder = tmp_path_factory.mktemp("serial")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTION_KIT_CACHE", str(folder / "cache"))
        patch.setattr(build_shard, "SHARD_PAIRS", 40)
        mixture(tasks(folder / "mine")).build(folder / "out")
    return folder


def test_what_one_process_makes_has_all_that_processes_could_differ_in(serial):
    manifest = read_manifest(serial / "out")
    assert {shard.config for shard in manifest.shards} == {"train", "held_out", "rejected", "overlap", "duplicates"}
    assert manifest.splits["train"]["train"] > 60
    assert sum(shard.split == "train" for shard in manifest.shards) > 2
    assert set(SETTINGS) <= {key for task in manifest.tasks.values() for key in task.settings}
    assert {task.part for task in manifest.tasks.values()} == {"boats", "rest.piers"}
    assert all({"1", "2"} <= set(task.exemplars) for task in manifest.tasks.values())
    assert len(list((serial / "cache" / "scans").glob("*/*"))) == 3 * (3 + 1)


@pytest.mark.parametrize("num_proc", [2, 3])
def test_process_count_changes_no_byte(serial, tmp_path, monkeypatch, num_proc):
    """Each process has a seed of Python's hashes of its own, and Polars has other numbers of threads in it."""
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(build_shard, "SHARD_PAIRS", 40)
    mixture(serial / "mine").build(tmp_path / "out", num_proc=num_proc)
    assert contents(tmp_path / "out") == contents(serial / "out")
    assert contents(tmp_path / "cache") == contents(serial / "cache")


# --- what another process is given ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(recipe_files()))
def test_the_local_form_of_a_mixture_makes_the_same_one(name):
    one = Mixture(recipe=name, paths=[Path(__file__).parent.parent])
    again = Mixture(**json.loads(json.dumps(local(one))))
    assert (again.portable(), again.paths, again.data_dir) == (one.portable(), one.paths, one.data_dir)
    parts = [{path: part.model_dump(exclude={"tasks"}) for path, part in m.homes.items()} for m in (one, again)]
    assert parts[0] == parts[1]


def test_the_local_form_keeps_what_belongs_to_this_machine(tmp_path):
    values: dict[str, Any] = {"exemplars": {"source": "prompts", "folder": str(tmp_path / "prompts")}}
    one = Mixture(tasks=["sst2"], data_dir=tmp_path, paths=[tasks(tmp_path)], **values)
    again = Mixture(**local(one))
    assert again == one
    assert str(tmp_path) not in json.dumps(one.portable())


def test_a_process_that_reads_another_mixture_is_refused(tmp_path):
    one = mixture(tasks(tmp_path))
    job = Job(one, identify(one, []), tmp_path / "out", tmp_path / "cache")
    assert opened(job.carried()).identity == job.identity
    file = tmp_path / "tasks" / "ferries" / "boats.py"
    file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    told = "a worker process reads another mixture than the build began with: task boats changed"
    with pytest.raises(BuildError, match=f"^{told}$"):
        opened(job.carried())


@pytest.mark.parametrize("num_proc", [0, -2])
def test_what_is_no_number_of_processes_is_refused(tmp_path, num_proc):
    with pytest.raises(BuildError, match=rf"^num_proc: {num_proc} is no number of processes; give 1 or more$"):
        Mixture(tasks=["sst2"], data="sample").build(tmp_path / "out", num_proc=num_proc)
    assert not (tmp_path / "out").exists()


def test_task_objects_are_refused_with_how_to_mend(tmp_path):
    one = Mixture(tasks=["sst2", verdicts(claims(9)), verdicts(claims(9), name="more")], data="sample")
    with pytest.raises(BuildError) as error:
        one.build(tmp_path / "out", num_proc=2)
    assert str(error.value) == (
        "num_proc: more, verdicts: a Task object lives in this process alone; leave num_proc at 1, or write "
        "it as a task file, tasks/<cluster>/<task>.py in a folder of `paths`"
    )
    assert not (tmp_path / "out").exists()


# --- errors -----------------------------------------------------------------------------------------------------------

WAITING = """
import os, signal, time
from pathlib import Path

import polars as pl
from instruction_kit import Files, Task, labels
from instruction_kit.schema import Classification

def waiting(frame):
    {code}
    return frame

task = Task(
    schema=Classification,
    source=Files({{"train": "{name}.train.jsonl"}}),
    columns={{"text": "text", "label": labels("label", ["no", "yes"])}},
    rows=waiting,
)
"""
NAMES = ("first", "second", "third")


def waiting(folder: Path, **codes: str) -> Mixture:
    """Three tasks; what the functions of some do to their rows."""
    for name in NAMES:
        path = task_file(folder, name, train="".join(f'{{"text": "{name} {n}", "label": 1}}\n' for n in range(30)))
        if name in codes:
            path.write_text(WAITING.format(name=name, code=codes[name]), encoding="utf-8")
    return Mixture(tasks=list(NAMES), paths=[folder], num_validation=3)


def test_an_error_in_a_process_is_told_as_in_one_and_the_first_in_order_wins(tmp_path):
    slow = "time.sleep(1); raise ValueError('what the first says')"
    one = waiting(tmp_path, first=slow, second="raise ValueError('what the second says')")
    told = []
    for num_proc in (1, 2):
        with pytest.raises(InstructionKitError) as error:
            one.build(tmp_path / "out", num_proc=num_proc)
        told.append((type(error.value), str(error.value)))
    assert told[0] == told[1]
    assert "first.py:10: rows= does not fit the source: ValueError: what the first says" in told[0][1]
    assert not (tmp_path / "out").exists()


class OddError(Exception):
    """Cannot be made from its arguments."""

    def __init__(self, one: str, *, other: str) -> None:
        super().__init__(f"{one} {other}")


def test_any_error_can_be_handed_on():
    missing = _handed(MissingExtraError("counting", extra="tune"))
    assert (type(missing), str(missing)) == (MissingExtraError, str(MissingExtraError("counting", extra="tune")))
    odd = _handed(OddError("it", other="broke"))
    assert (type(odd), str(odd)) == (RuntimeError, "OddError: it broke")
    assert _handed(KeyError("x")).__notes__[0].startswith("In a worker process:\n")


def test_a_process_that_is_killed_is_told_and_the_build_goes_on_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / "cache"))
    flag = tmp_path / "flag"
    flag.touch()
    one = waiting(tmp_path, third=f"Path({str(flag)!r}).exists() and os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(BuildError) as error:
        one.build(tmp_path / "out", num_proc=2)
    assert str(error.value) == (
        "a worker process was killed by SIGKILL while it did scan third train; if memory ran out, give a smaller "
        "num_proc; run the same build again, and it goes on where it stopped"
    )
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "scans").glob("*/*/accepted.parquet")}
    assert done
    flag.unlink()
    one.build(tmp_path / "out")
    assert all(path.stat().st_mtime_ns == when for path, when in done.items())
    monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / "other cache"))
    one.build(tmp_path / "whole")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


SCRIPT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored

from test_build_process import Path, waiting_for

with Path("runs").open("a") as file:
    file.write("once ")
waiting_for(Path()).build("out", num_proc=2)
"""
"""It asks for no `__main__`, so a process that ran it once more would begin builds without end."""


def waiting_for(folder: Path) -> Mixture:
    """One of the processes says who it is, and waits as long as a file is there."""
    code = f"Path({str(folder.absolute())!r}, 'reached').write_text(str(os.getpid()))\n"
    code += f"    while Path({str(folder.absolute())!r}, 'flag').exists(): time.sleep(0.02)"
    return waiting(folder, third=code)


def ends(pid: int) -> bool:
    """Whether a process is gone within a moment."""
    for _ in range(200):
        with suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.05)
                continue
        return True
    return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_build_that_is_stopped_leaves_no_process_and_goes_on_to_the_same_bytes(tmp_path, monkeypatch, how):
    monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "flag").touch()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])}
    with subprocess.Popen([sys.executable, "script.py"], cwd=tmp_path, stderr=-1, env=environment) as process:
        while not (tmp_path / "reached").exists() and process.poll() is None:
            time.sleep(0.02)
        time.sleep(0.1)
        process.send_signal(how)
        process.communicate()
    assert process.returncode == -how
    assert ends(int((tmp_path / "reached").read_text(encoding="utf-8")))
    assert (tmp_path / "runs").read_text(encoding="utf-8") == "once "
    (tmp_path / "flag").unlink()
    one = waiting_for(tmp_path)
    one.build(tmp_path / "out", num_proc=1 + (how == signal.SIGKILL))
    monkeypatch.setenv("INSTRUCTION_KIT_CACHE", str(tmp_path / "other cache"))
    one.build(tmp_path / "whole")
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
