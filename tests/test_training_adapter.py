"""LoRA: the base stays as it is, what is saved is what was trained, and what would not be trained is refused."""

import json
import shutil
from typing import Any, cast

import pytest
import torch
from peft import AutoPeftModelForCausalLM
from safetensors.torch import load_file
from test_evaluation_folder import copa, write_folder
from test_training_flag import settled
from test_training_model import source
from tiny_model import built, encoder, model, one_thread, tokenizer, tune
from transformers import AutoModelForCausalLM, GenerationConfig

from instruction_kit.errors import EvaluationError, TrainingError
from instruction_kit.evaluation.evaluate import evaluate
from instruction_kit.evaluation.model import load_model as load_measured
from instruction_kit.token.layout import read_layout
from instruction_kit.training import run as module
from instruction_kit.training.adapter import Adapter, adapter_of, put_on
from instruction_kit.training.model import load_model
from instruction_kit.training.request import Request
from instruction_kit.training.resume import RUN_FILE, read_run
from instruction_kit.training.trainer import KitTrainer

LORA = {"use_peft": True, "lora_r": 4, "lora_alpha": 16, "learning_rate": 1e-2, "lora_target_modules": "all-linear"}
PLAIN = {"lora_r": 4, "lora_alpha": 8, "lora_dropout": 0.0, "use_rslora": False, "use_dora": False,
         "load_in_4bit": False, "load_in_8bit": False}  # fmt: skip
IDS = torch.arange(3, 60)[None]
VARIANTS: dict[str, dict[str, object]] = {
    "as it comes": {"lora_target_modules": None},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "a parameter": {"lora_target_parameters": ["down_proj.weight"], "lora_dropout": 0.0, "lora_target_modules": None},
    "embeddings trained whole": {"lora_modules_to_save": ["embed_tokens"]},
    "output layer trained whole": {"lora_modules_to_save": ["lm_head"]},
}


def adapter(**settings: Any) -> Adapter:
    names = ("lora_target_modules", "lora_target_parameters", "lora_modules_to_save")
    return adapter_of({**dict.fromkeys(names), **PLAIN, **settings})


def logits(folder_or_model: Any, *, of: Any = AutoModelForCausalLM) -> torch.Tensor:
    loaded = folder_or_model if isinstance(folder_or_model, torch.nn.Module) else of.from_pretrained(folder_or_model)
    with one_thread(), torch.no_grad():
        found: torch.Tensor = loaded.eval()(input_ids=IDS).logits
    return found


