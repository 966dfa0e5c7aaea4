"""TRL's SFT trainer with what it does in silence taken away, and what it lacks put in.

Taken away: it sends nothing, stops at the first loss that is not a number and names the rows, writes no card but this
kit's, and never averages the means of batches. Put in: weights of tokens, the loss of each task and cluster, an
evaluation loss by token, held-out tasks ranked. Beside each model that it saves stand this kit's records. The names
with an underscore are TRL's own; the tests hold them against the installed release, and the dependency is pinned to one
minor release for this reason.
"""

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from peft import PeftModel
from transformers import Trainer
from transformers.trainer_utils import rotate_checkpoints
from trl.trainer.sft_trainer import SFTTrainer

from instruction_kit.build.commit import write_text
from instruction_kit.errors import TrainingError
from instruction_kit.token.encoder import Encoder
from instruction_kit.token.layout import write_layout
from instruction_kit.training.adapter import merge
from instruction_kit.training.card import Tuning, model_card
from instruction_kit.training.collate import apart, beside
from instruction_kit.training.document import COLLATED
from instruction_kit.training.held_out import held_out_figures
from instruction_kit.training.loss import TaskLosses, counted_and_weighed, scale_of
from instruction_kit.training.model import remove_whole, set_special_tokens
from instruction_kit.training.resume import RUN_FILE, RunRecord, write_run
from instruction_kit.training.span import where_from
from instruction_kit.training.validation import Share, add_losses
from instruction_kit.training.watch import Watched

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class RunTrainer(Trainer):
    """What the trainer of a run does whatever computes its steps: TRL's trainer below, or another in its place.

    Attributes:
        encoder: the tokenizer under its layout, for what is written beside the model.
        run: the run's record at step 0.
        tuning: what the model card tells.
        watched: what is measured while the model is tuned.
        built: the built folder, where rows are looked up by their positions.

    """

    _total_train_tokens: int

    def __init__(
        self, *, encoder: Encoder, run: RunRecord, tuning: Tuning, watched: Watched, built: Path, **arguments: Any
    ) -> None:
        self.encoder = encoder
        self.run = run
        self.tuning = tuning
        self.watched = watched
        self.built = built
        self.losses = TaskLosses(tuning.record.task_names, tuning.clusters)
        self._scale: torch.Tensor | None = None
        self._chosen: int | None = None
        self._seen: list[int] = []  # pairs of the step that is under way, on this process
        super().__init__(processing_class=encoder.tokenizer, **arguments)
        self.data_collator = functools.partial(beside, collate=self.data_collator)

    def count_from(self, num_tokens: int) -> None:
        """Go on counting tokens where a checkpoint stopped."""
        self._total_train_tokens = num_tokens

    def run_so_far(self) -> RunRecord:
        """Return the run's record at the present step."""
        now = {"step": self.state.global_step, "num_tokens": int(self._total_train_tokens), "chosen_step": self._chosen}
        return self.run.model_copy(update=now)

    def last_step(self) -> int:
        """Return the step after which the run ends."""
        return int(self.set_initial_training_values(self.args, self.get_train_dataloader())[-1])

    def _init_training_state(self, max_steps: int, *arguments: Any, **keywords: Any) -> tuple[int, int]:
        """Begin where the checkpoint stopped, and take no step behind the last one, as transformers would."""
        epoch, batches = super()._init_training_state(max_steps, *arguments, **keywords)
        if self.state.global_step > max_steps:
            raise TrainingError(
                f"the checkpoint is that of step {self.state.global_step}, and this run ends with step {max_steps}; "
                "give the same --max_steps or --num_train_epochs again, or an earlier checkpoint"
            )
        return (epoch, batches) if self.state.global_step < max_steps else (self.state.num_train_epochs, 0)

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = list(COLLATED)  # type: ignore[assignment]

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: torch.device) -> Any:
        """Count the trained tokens of a step as TRL does, and see what brings their weights to a mean of 1."""
        if batch_samples and "loss_weights" in batch_samples[0]:
            self._scale = scale_of(batch_samples, self._summed)
        return super()._get_num_items_in_batch(batch_samples, device)

    def compute_loss(self, model: Any, inputs: Any, *arguments: Any, **keywords: Any) -> Any:
        """Let TRL compute the loss, through a model whose log-probabilities are counted and weighed."""
        read, others = apart(inputs)
        weighed: Any = counted_and_weighed(self.scored(model), others, self.losses, scale=self._scale)
        return super().compute_loss(weighed, read, *arguments, **keywords)

    def scored(self, model: Any) -> Callable[..., Any]:
        """Return what gives labels their log-probabilities when it is called as TRL calls a model."""
        return cast("Callable[..., Any]", model)

    def training_step(self, model: Any, inputs: Any, *arguments: Any, **keywords: Any) -> torch.Tensor:
        """Take one step, and stop where the loss is no number any more."""
        positions = inputs["positions"].tolist()
        loss = super().training_step(model, inputs, *arguments, **keywords)
        if not torch.isfinite(loss):
            raise self._stopped(f"the loss is {loss.item()}", positions)
        self._seen += positions
        return loss

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        """Stop where a gradient is no number, before the weights are none: their checkpoint would be no way back."""
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)  # type: ignore[no-untyped-call]
        passed_over = self.args.fp16  # its scaler takes no step where a gradient is none
        if norm is not None and not passed_over and not math.isfinite(norm):  # DeepSpeed may have none
            raise self._stopped(f"the norm of the gradient is {float(norm)}", self._seen)
        self._seen = []
        return norm

    def _stopped(self, found: str, positions: list[int]) -> TrainingError:
        rows = where_from(self.built, positions)
        return TrainingError(
            f"step {self.state.global_step + 1}: {found} on {rows}; lower --learning_rate, lengthen --warmup_steps, or "
            "tune in float32, and go on from the last checkpoint"
        )

    def _maybe_log_save_evaluate(self, *arguments: Any, **keywords: Any) -> None:
        """Log the last steps too, however many there are since the line before."""
        if self.args.logging_strategy != "no" and self.state.global_step == self.state.max_steps:
            self.control.should_log = True
        super()._maybe_log_save_evaluate(*arguments, **keywords)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log the loss of each task and cluster beside that of the steps."""
        if "loss" in logs:
            logs.update(self.losses.told(self.losses.take(self._summed, device=self.args.device), "loss"))
        super().log(logs, start_time)

    def evaluate(
        self, eval_dataset: object = None, ignore_keys: object = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Measure what is watched: validation rows by token, held-out tasks by rank; TRL's own way is never taken."""
        if eval_dataset is not None:
            raise TrainingError("only what a run watches is evaluated; measure others with scripts/evaluate.py")
        model = cast("PreTrainedModel", self.model)
        was_training = model.training
        model.train(mode=False)
        try:
            with torch.no_grad(), self.compute_loss_context_manager():
                found = {**self._validation(model), **self._held_out(model)}
            metrics = {f"{metric_key_prefix}_{name}": value for name, value in found.items()}
            self.log(metrics)  # while the model is not training: TRL would add the figures of its steps
        finally:
            model.train(was_training)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def create_model_card(self, *_arguments: Any, **_keywords: Any) -> None:
        """Write none of TRL's model cards; the kit's own goes with each model."""

    def save_merged(self, folder: Path) -> None:
        """Write a whole model with the adapter merged in; there is no adapter to go on with afterwards."""
        merged = merge(cast("PeftModel", self.model))
        set_special_tokens(merged, self.encoder)
        merged.save_pretrained(folder)
        for path in folder.glob("adapter_*"):  # of a run that was finished unmerged: it would be loaded in its place
            path.unlink()
        self.encoder.tokenizer.save_pretrained(folder)
        self._write_beside(folder)

    def _validation(self, model: torch.nn.Module) -> dict[str, float]:
        if self.watched.validation is None:
            return {}
        losses = TaskLosses(self.watched.task_names, self.tuning.clusters)
        add_losses(
            self.scored(model),
            self.data_collator,
            self.watched.validation,
            losses,
            batch_size=self.args.per_device_eval_batch_size,
            share=Share(self.accelerator.process_index, self.accelerator.num_processes),
            device=self.args.device,
        )
        return losses.told(losses.take(self._summed, device=self.args.device), "loss", whole=True)

    def _held_out(self, model: "PreTrainedModel") -> dict[str, float]:
        if self.watched.held_out is None:
            return {}
        size = self.args.per_device_eval_batch_size
        return held_out_figures(model, self.encoder, self.watched.held_out, batch_size=size)

    def _summed(self, found: torch.Tensor) -> torch.Tensor:
        """Add up what all processes found."""
        return cast("torch.Tensor", self.accelerator.reduce(found.to(self.args.device), reduction="sum"))

    def _load_best_model(self) -> None:
        super()._load_best_model()
        self._chosen = self.state.best_global_step

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        folder, model = Path(output_dir or str(self.args.output_dir)), self.model
        if isinstance(model, PeftModel):
            base = cast("PreTrainedModel", model.get_base_model())
            set_special_tokens(base, self.encoder)
            if self.args.should_save:
                if (folder / RUN_FILE).is_file():  # of this run, finished before with its adapter merged
                    remove_whole(folder)
                # PEFT would ask the hub whether the embeddings were resized; they never are
                model.save_pretrained(str(folder), state_dict=state_dict, save_embedding_layers=False)
                base.generation_config.save_pretrained(folder)
                self.encoder.tokenizer.save_pretrained(folder)
        else:
            set_special_tokens(cast("PreTrainedModel", model), self.encoder)
            tied = getattr(model, "all_tied_weights_keys", None) or {}  # gathered apart, where a model is divided
            kept = state_dict and {name: weight for name, weight in state_dict.items() if name not in tied}
            super()._save(output_dir, state_dict=kept)
        if self.args.should_save:  # every process comes here
            self._write_beside(folder)

    def _write_beside(self, folder: Path) -> None:
        """Write what a model needs to be used and to be told from others."""
        write_layout(folder, self.encoder.layout)
        write_text(folder / "README.md", model_card(self.tuning, self.run_so_far()))

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Save a checkpoint, say that it is whole, and only then remove older ones."""
        output, limit = Path(str(self.args.output_dir)), self.args.save_total_limit
        folder = output / f"checkpoint-{self.state.global_step}"
        if self.args.should_save:  # it may be there, from a run that went further than the checkpoint gone on from
            (folder / RUN_FILE).unlink(missing_ok=True)
        self.args.save_total_limit = None
        try:
            super()._save_checkpoint(model, trial)
        finally:
            self.args.save_total_limit = limit
        self.accelerator.wait_for_everyone()  # the record says that every process has written its part
        if self.args.should_save:
            write_run(folder, self.run_so_far())
            rotate_checkpoints(
                str(output), save_total_limit=limit, best_model_checkpoint=self.state.best_model_checkpoint
            )


class KitTrainer(RunTrainer, SFTTrainer):
    """The trainer of one run of a causal language model."""

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log no evaluation of TRL's own beside those of this kit."""
        self._metrics["eval"].clear()
        super().log(logs, start_time)

    def _send_telemetry(self) -> None:
        """Send nothing."""
