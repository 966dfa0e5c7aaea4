"""`tokenize` writes what tuning takes, says what became of each task's pairs, and refuses in plain words."""

import sys

import chat_model
import pytest
from command import command, refused
from tiny_model import built, encoder, model

from instruction_kit.token.record import read_record
from instruction_kit.token.shard import Wanted, tokenise
from instruction_kit.token.weigh import Weighing


def test_the_shards_are_those_of_tuning_and_the_tables_say_what_was_written(tmp_path):
    options = ("--tokenizer", model(), "--max-length", "256", "--packing")
    code, out, err = command("tokenize", built(), tmp_path / "shards", *options)
    assert (code, err) == (0, "")
    record = tokenise(built(), tmp_path / "own", Wanted(256, packing=True), encoder=encoder())
    assert read_record(tmp_path / "shards") == record
    lines = [line.split() for line in out.splitlines()]
    for name, task in record.tasks.items():
        assert [name, *map(str, (task.pairs, task.prompt_tokens, task.loss_tokens, task.longest, 0))] in [
            [word.replace(",", "") for word in line] for line in lines
        ]
    mixing = record.mixing
    assert f"56 pairs, in {record.rows} packs, filled to {mixing.fill:.1%}\n" in out
    assert f"task entropy {mixing.task_entropy:.2f} bits a row, {mixing.task_entropy_of_all:.2f} over all\n" in out
    assert (
        f"ids by gigatoken {record.engine.version}, {record.engine.checked} texts checked against the tokenizer" in out
    )


def test_the_pairs_of_one_cluster_are_written_alone(tmp_path):
    options = ("--tokenizer", model(), "--max-length", "256", "--packing", "--cluster")
    code, out, _ = command("tokenize", built(), tmp_path / "shards", *options, "toy_math")
    assert code == 0
    assert "20 pairs, in " in out
    record = read_record(tmp_path / "shards")
    assert record is not None
    assert (record.task_names, record.identity.cluster) == (["add"], "toy_math")
    told = refused("tokenize", built(), tmp_path / "none", *options, "toy_maths")
    assert f"cluster toy_maths: {built()} trains on none; did you mean toy_math?" in told


def test_weights_and_layouts_are_options(tmp_path):
    options = ["--weigh", "pair", "--rationale-weight", "0.5", "--task-weight", "add=2", "--accept-dropped"]
    chat = ["--layout", "chat", "--system-message", "Be brief.", "--max-length", "512"]
    folder = tmp_path / "shards"
    tokenizer = chat_model.model("headers")
    code, out, _ = command("tokenize", chat_model.built(), folder, "--tokenizer", tokenizer, *options, *chat)
    assert code == 0
    assert "color: 2 pairs dropped, its text holds a token of the chat template\n" in out
    record = read_record(folder)
    assert record is not None
    assert record.identity.weighing == Weighing(per="pair", rationale=0.5, tasks={"add": 2.0})
    assert (record.identity.layout.kind, record.identity.layout.system_message) == ("chat", "Be brief.")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["--max-length", "40"],
            r"more than max_length 40 tokens would be dropped: .* or lose these pairs with `accept",
        ),
        (["--task-weight", "add"], "--task-weight add: write each once, as TASK=NUMBER, for example snli=0.5"),
        (["--task-weight", "add=-1"], "weights: tasks.add -1: Input should be greater than 0"),
        (["--task-weight", "ad=1"], "does not train on: ad: did you mean add?"),
        (
            ["--layout", "plain", "--system-message", "x"],
            "--system_message: a plain layout has none; take --layout chat",
        ),
        (["--chat-template-kwargs", "x"], "--chat_template_kwargs x: write it as JSON"),
    ],
)
def test_what_cannot_be_is_refused_in_plain_words(tmp_path, options, told):
    found = refused("tokenize", built(), tmp_path / "shards", "--tokenizer", model(), *options)
    assert all(part in found for part in told.split(" .* "))
    assert read_record(tmp_path / "shards") is None


def test_a_tokenizer_that_is_not_there_and_a_folder_that_is_no_mixture_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    found = refused("tokenize", built(), tmp_path / "shards", "--tokenizer", tmp_path / "empty")
    assert f"--tokenizer {tmp_path / 'empty'}: no tokenizer can be read from it (" in found
    assert "no manifest.json" in refused("tokenize", tmp_path, tmp_path / "shards", "--tokenizer", model())


def test_without_the_extra_the_error_names_the_install_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    found = refused("tokenize", built(), tmp_path / "shards", "--tokenizer", model())
    assert found == "tokenizing needs the extra `tune`: pip install 'instruction-kit[tune]'"