def kept(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """Keep what the trained model itself says, before anything is saved."""
    before: list[torch.Tensor] = []
    save = module._save

    def keeps(request: Request, trainer: KitTrainer) -> None:
        before.append(logits(trainer.model))
        save(request, trainer)

    monkeypatch.setattr(module, "_save", keeps)
    return before


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # peft reads the old name
@pytest.mark.parametrize("how", VARIANTS)
@pytest.mark.parametrize("merge", [False, True])
def test_what_is_loaded_again_says_what_the_trained_model_said(tmp_path, monkeypatch, how, merge):
    trained = kept(monkeypatch)
    flags = {**LORA, **VARIANTS[how], "merge_adapter": merge, "save_strategy": "no"}
    folder = tune(tmp_path / "out", **flags)
    loaded = logits(folder) if merge else logits(folder, of=AutoPeftModelForCausalLM)
    torch.testing.assert_close(loaded, trained[0], rtol=0, atol=1e-5)
    assert (loaded - logits(model())).abs().max() > 1e-3
    measured = load_measured(str(folder), dtype="float32", device="cpu").model
    torch.testing.assert_close(logits(measured), trained[0], rtol=0, atol=1e-5)


def test_an_adapter_folder_holds_no_weights_of_the_base_and_a_merged_one_is_a_whole_model(tmp_path):
    shared = {"generation_config.json", "instruction_kit.json", RUN_FILE, "README.md", "tokenizer.json",
              "tokenizer_config.json", "tokens", "trainer_state.json"}  # fmt: skip
    folder = tune(tmp_path / "adapter", **LORA, save_strategy="no")
    assert {path.name for path in folder.iterdir()} == shared | {"adapter_config.json", "adapter_model.safetensors"}
    assert not [name for name in load_file(folder / "adapter_model.safetensors") if "lora_" not in name]
    merged = tune(tmp_path / "merged", **LORA, merge_adapter=True, save_strategy="no")
    assert {path.name for path in merged.iterdir()} == shared | {"config.json", "model.safetensors"}
    for one in (folder, merged):
        assert read_layout(one) == encoder().layout
        assert GenerationConfig.from_pretrained(one).eos_token_id == encoder().stop_id
    run = read_run(folder)
    assert run.adapter is not None
    assert (run.adapter.lora_r, run.adapter.lora_alpha) == (4, 16)
    assert run == read_run(merged)


def test_a_finished_adapter_that_is_merged_afterwards_leaves_a_whole_model_alone_and_the_other_way_round(tmp_path):
    flags = {**LORA, "max_steps": 1, "save_steps": 1}
    folder = tune(tmp_path / "out", **flags)
    before = logits(load_measured(str(folder), dtype="float32", device="cpu").model)
    tune(folder, **flags, merge_adapter=True, resume_from_checkpoint=True)
    assert not list(folder.glob("adapter_*"))
    torch.testing.assert_close(logits(folder), before, rtol=0, atol=1e-5)
    tune(folder, **flags, resume_from_checkpoint=True)
    assert not [name for name in ("config.json", "model.safetensors") if (folder / name).exists()]
    again = load_measured(str(folder), dtype="float32", device="cpu").model
    torch.testing.assert_close(logits(again), before, rtol=0, atol=1e-6)


def test_the_weights_of_the_base_are_neither_trained_nor_written(tmp_path, monkeypatch):
    before = (model() / "model.safetensors").read_bytes()
    trained: dict[str, bool] = {}
    save = module._save

    def looks(request: Request, trainer: KitTrainer) -> None:
        named = cast("torch.nn.Module", trainer.model).named_parameters()
        weights = {name.replace(".base_layer", ""): value for name, value in named}
        for name, weight in load_file(model() / "model.safetensors").items():
            trained[name] = not torch.equal(weights[f"base_model.model.{name}"], weight)
        save(request, trainer)

    monkeypatch.setattr(module, "_save", looks)
    tune(tmp_path / "out", **LORA, save_strategy="no")
    assert trained
    assert not any(trained.values())
    assert (model() / "model.safetensors").read_bytes() == before


def test_the_same_seed_gives_the_same_adapter_and_checkpointing_of_activations_changes_nothing(tmp_path):
    flags = {**LORA, "save_strategy": "no"}
    first, second = tune(tmp_path / "a", **flags), tune(tmp_path / "b", **flags)
    spared = tune(tmp_path / "c", **flags, gradient_checkpointing=True)
    other = tune(tmp_path / "d", **flags, seed=7)
    names = ["adapter_model.safetensors"] * 4
    a, b, c, d = (load_file(of / name) for of, name in zip((first, second, spared, other), names, strict=True))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert all(torch.allclose(a[name], c[name], rtol=1e-4, atol=1e-6) for name in a)
    assert any(not torch.equal(a[name], d[name]) for name in a)
    assert all(weight.abs().max() > 0 for name, weight in c.items())


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_adapter_dropout_included(tmp_path):
    flags = {**LORA, "max_steps": 4, "save_steps": 2, "lora_dropout": 0.1}
    whole = tune(tmp_path / "whole", **flags)
    checkpoint = whole / "checkpoint-2"
    assert {"adapter_model.safetensors", "instruction_kit.json", RUN_FILE} <= {
        path.name for path in checkpoint.iterdir()
    }
    again = tune(tmp_path / "again", **flags, resume_from_checkpoint=checkpoint)
    assert read_run(again) == read_run(whole)
    assert (again / "adapter_model.safetensors").read_bytes() == (whole / "adapter_model.safetensors").read_bytes()
    for changed, told in (({"lora_r": 8}, '"lora_r":8'), ({"use_peft": None}, "none here")):
        others = {name: value for name, value in flags.items() if changed != {"use_peft": None} or "lora" not in name}
        with pytest.raises(TrainingError, match=rf'adapter {{"lora_r":4.* there, .*{told}'):
            tune(tmp_path / "refused", **{**others, **changed}, resume_from_checkpoint=checkpoint)


def test_generation_ends_at_the_stop_token(tmp_path):
    flags = {**LORA, "lora_r": 16, "lora_modules_to_save": ["embed_tokens"], "max_steps": 60}
    folder = tune(tmp_path / "out", **flags, save_strategy="no")
    made = encoder()
    loaded: Any = load_measured(str(folder), dtype="float32", device="cpu").model
    ids = torch.tensor(made.prompts(["Item 3 is here\n\nWhich label fits this text best?\n"]))
    with one_thread():
        told = loaded.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False)[0]
    assert told[-1] == made.stop_id
    assert len(told) < ids.shape[1] + 40


