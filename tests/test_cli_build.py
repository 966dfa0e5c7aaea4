"""`build` and the command as a whole: exit codes, where output goes, and what ends a run halfway."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import INSTALLED, command, refused
from small_task import contents, lines, task_file

from instruction_kit.build.manifest import read_manifest
from instruction_kit.command import READER_GONE

MIXTURE = "tasks: [snli, sst2]\nhold_out: [snli]\ndata: sample\n"
TOLD = """\
train: train 22, validation N, seen N
held_out: snli__test N, snli__validation N
read 69, skipped 2, rejected 6, removed 0 rows
every rejected row stands with its reasons in {}/rejected
"""
SLOW = """
import time
from pathlib import Path

def slow(frame):
    Path("{reached}").touch()
    time.sleep(60 if Path("{wait}").exists() else 0)
    return frame
"""


@pytest.fixture
def mixture(tmp_path):
    path = tmp_path / "mixture.yaml"
    path.write_text(MIXTURE)
    return path


def installed(*arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([INSTALLED, *arguments], text=True, check=False, **{"capture_output": True, **options})


def test_what_was_built_is_told_on_standard_output_alone(mixture, tmp_path):
    code, out, err = command("build", mixture, tmp_path / "built")
    measured = re.compile(r"(validation|seen|snli__test|snli__validation) \d+")  # as many as there are phrasings
    assert (code, measured.sub(r"\1 N", out)) == (0, TOLD.format(tmp_path / "built"))
    assert [line.split()[0] for line in err.splitlines() if line.strip()] == ["scan", "render", "shard"]
    assert read_manifest(tmp_path / "built").splits["train"]["train"] == 22


def test_a_folder_that_is_built_already_stays_as_it_is(mixture, tmp_path):
    first = command("build", mixture, tmp_path / "built").out
    before = contents(tmp_path / "built")
    assert command("build", mixture, tmp_path / "built").out == first
    assert contents(tmp_path / "built") == before


def test_a_mixture_that_loses_nothing_speaks_of_no_rejections(tmp_path):
    task_file(tmp_path, "notes", train=lines(6))
    (tmp_path / "mixture.yaml").write_text("tasks: [notes]\npaths: [.]\n")
    out = command("build", tmp_path / "mixture.yaml", tmp_path / "built").out
    assert out.endswith("read 6, skipped 0, rejected 0, removed 0 rows\n")


def test_a_place_that_cannot_be_built_into_is_refused(mixture, tmp_path):
    (tmp_path / "file").touch()
    other = "holds other files; name an empty folder or a new one"
    assert refused("build", mixture, tmp_path / "file") == f"{tmp_path / 'file'}: is a file; name a folder"
    assert refused("build", mixture, tmp_path) == f"{tmp_path}: {other}"
    told = f"{tmp_path / 'file/built'}: cannot be written: Not a directory; name another folder"
    assert refused("build", mixture, tmp_path / "file/built") == told


def test_a_folder_with_another_mixture_is_refused_with_what_differs(mixture, tmp_path):
    command("build", mixture, tmp_path / "built")
    mixture.write_text(f"{MIXTURE}seed: 1\n")
    told = "holds another mixture: seed was 0, now 1; build into a new folder, or remove this one"
    assert refused("build", mixture, tmp_path / "built") == f"{tmp_path / 'built'}: {told}"


# --- the command itself -----------------------------------------------------------------------------------------------


def test_without_a_command_the_help_lists_them():
    done = installed()
    assert done.returncode == 2
    assert {"check", "preview", "plan", "build"} <= {line.split()[0] for line in done.stderr.splitlines() if line}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chek"], "No such command 'chek'. Did you mean 'check'?"),
        (["preview"], "Missing argument 'TASK'"),
        (["build", "mixture.yaml"], "Missing argument 'OUT'"),
        (["plan", "mixture.yaml", "--datadir", "x"], "No such option: --datadir"),
    ],
)
def test_a_command_line_that_is_wrong_is_told_with_exit_2(arguments, words):
    done = installed(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_an_error_is_one_message_and_no_traceback(tmp_path):
    done = installed("plan", tmp_path / "no.yaml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {tmp_path / 'no.yaml'}: no such file\n"


def test_a_reader_that_stops_reading_ends_the_command_quietly():
    with subprocess.Popen([INSTALLED, "preview", "sst2", "--rows", "20"], stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == "sst2: sample, split train, Classification, cluster sentiment\n"
    assert process.returncode == READER_GONE


@pytest.mark.parametrize("arguments", [["list", "tasks"], ["list", "tasks", "--json"]])
def test_a_reader_that_is_gone_before_the_first_line_is_no_error(arguments):
    read, written = os.pipe()
    os.close(read)
    done = installed(*arguments, capture_output=False, stdout=written, stderr=subprocess.PIPE)
    os.close(written)
    assert (done.returncode, done.stderr) == (READER_GONE, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_that_is_full_is_told_in_a_line():
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = installed("preview", "sst2", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert done.stderr.endswith("error: No space left on device\n")
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_a_build_in_a_line_and_the_next_goes_on(tmp_path):
    reached, wait = tmp_path / "reached", tmp_path / "wait"
    path = task_file(tmp_path, "notes", train=lines(9))
    text = path.read_text().replace('    license="mit"', '    rows=slow,\n    license="mit"')
    path.write_text(SLOW.format(reached=reached, wait=wait) + text)
    (tmp_path / "mixture.yaml").write_text("tasks: [notes]\npaths: [.]\n")
    wait.touch()
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell may have it ignored
    code += "from instruction_kit.cli import main; main()"
    line = [sys.executable, "-c", code, "build", tmp_path / "mixture.yaml", tmp_path / "built"]
    with subprocess.Popen(line, stdout=-1, stderr=-1, text=True) as process:
        while not reached.exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err.endswith("stopped; the same command goes on from there\n")
    assert "Traceback" not in err
    wait.unlink()
    assert command("build", tmp_path / "mixture.yaml", tmp_path / "built").code == 0
