"""The commands of docs/tuning.md: every flag exists, and those about packing and token shards run as they stand."""

import re
import shlex
from pathlib import Path

import pytest
from command import command
from conftest import ROOT
from test_training_two_sided import t5
from tiny_model import built, model, one_thread

from instruction_kit.training.finetune import main
from instruction_kit.training.flag import parse

PAGE = (ROOT / "docs" / "tuning.md").read_text(encoding="utf-8")
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
FINETUNE = [line for line in LINES if line.startswith("python scripts/finetune.py ")]


def section(title: str) -> list[str]:
    """The command lines of one section."""
    text = PAGE.partition(f"### {title}\n")[2].partition("\n### ")[0]
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def words(line: str, folder: Path) -> list[str]:
    """The words of a command line with folders of this machine for those of the page."""
    there = {"OUT": built(), "MODEL": model(), "TUNED": folder / "tuned", "SHARDS": folder / "shards"}
    return [str(there.get(word, word)) for word in shlex.split(line)]


@pytest.mark.parametrize("line", FINETUNE)
def test_every_flag_of_the_page_is_one_that_can_be_given(line):
    parse(shlex.split(line)[2:])


@pytest.mark.parametrize("title", ["Packing", "Token shards"])
def test_the_commands_about_packing_run_as_they_stand(tmp_path, title):
    lines = section(title)
    assert lines
    for line in lines:
        if line.startswith("instruction-kit "):
            assert command(*words(line, tmp_path)[1:]).code == 0
        else:
            with one_thread():
                assert main([*words(line, tmp_path)[2:], "--max_steps", "1", "--save_strategy", "no"]) == 0
    assert (tmp_path / "tuned" / "model.safetensors").is_file()


def test_the_command_about_an_adapter_for_each_cluster_runs_as_it_stands(tmp_path):
    [line] = section("One adapter for each cluster")
    with one_thread():
        assert main([*words(line, tmp_path)[2:], "--max_steps", "1", "--save_strategy", "no"]) == 0
    assert (tmp_path / "tuned" / "toy_math" / "adapter_model.safetensors").is_file()


def test_the_command_about_encoder_decoders_runs_as_it_stands(tmp_path):
    [line] = section("Encoder-decoders")
    of_t5 = [str(t5()) if word == "T5" else word for word in words(line, tmp_path)[2:]]
    with one_thread():
        assert main([*of_t5, "--max_steps", "1", "--save_strategy", "no"]) == 0
    assert (tmp_path / "tuned" / "model.safetensors").is_file()
