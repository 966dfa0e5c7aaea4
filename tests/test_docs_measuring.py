"""docs/measuring.md: its commands run in their order, over samples and a model that is made on the spot."""

import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from command import command
from conftest import ROOT
from tiny_model import one_thread

from instruction_kit import Mixture
from instruction_kit.evaluation.compare import Compared, ComparedRun, ComparedSplit, Comparison
from instruction_kit.evaluation.evaluate import main
from instruction_kit.evaluation.files import read_report
from instruction_kit.training.toy import make_toy

PAGE = (ROOT / "docs" / "measuring.md").read_text(encoding="utf-8")
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
PLACES = ("OUT", "REPORT", "SEEN", "FEW", "BEFORE", "AFTER", "MMLU", "MMLU_REPORT", "BBH", "BBH_COT", "BBH_REPORT")
FEWER = ["--rows_per_task", "2", "--max_new_tokens", "4"]
"""What the test adds, so that it ends soon."""
PROMPTS = "\n\n".join(
    f"Q: {asked} is\nA: Let's think step by step.\nWe get {value}. So the answer is {value}."
    for asked, value in (("not True", False), ("True or False", True), ("not not True", True))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """What the page's names stand for."""
    made: Path = tmp_path_factory.mktemp("measuring")
    mixture = Mixture(tasks=["sst2", "copa"], hold_out=["copa"], data="sample", num_validation=2, num_held_out=2)
    mixture.build(made / "OUT")
    (made / "BIG-Bench-Hard" / "cot-prompts").mkdir(parents=True)
    (made / "BIG-Bench-Hard" / "cot-prompts" / "boolean_expressions.txt").write_text(PROMPTS, encoding="utf-8")
    texts = pl.read_parquet(made / "OUT" / "train" / "seen-*.parquet")["prompt"].to_list()
    for seed, name in enumerate(("MODEL", "TUNED")):
        make_toy(made / name, texts, vocab_size=600, hidden_size=16, num_layers=1, max_positions=8_192, seed=seed)
    return made


def words(line: str, folder: Path) -> list[str]:
    """The words of a command line, with what lies in the folder under its path."""
    found = shlex.split(line)
    names = {*PLACES, "MODEL", "TUNED", "BIG-Bench-Hard", "BBH_COT_REPORT", "compared.html"}
    return [str(folder / word) if word in names else word for word in found]


def run(line: str, folder: Path) -> None:
    said = words(line, folder)
    if said[0] == "python":
        with one_thread():
            precise = "--precision" in said
            kept = [word for word in said[2:] if word not in ("--precision", "0.05")] if precise else said[2:]
            assert main([*kept, *FEWER]) == 0, line
        return
    assert said[0] == "instruction-kit"
    sample = ["--set", "data=sample", "--set", "num_held_out=40"] if said[1] == "build" else []
    code, _, err = command(*said[1:], *sample)
    assert code == 0, f"{line}\n{err}"


def test_the_commands_of_the_page_run_in_their_order(folder):
    for line in LINES:
        run(line, folder)
    assert read_report(folder / "REPORT").models == ("model", "baseline")
    assert {kind.shots for kind in read_report(folder / "AFTER").split("held_out").kinds} == {"few_shot"}
    assert {kind.protocol for kind in read_report(folder / "BBH_REPORT").split("held_out").kinds} == {"generate"}
    assert {kind.protocol for kind in read_report(folder / "BBH_COT_REPORT").split("held_out").kinds} == {
        "chain_of_thought"
    }
    assert "BEFORE and AFTER" in (folder / "compared.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("record", [Comparison, ComparedRun, ComparedSplit, Compared])
def test_the_page_names_every_key_of_what_compare_prints(record):
    assert [name for name in record.model_fields if f"`{name}`" not in PAGE] == []
