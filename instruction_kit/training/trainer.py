"""TRL's SFT trainer with what it does in silence taken away.

It sends nothing, refuses to evaluate, stops at the first loss that is not a number, and puts beside each model that it
saves this kit's records and a model card of its own: TRL's and PEFT's would not say what the model was tuned on, and
PEFT's would name a folder of this machine. The names with an underscore are TRL's own; the tests hold them against
the installed release, and the dependency is pinned to one minor release for this reason.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

import torch
from peft import PeftModel
from trl.trainer.sft_trainer import SFTTrainer

from instruction_kit.build.commit import write_text
from instruction_kit.errors import TrainingError
from instruction_kit.token.encoder import Encoder
from instruction_kit.token.layout import write_layout
from instruction_kit.training.adapter import merge
from instruction_kit.training.card import Tuning, model_card
from instruction_kit.training.model import set_special_tokens
from instruction_kit.training.resume import RunRecord, write_run

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class KitTrainer(SFTTrainer):
    """The trainer of one run.

    Attributes:
        encoder: the tokenizer under its layout, for what is written beside the model.
        run: the run's record at step 0.
        tuning: what the model card tells.

    """

    def __init__(self, *, encoder: Encoder, run: RunRecord, tuning: Tuning, **arguments: Any) -> None:
        self.encoder = encoder
        self.run = run
        self.tuning = tuning
        super().__init__(processing_class=encoder.tokenizer, **arguments)
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            raise TrainingError(
                "accelerate is set up for FSDP or DeepSpeed, which are not checked on this data path; "
                "run `accelerate config` again for plain data parallelism"
            )

    def count_from(self, num_tokens: int) -> None:
        """Go on counting tokens where a checkpoint stopped."""
        self._total_train_tokens = num_tokens

    def run_so_far(self) -> RunRecord:
        """Return the run's record at the present step."""
        now = {"step": self.state.global_step, "num_tokens": int(self._total_train_tokens)}
        return self.run.model_copy(update=now)

    def training_step(self, *arguments: Any, **keywords: Any) -> torch.Tensor:
        """Take one step, and stop where the loss is no number any more."""
        loss = cast("torch.Tensor", super().training_step(*arguments, **keywords))  # type: ignore[no-untyped-call]
        if not torch.isfinite(loss):
            raise TrainingError(
                f"step {self.state.global_step + 1}: the loss is {loss.item()}; lower --learning_rate, "
                "lengthen --warmup_steps, or tune in float32, and go on from the last checkpoint"
            )
        return loss

    def evaluate(self, *_arguments: Any, **_keywords: Any) -> NoReturn:
        """Refuse: the mean of batch means that TRL gives depends on the batch size."""
        raise TrainingError("nothing is evaluated while tuning; measure the tuned folder with scripts/evaluate.py")

    def create_model_card(self, *_arguments: Any, **_keywords: Any) -> None:
        """Write none of TRL's model cards; the kit's own goes with each model."""

    def save_merged(self, folder: Path) -> None:
        """Write a whole model with the adapter merged in; there is no adapter to go on with afterwards."""
        merged = merge(cast("PeftModel", self.model))
        set_special_tokens(merged, self.encoder)
        merged.save_pretrained(folder)
        self.encoder.tokenizer.save_pretrained(folder)
        self._write_beside(folder)

    def _send_telemetry(self) -> None:
        """Send nothing."""

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        folder, model = Path(output_dir or str(self.args.output_dir)), self.model
        if isinstance(model, PeftModel):
            base = cast("PreTrainedModel", model.get_base_model())
            set_special_tokens(base, self.encoder)
            if self.args.should_save:
                # PEFT would ask the hub whether the embeddings were resized; they never are
                model.save_pretrained(str(folder), save_embedding_layers=False)
                base.generation_config.save_pretrained(folder)
                self.encoder.tokenizer.save_pretrained(folder)
        else:
            set_special_tokens(cast("PreTrainedModel", model), self.encoder)
            super()._save(output_dir, state_dict=state_dict)
        if self.args.should_save:  # every process comes here
            self._write_beside(folder)

    def _write_beside(self, folder: Path) -> None:
        """Write what a model needs to be used and to be told from others."""
        write_layout(folder, self.encoder.layout)
        write_text(folder / "README.md", model_card(self.tuning, self.run_so_far()))

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        super()._save_checkpoint(model, trial)  # type: ignore[no-untyped-call]
        self.accelerator.wait_for_everyone()  # the record says that every process has written its part
        if self.args.should_save:
            write_run(Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}", self.run_so_far())