def test_the_command_measures_an_adapter_beside_its_base(tmp_path):
    folder = write_folder(tmp_path / "built", {("train", "seen"): copa(4)})
    tuned = tune(tmp_path / "tuned", **LORA, save_strategy="no")
    report = evaluate(folder, model_name_or_path=tuned, baseline=model(), output_dir=tmp_path / "report", split="seen")
    assert report.models == ("model", "baseline")


def test_an_adapter_whose_base_is_gone_or_another_one_is_refused(tmp_path):
    base = tmp_path / "base"
    shutil.copytree(model(), base)
    tuned = tune(tmp_path / "tuned", **LORA, model_name_or_path=base, save_strategy="no")
    shutil.rmtree(base)
    with pytest.raises(EvaluationError, match=rf"it is an adapter over {base}, and no model can be loaded from there"):
        load_measured(str(tuned), dtype="float32", device="cpu")
    told = json.loads((tuned / "adapter_config.json").read_text(encoding="utf-8"))
    other = str(model(vocab_size=300))
    (tuned / "adapter_config.json").write_text(
        json.dumps({**told, "base_model_name_or_path": other, "r": 8}), encoding="utf-8"
    )
    with pytest.raises(EvaluationError, match=rf"its adapter does not fit its base model {other} .*; tune it again"):
        load_measured(str(tuned), dtype="float32", device="cpu")


def test_an_adapter_that_lacks_weights_is_refused(tmp_path):
    from safetensors.torch import save_file

    tuned = tune(tmp_path / "tuned", **LORA, save_strategy="no")
    path = tuned / "adapter_model.safetensors"
    save_file({name: weight for name, weight in load_file(path).items() if "q_proj" not in name}, path)
    with pytest.raises(EvaluationError, match=r"its adapter does not fit .*Found missing adapter keys"):
        load_measured(str(tuned), dtype="float32", device="cpu")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"lora_target_modules": ["lm_head"]},
            r"they take in lm_head, .* train it whole: --lora_modules_to_save lm_head",
        ),
        (
            {"lora_target_modules": ["embed_tokens"]},
            r"they take in model\.embed_tokens, an embedding or the output layer",
        ),
        (
            {"lora_target_modules": ["q_proj", "k_pro"]},
            r"--lora_target_modules k_pro: no part of .*did you mean k_proj",
        ),
        ({"lora_modules_to_save": ["lm_hed"]}, r"--lora_modules_to_save lm_hed: no part of .*did you mean lm_head\?"),
        (
            {"lora_target_parameters": ["down_proj"]},
            r"--lora_target_parameters down_proj: no part of the model is called",
        ),
        (
            {"lora_target_modules": [".*x_proj"]},
            r"does not fit the model: Target modules \.\*x_proj not found .*q_proj",
        ),
        ({"lora_target_modules": ["norm"]}, r"does not fit the model: Target module LlamaRMSNorm.* is not supported"),
    ],
)
def test_what_lora_cannot_train_here_is_refused_by_name(settings, told):
    with pytest.raises(TrainingError, match=told):
        put_on(load_model(source(model())), adapter(**settings), revision=None)


