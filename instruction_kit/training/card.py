"""The model card of a tuned model: what the hub reads at the top, then what a person wants to know.

In: what the model was tuned on, from the mixture's manifest and the record of its tokens, and how. Out: the text of
README.md. It says nothing that is not known: no licence is claimed for the model, no figure that was not measured, and
of a base model on this machine only its name, since a path would say nothing elsewhere.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import yaml
from huggingface_hub import ModelCardData
from trl.trainer.sft_config import SFTConfig

from instruction_kit import __version__
from instruction_kit.build.manifest import Manifest, parts
from instruction_kit.token.record import TokenRecord
from instruction_kit.token.weigh import Weighing
from instruction_kit.training.held_out import HELD_OUT
from instruction_kit.training.request import ModelSource
from instruction_kit.training.resume import RunRecord

TOLD = (
    "learning_rate", "lr_scheduler_type", "warmup_steps", "optim", "weight_decay", "max_grad_norm", "loss_type",
    "neftune_noise_alpha", "per_device_train_batch_size", "gradient_accumulation_steps", "num_train_epochs",
    "max_steps", "max_length", "packing", "bf16", "fp16", "activation_checkpointing", "seed",
)  # fmt: skip
"""Fields of SFTConfig that a reader needs to tune the same again."""

LAYOUTS = {
    "chat": "chat, as the tokenizer's chat template writes it",
    "encoder_decoder": "the prompt for the encoder, the output for the decoder",
    "plain": "plain",
}


@dataclass(frozen=True)
class Tuning:
    """All that a card tells, but for how far the run came."""

    manifest: Manifest
    record: TokenRecord
    base: ModelSource
    config: SFTConfig
    merged: bool
    """Whether the adapter, where there is one, is part of the weights."""

    @property
    def chosen_by(self) -> str:
        """The figure by which a checkpoint is chosen, as evaluations name it, without `eval_`."""
        return str(self.config.metric_for_best_model).removeprefix("eval_")

    @property
    def clusters(self) -> dict[str, str]:
        """Task -> cluster."""
        return {name: task.cluster for name, task in self.manifest.tasks.items()}


def model_card(tuning: Tuning, run: RunRecord) -> str:
    """Write the card of a model that is as far as `run` says."""
    return f"---\n{_metadata(tuning, run).to_yaml()}\n---\n\n" + "\n".join(_body(tuning, run)) + "\n"


def _metadata(tuning: Tuning, run: RunRecord) -> ModelCardData:
    trained = [tuning.manifest.tasks[name] for name in tuning.record.task_names]
    languages = {code for task in trained for code in task.languages if re.fullmatch("[a-z]{2,3}", code)}
    adapter, two_sided = run.adapter is not None, run.identity.layout.kind == "encoder_decoder"
    own = [] if two_sided else ["trl", "sft"]
    return ModelCardData(
        base_model=None if _is_here(tuning.base) else tuning.base.name,
        language=sorted(languages) or None,
        library_name="peft" if adapter and not tuning.merged else "transformers",
        pipeline_tag="text2text-generation" if two_sided else "text-generation",
        tags=["instruction-kit", "instruction-tuning", *own, *(["lora"] if adapter else [])],
    )


def _body(tuning: Tuning, run: RunRecord) -> Iterator[str]:
    yield from ("# Instruction-tuned model", "", _first_sentence(tuning, run), "")
    yield from ("## Tuned on", "", *_tuned_on(tuning), "")
    yield from ("## Held out", "", *_held_out(tuning), "")
    yield from ("## Licences of the data", "", *_licences(tuning), "")
    yield from ("## How it was tuned", "", *_settings(tuning, run), "")
    yield from ("## Measure it again", "", *_again(tuning))


def _first_sentence(tuning: Tuning, run: RunRecord) -> str:
    what = "A LoRA adapter over" if run.adapter and not tuning.merged else "Tuned from"
    revision = "" if _is_here(tuning.base) else f" (revision `{tuning.base.revision}`)"
    how = " with a LoRA adapter that was merged in" if run.adapter and tuning.merged else ""
    return (
        f"{what} `{base_name(tuning.base)}`{revision}{how}, by Instruction Kit {__version__}, with the loss on the "
        f"outputs alone. It saw {run.num_tokens:,} tokens in {run.step:,} steps of {run.rows_per_step:,} rows."
        f"{_chosen(tuning, run)}"
    )


def _chosen(tuning: Tuning, run: RunRecord) -> str:
    if run.chosen_step is None:
        return ""
    told = f" Here is the checkpoint of step {run.chosen_step:,} of {run.step:,}, chosen by {tuning.chosen_by}"
    return (
        f"{told}: rows of tasks that were held out from tuning, but not from this choice."
        if tuning.chosen_by.startswith(HELD_OUT)
        else f"{told}."
    )


def _tuned_on(tuning: Tuning) -> Iterator[str]:
    manifest, tasks = tuning.manifest, tuning.record.tasks
    clusters = {manifest.tasks[name].cluster for name in tasks}
    yield (
        f"{tuning.record.pairs:,} pairs of {len(tasks)} tasks in {len(clusters)} clusters, from the mixture "
        f"`{manifest.fingerprint[:16]}`. One pair is one row under one phrasing. {_drawn(manifest)}"
    )
    yield from ("", "| task | cluster | share | pairs | tokens of prompts | tokens with loss | dropped |")
    yield "|---|---|---:|---:|---:|---:|---:|"
    for name, task in sorted(tasks.items(), key=lambda item: (manifest.tasks[item[0]].cluster, item[0])):
        numbers = (task.pairs, task.prompt_tokens, task.loss_tokens, sum(task.dropped.values()))
        whole = manifest.tasks[name]
        shown = (name, whole.cluster, f"{whole.realised_share:.2%}", *(f"{number:,}" for number in numbers))
        yield f"| {' | '.join(shown)} |"
    for name, task in tasks.items():
        yield from (f"\n{rows:,} pairs of {name} were dropped: {why}." for why, rows in task.dropped.items())


def _drawn(manifest: Manifest) -> str:
    """Tell rates and settings as the mixture has them, or each of its parts."""
    told = []
    for path, part in parts(manifest).items():
        rates = ", ".join(f"{name} {value}" for name, value in dict(part["rates"]).items())
        settings = ", ".join(f"{name} {weight}" for name, weight in dict(part["settings"]).items())
        whose = f"Part {path}, weight {part['weight']}. " if path else ""
        told.append(f"{whose}Rates: {rates}. Settings: {settings}.")
    return " ".join(told)


def _held_out(tuning: Tuning) -> Iterator[str]:
    manifest, cluster = tuning.manifest, tuning.record.identity.cluster
    measured = sorted((task.cluster, name) for name, task in manifest.tasks.items() if task.role == "held_out")
    if cluster is not None:
        yield f"- every task of another cluster than {cluster}: this adapter is trained on that cluster alone"
    elif not measured:
        yield "Nothing: every task of the mixture is trained on."
    for cluster, name in measured:
        yield f"- {name} ({cluster}): never trained on, measured"
    for name, why in sorted(manifest.left.items()):
        yield f"- {name}: neither trained on nor measured: {why}"


def _licences(tuning: Tuning) -> Iterator[str]:
    yield "None is claimed for this model: what may be done with it follows from its base model and from its data."
    yield ""
    tasks_of = defaultdict(list)
    for name in tuning.record.task_names:
        tasks_of[tuning.manifest.tasks[name].license].append(name)
    for licence, names in sorted(tasks_of.items()):
        yield f"- {licence or 'not stated'}: {', '.join(sorted(names))}"


def _settings(tuning: Tuning, run: RunRecord) -> Iterator[str]:
    layout = run.identity.layout
    yield (
        f"Layout: {LAYOUTS[layout.kind]}; a text begins with {_token(layout.bos)}, and an output ends with "
        f"{_token(layout.stop)}, which generation stops at. `instruction_kit.json` has it for measuring."
    )
    yield from ("", "| setting | value |", "|---|---|")
    adapter = {} if run.adapter is None else run.adapter.model_dump()
    length = "num_train_epochs" if tuning.config.max_steps > 0 else "max_steps"  # the other one decides
    told = {name: getattr(tuning.config, name) for name in TOLD if name != length}
    precision = {"dtype": str(tuning.base.dtype).removeprefix("torch."), "num_processes": tuning.config.world_size}
    asked = {"system_message": layout.system_message, "chat_template_kwargs": layout.template_kwargs}
    asked["weigh"] = _weighed(run.identity.weighing)
    for name, value in {**told, **precision, **adapter, **asked}.items():
        if value is not None:
            yield f"| {name} | {getattr(value, 'value', value)} |"
    packages = ("torch", "transformers", "trl", *(("peft",) if run.adapter else ()))
    yield from ("", ", ".join(f"{name} {version(name)}" for name in packages))


def _weighed(weighing: Weighing) -> str | None:
    """Say what weighs how much; nothing where all trained tokens weigh the same."""
    if weighing.is_even:
        return None
    parts = [f"per {weighing.per}"]
    if weighing.answer != weighing.rationale:
        parts.append(f"answers {weighing.answer:g}, rationales {weighing.rationale:g}")
    return "; ".join([*parts, *(f"{task} {weight:g}" for task, weight in sorted(weighing.tasks.items()))])


def _again(tuning: Tuning) -> Iterator[str]:
    yield "Save the mixture below as `mixture.yaml`, add `paths` and `data_dir` where its tasks need them, and run"
    yield from ("", "```sh", "instruction-kit build mixture.yaml OUT")
    yield (
        "python -m instruction_kit.evaluation.evaluate --dataset_name OUT --model_name_or_path THIS_FOLDER "
        f"--baseline {'BASE' if _is_here(tuning.base) else tuning.base.name} --output_dir REPORT"
    )
    yield from (
        "```",
        "",
        "The same data and code give the same bytes; `manifest.json` in OUT then begins with the same",
    )
    yield f"fingerprint, `{tuning.manifest.fingerprint[:16]}`."
    yield from ("", "```yaml", yaml.safe_dump(tuning.manifest.mixture, sort_keys=False, allow_unicode=True).rstrip())
    yield "```"


def _is_here(base: ModelSource) -> bool:
    return Path(base.name).is_dir()


def base_name(base: ModelSource) -> str:
    """Name a base model without the folders that it lies in."""
    return Path(base.name).resolve().name if _is_here(base) else base.name


def _token(text: str | None) -> str:
    return "nothing" if text is None else f"`{text}`"
