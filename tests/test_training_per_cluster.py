"""One adapter for each cluster: each is the one of a run over its cluster alone, and the base stays as it is."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from test_training_adapter import LORA, logits
from test_training_flag import settled
from test_training_model import source
from tiny_model import built, encoder, model, pairs_in, tasks, tune, watched_built
from transformers import AutoModelForCausalLM

from instruction_kit import Mixture
from instruction_kit.errors import EvaluationError, TokenError, TrainingError
from instruction_kit.evaluation.model import load_model as load_measured
from instruction_kit.token.record import read_record
from instruction_kit.token.shard import Wanted, tokenise
from instruction_kit.training import start
from instruction_kit.training.cluster_table import AdapterTable
from instruction_kit.training.model import load_model
from instruction_kit.training.resume import ADAPTERS_FILE, RUN_FILE, read_run
from instruction_kit.training.trainer import KitTrainer

FLAGS = {**LORA, "max_steps": 3, "save_steps": 2, "logging_steps": 1, "lora_dropout": 0.1, "packing": True,
         "per_device_train_batch_size": 1}  # fmt: skip
APART = {**FLAGS, "adapter_per": "cluster"}
CLUSTERS = ["toy", "toy_math"]
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder: Path = tune(tmp_path_factory.mktemp("clusters") / "out", **APART)
    return folder


def built_of(cluster: str, folder: Path) -> Path:
    """Build the mixture without the other cluster."""
    own = [task for task in tasks() if task.cluster == cluster]
    Mixture(tasks=own, num_validation=0, option_styles=["dash"], option_order="source").build(folder)
    return folder


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_each_adapter_is_bit_by_bit_that_of_a_run_over_its_cluster_alone(tmp_path, whole, cluster):
    alone = tune(tmp_path / "alone", dataset_name=built_of(cluster, tmp_path / "built"), **FLAGS)
    assert (whole / cluster / WEIGHTS).read_bytes() == (alone / WEIGHTS).read_bytes()
    assert any(weight.abs().max() > 0 for name, weight in load_file(alone / WEIGHTS).items() if "lora_B" in name)


def test_packs_hold_pairs_of_one_cluster_and_together_all_pairs(whole):
    pairs = {cluster: pairs_in(whole / cluster / "tokens") for cluster in CLUSTERS}
    assert [{pair["m_task"] for pair in pairs[cluster]} for cluster in CLUSTERS] == [{"color"}, {"add"}]
    frame = pl.read_parquet(built() / "train" / "train-*.parquet")
    for cluster in CLUSTERS:
        assert all(frame["task"][pair["m_position"]] == pair["m_task"] for pair in pairs[cluster])
    assert sorted(pair["m_position"] for of in pairs.values() for pair in of) == list(range(frame.height))


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # peft reads the old name
@pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings:UserWarning")  # so it was tuned
def test_peft_reads_one_folder_or_several_as_named_adapters(whole):
    base = AutoModelForCausalLM.from_pretrained(model())
    adapted = PeftModel.from_pretrained(base, whole / "toy", adapter_name="toy")
    adapted.load_adapter(whole / "toy_math", adapter_name="toy_math")
    for cluster in CLUSTERS:
        adapted.set_adapter(cluster)
        measured = load_measured(str(whole / cluster), dtype="float32", device="cpu").model
        torch.testing.assert_close(logits(adapted), logits(measured), rtol=0, atol=1e-6)
    with adapted.disable_adapter():
        assert torch.equal(logits(adapted), logits(model()))


UNUSUAL: list[dict[str, Any]] = [
    {"lora_modules_to_save": ["embed_tokens"], "use_dora": True},
    {"lora_target_parameters": ["down_proj.weight"], "lora_dropout": 0.0, "lora_target_modules": None},
]


@pytest.mark.parametrize("flags", UNUSUAL, ids=["embeddings and dora", "a parameter"])
def test_the_base_is_loaded_once_and_is_bit_by_bit_what_it_was(tmp_path, monkeypatch, flags):
    loaded: list[Any] = []

    def loads(source: Any) -> Any:
        loaded.append(load_model(source))
        return loaded[-1]

    monkeypatch.setattr(start, "load_model", loads)
    before = load_model(source(model())).state_dict()
    tune(tmp_path / "out", **{**APART, **flags}, gradient_checkpointing=True, save_strategy="no")
    [base] = loaded
    after = base.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert not [name for name in vars(base) if name in ("forward", "peft_config")]
    assert torch.equal(logits(base), logits(model()))


def test_the_table_tells_each_cluster_s_figures_and_its_card_names_its_tasks_alone(whole):
    table = AdapterTable.model_validate_json((whole / ADAPTERS_FILE).read_text(encoding="utf-8"))
    assert list(table.adapters) == CLUSTERS
    for cluster, task in zip(CLUSTERS, ("color", "add"), strict=True):
        record, entry = read_record(whole / cluster / "tokens"), table.adapters[cluster]
        assert record is not None
        assert (entry.tasks, entry.rows, entry.pairs) == ([task], record.rows, record.tasks[task].pairs)
        assert entry.loss_tokens == record.tasks[task].loss_tokens
        assert (entry.steps, entry.num_tokens) == (3, read_run(whole / cluster).num_tokens)
        state = json.loads((whole / cluster / "trainer_state.json").read_text(encoding="utf-8"))
        losses = [line["loss"] for line in state["log_history"] if "loss" in line]
        assert entry.first_loss == pytest.approx(losses[0], abs=1e-4)
        assert entry.last_loss == pytest.approx(losses[-1], abs=1e-4)
        card = (whole / cluster / "README.md").read_text(encoding="utf-8")
        assert f"| {task} | {cluster} |" in card
        assert f"every task of another cluster than {cluster}" in card
        assert ("- cc0-1.0: " + task) in card
    page = (whole / "README.md").read_text(encoding="utf-8")
    assert f"| [toy](toy) | color | {table.adapters['toy'].pairs} |" in page
    assert 'model.load_adapter("THIS_FOLDER/toy_math", adapter_name="toy_math")' in page
    for path in (whole / "README.md", whole / ADAPTERS_FILE):
        assert str(model()) not in path.read_text(encoding="utf-8")
    assert table.base == model().name


def contents(folder: Path) -> dict[str, bytes]:
    names = (WEIGHTS, RUN_FILE, "README.md", ADAPTERS_FILE, "tokens.json", "adapter_config.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.name in names}


def test_a_run_that_was_killed_goes_on_with_the_cluster_that_was_not_finished(tmp_path, monkeypatch, whole):
    step, taken = KitTrainer.training_step, []

    def dies(self, *arguments, **keywords):
        taken.append((Path(self.args.output_dir).name, self.state.global_step))
        if taken[-1] == ("toy_math", 2) and len(taken) == 6:
            raise KeyboardInterrupt
        return step(self, *arguments, **keywords)

    monkeypatch.setattr(KitTrainer, "training_step", dies)
    with pytest.raises(KeyboardInterrupt):
        tune(tmp_path / "out", **APART)
    assert not (tmp_path / "out" / ADAPTERS_FILE).exists()
    with pytest.raises(
        TrainingError, match="out/toy: it holds a run already; go on with --resume_from_checkpoint true"
    ):
        tune(tmp_path / "out", **APART)
    tune(tmp_path / "out", **APART, resume_from_checkpoint=True)
    assert taken[6:] == [("toy_math", 2)]
    assert contents(tmp_path / "out") == contents(whole)
    tune(tmp_path / "out", **APART, resume_from_checkpoint=True)
    assert len(taken) == 7
    assert contents(tmp_path / "out") == contents(whole)


def test_a_finished_cluster_without_checkpoints_is_passed_over_and_never_begun_anew(tmp_path):
    flags = {**APART, "save_strategy": "no", "max_steps": 1}
    folder = tune(tmp_path / "out", **flags)
    before = contents(folder)
    for path in sorted((folder / "toy_math").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    tune(folder, **flags, resume_from_checkpoint=True)
    assert contents(folder) == before
    with pytest.raises(TrainingError, match="toy: it holds a finished run without a checkpoint; give another"):
        tune(folder, **{**flags, "max_steps": 2}, resume_from_checkpoint=True)
    with pytest.raises(TrainingError, match="out: it holds a run already"):
        tune(folder, **flags)
    with pytest.raises(TrainingError, match="no cluster has a whole checkpoint to go on from; leave out --resume"):
        tune(tmp_path / "empty", **flags, resume_from_checkpoint=True)


def test_a_cluster_of_which_nothing_stays_has_no_adapter_and_is_told_and_counted(tmp_path, caplog):
    """The shortest colour has 34 tokens; ten of the sums have fewer."""
    flags = {**APART, "max_steps": 1, "save_strategy": "no", "max_length": 33, "packing": False}
    flags["per_device_train_batch_size"] = 16
    reason = (
        "every pair of the cluster toy is longer than max_length 33, the longest has 105 tokens; raise `max_length`"
    )
    with pytest.raises(TokenError, match=reason):
        tune(tmp_path / "out", **flags)
    folder = tune(tmp_path / "out", **flags, accept_dropped=True)
    table = AdapterTable.model_validate_json((folder / ADAPTERS_FILE).read_text(encoding="utf-8"))
    assert table.left_out == {"toy": reason}
    assert list(table.adapters) == ["toy_math"]
    entry = table.adapters["toy_math"]
    assert (entry.rows, entry.rows_per_step, entry.fills_a_step) == (10, 16, False)
    assert f"cluster toy gets no adapter: {reason}" in caplog.text
    told = f"cluster toy_math: 10 rows with {entry.loss_tokens} loss tokens, where a step takes 16 rows: each of its"
    assert told in caplog.text
    page = (folder / "README.md").read_text(encoding="utf-8")
    assert f"toy has no adapter: {reason}." in page
    assert "A step takes 16 rows, and toy_math has 10: each saw them all." in page
    assert not (folder / "toy" / WEIGHTS).exists()


def test_what_is_measured_meanwhile_is_the_cluster_s_own_and_the_held_out_tasks(tmp_path):
    flags = {**APART, "eval_strategy": "steps", "eval_steps": 3, "dataset_name": watched_built(), "save_strategy": "no"}
    folder = tune(tmp_path / "out", **flags, task_weight=["add=0.5"])
    table = AdapterTable.model_validate_json((folder / ADAPTERS_FILE).read_text(encoding="utf-8"))
    for cluster, task in zip(CLUSTERS, ("color", "add"), strict=True):
        history = json.loads((folder / cluster / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
        [told] = [line for line in history if "eval_loss" in line]
        assert {name for name in told if name.startswith("eval_loss_task/")} == {f"eval_loss_task/{task}"}
        assert "eval_held_out" in told
        assert table.adapters[cluster].validation_loss == told["eval_loss"]
        assert set(read_run(folder / cluster).identity.weighing.tasks) == ({"add"} if task == "add" else set())


def test_shards_that_were_written_before_are_taken_from_a_folder_for_each_cluster(tmp_path, whole):
    for cluster in CLUSTERS:
        tokenise(built(), tmp_path / "shards" / cluster, Wanted(512, packing=True, cluster=cluster), encoder=encoder())
    folder = tune(tmp_path / "out", **APART, tokens=tmp_path / "shards")
    assert [(folder / c / WEIGHTS).read_bytes() for c in CLUSTERS] == [
        (whole / c / WEIGHTS).read_bytes() for c in CLUSTERS
    ]
    tokenise(built(), tmp_path / "shards" / "toy", Wanted(512, packing=True, cluster="toy_math"), encoder=encoder())
    with pytest.raises(TokenError, match="cluster toy_math there, toy here"):
        tune(tmp_path / "other", **APART, tokens=tmp_path / "shards")


def test_what_does_not_go_with_it_is_refused_with_how_to_mend_it():
    with pytest.raises(TrainingError, match=r"^--adapter_per: .* tuned whole has no adapter; add --use_peft true$"):
        settled(adapter_per="cluster")
    with pytest.raises(TrainingError) as caught:
        settled(use_peft=True, adapter_per="task", merge_adapter=True, resume_from_checkpoint="out/checkpoint-1")
    assert str(caught.value).splitlines() == [
        "--adapter_per task: there are: cluster",
        "--merge_adapter: each adapter would become a whole model; leave it out, and merge one of them afterwards",
        "--resume_from_checkpoint out/checkpoint-1: each cluster has checkpoints of its own; true goes on with all",
    ]
    assert settled(use_peft=True, adapter_per="cluster", resume_from_checkpoint="false").resume is None


def test_a_divided_base_is_refused(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.setenv("FSDP_VERSION", "2")
    with pytest.raises(
        TrainingError, match=r"^--adapter_per: the model is divided over processes, .* one cluster at a"
    ):
        settled(use_peft=True, adapter_per="cluster")


def test_the_folder_of_all_adapters_is_no_model_and_measuring_it_names_them(whole):
    with pytest.raises(EvaluationError, match=r"there are toy, toy_math in it: give one of them"):
        load_measured(str(whole), dtype="float32", device="cpu")