@pytest.mark.parametrize(
    ("targets", "modules"),
    [(["q_proj"], 1), (["q_proj", "v_proj"], 2), (["self_attn.q_proj"], 1), ([".*(q|v)_proj"], 2), (["all-linear"], 7)],
)
def test_targets_are_ends_of_names_an_expression_or_every_linear_layer(targets, modules):
    adapted = put_on(load_model(source(model())), adapter(lora_target_modules=targets), revision=None)
    names = {name.partition(".lora_")[0] for name, weight in adapted.named_parameters() if weight.requires_grad}
    assert len(names) == modules
    settings: Any = adapted.peft_config["default"]
    named = settings.target_modules
    assert isinstance(named, list | str), "PEFT writes a set in another order each time"
    assert named == targets[0] or list(named) == sorted(named)


def test_a_token_without_an_embedding_is_refused_and_one_with_a_fresh_one_is_learnt_where_embeddings_are(tmp_path):
    """Nothing is resized in silence; an adapter alone would leave a new token as it was drawn."""
    folder = tmp_path / "model"
    shutil.copytree(model(), folder)
    grown = tokenizer()
    grown.add_special_tokens({"eos_token": "<|new|>"})
    grown.save_pretrained(folder)
    flags = {**LORA, "model_name_or_path": folder, "save_strategy": "no", "merge_adapter": True}
    with pytest.raises(
        TrainingError, match=rf"and its tokenizer gives the id {len(grown) - 1}; .* resize the model and"
    ):
        tune(tmp_path / "refused", **flags)
    resized = AutoModelForCausalLM.from_pretrained(folder)
    resized.resize_token_embeddings(len(grown), mean_resizing=False)
    resized.save_pretrained(folder)
    rows = []
    for name, saved in (("frozen", None), ("trained", ["embed_tokens"])):
        tuned = tune(tmp_path / name, **flags, lora_modules_to_save=saved)
        rows.append(load_file(tuned / "model.safetensors")["model.embed_tokens.weight"][-1])
    before = load_file(folder / "model.safetensors")["model.embed_tokens.weight"][-1]
    assert [torch.equal(row, before) for row in rows] == [True, False]


def test_both_of_two_tied_embeddings_are_trained_as_one():
    adapted = put_on(load_model(source(model())), adapter(lora_modules_to_save=["lm_head"]), revision="abc")
    settings: Any = adapted.peft_config["default"]
    assert (settings.ensure_weight_tying, settings.revision) == (True, "abc")
    base: Any = adapted.get_base_model()
    assert base.get_input_embeddings().weight.data_ptr() == base.get_output_embeddings().weight.data_ptr()


def test_flags_of_an_adapter_are_read_where_there_is_one_and_refused_where_there_is_none():
    told = settled(use_peft=True, merge_adapter=True, lora_r=2, lora_modules_to_save=["a", "b"], use_dora=True)
    assert told.merge_adapter
    assert told.adapter == adapter(
        lora_r=2, lora_alpha=32, lora_dropout=0.05, lora_modules_to_save=["a", "b"], use_dora=True
    )
    assert settled(use_dora=False, merge_adapter=False).adapter is None
    with pytest.raises(TrainingError) as caught:
        settled(lora_r=2, use_rslora=True, merge_adapter=True)
    assert str(caught.value).splitlines() == [
        "--lora_r: nothing reads it without --use_peft true",
        "--merge_adapter: nothing reads it without --use_peft true",
        "--use_rslora: nothing reads it without --use_peft true",
    ]
    with pytest.raises(TrainingError) as caught:
        settled(use_peft=True, lora_r=0, lora_alpha=-1, lora_dropout=1)
    assert str(caught.value).splitlines() == [
        "--lora_r 0: it must be above 0",
        "--lora_alpha -1: it must be above 0",
        "--lora_dropout 1.0: it must be 0 or more, and below 1",
    ]


def test_an_adapter_that_cannot_be_merged_says_where_it_is(tmp_path, monkeypatch):
    from peft.tuners.lora import Linear

    monkeypatch.setattr(Linear, "get_delta_weight", lambda self, _: self.weight * float("nan"))
    with pytest.raises(TrainingError, match=r"the adapter cannot be merged \(NaNs detected .*without --merge_adapter"):
        tune(tmp_path / "out", **LORA, merge_adapter=True, save_strategy="no")
    assert not (tmp_path / "out" / "model.safetensors").exists()
    assert built().is_dir()
