"""Encoder-decoders, tuned by transformers' Seq2SeqTrainer from the same token rows: TRL's trainer takes none.

A row of a token shard is cut where its completion begins: the prompt is for the encoder, and the decoder reads its own
first token, then the completion. So `decoder_input_ids` and `labels` are to each other what they are in a causal model,
each label the token at its own place and the first one ignored, and all else of a run is the same code: weights, the
loss of each task, evaluations, proofs. The loss is over the trained tokens of a whole step, as TRL's is; a model's own
would be a mean of the means of accumulated batches.
"""

import functools
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import torch
from accelerate.utils import parse_flag_from_env
from torch.nn.functional import cross_entropy
from transformers import Seq2SeqTrainer

from instruction_kit.errors import TrainingError
from instruction_kit.evaluation.two_sided import start_of
from instruction_kit.token.row import IGNORED
from instruction_kit.training.collate import apart, beside
from instruction_kit.training.field import CAUSAL_ONLY
from instruction_kit.training.loss import counted_and_weighed
from instruction_kit.training.trainer import RunTrainer

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel
    from trl.trainer.sft_config import SFTConfig

Item = dict[str, Any]

TRL_ONLY = ("fused_lm_head", "use_cache")
"""What a model is called with for TRL's sake."""


class TwoSidedTrainer(RunTrainer, Seq2SeqTrainer):  # type: ignore[misc]  # what evaluates takes no lengths
    """The trainer of one run of an encoder-decoder."""

    def __init__(self, *, model: "PreTrainedModel | PeftModel", args: "SFTConfig", **arguments: Any) -> None:
        vars(args)["generation_config"] = None  # the one field that this trainer reads and SFTConfig lacks
        super().__init__(model=model, args=args, **arguments)
        self._total_train_tokens = 0
        self.model_accepts_loss_kwargs = True  # the loss is over the tokens of a whole step: nobody divides it again
        self.data_collator = functools.partial(
            sides,
            start=start_of(cast("PreTrainedModel", model)),
            pad=self.encoder.tokenizer.pad_token_id or 0,
            multiple=int(args.pad_to_multiple_of or 1),
        )

    def scored(self, model: Any) -> Callable[..., Any]:
        """Return the model as TRL would call it: it gives the labels' log-probabilities."""
        return functools.partial(scored, model)

    def compute_loss(
        self,
        model: Any,
        inputs: Any,
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - transformers' own order
        num_items_in_batch: Any = None,
    ) -> Any:
        """Sum the losses of the tokens, weighed and counted by task, over the number of tokens of the whole step."""
        read, others = apart(inputs)
        weighed = counted_and_weighed(self.scored(model), others, self.losses, scale=self._scale)
        outputs = weighed(**read)
        tokens = (read["labels"] != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        loss = -outputs.log_probs.sum() / torch.as_tensor(tokens).clamp(min=1)
        if num_items_in_batch is not None:  # that of all processes, whose gradients are averaged
            loss = loss * self.accelerator.num_processes
        if model.training:
            seen = read["attention_mask"].sum() + read["decoder_attention_mask"].sum()
            self._total_train_tokens += int(self._summed(seen))
        return (loss, outputs) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log the tokens seen beside the loss, as TRL does."""
        if "loss" in logs:
            logs["num_tokens"] = self._total_train_tokens
        super().log(logs, start_time)


def refuse_causal_only(config: "SFTConfig", *, name: str) -> None:
    """Refuse what means something for a causal language model alone.

    Raises:
        TrainingError: such a flag is set, or the model would be divided; all problems are told.

    """
    found = [
        f"--{field}: refused, because {name} is an encoder-decoder, and {why}"
        for field, why in CAUSAL_ONLY.items()
        if getattr(config, field) != getattr(type(config), field)  # a dataclass has its defaults as attributes
    ]
    if parse_flag_from_env("ACCELERATE_USE_FSDP"):
        found.append(
            f"accelerate is set up for FSDP, and {name} is an encoder-decoder, whose sides share an embedding that "
            "FSDP2 cannot divide; run `accelerate config` again for plain data parallelism"
        )
    if found:
        raise TrainingError("\n".join(found))


def scored(model: Any, *, labels: torch.Tensor, **inputs: Any) -> SimpleNamespace:
    """Give each label but the first its log-probability, 0 where it is ignored, as a model does that TRL patched."""
    read = {name: value for name, value in inputs.items() if name not in TRL_ONLY}
    logits = model(**read, use_cache=False).logits[:, :-1]
    found = cross_entropy(logits.float().transpose(1, 2), labels[:, 1:], ignore_index=IGNORED, reduction="none")
    return SimpleNamespace(log_probs=-found)


def sides(items: list[Item], *, start: int, pad: int, multiple: int) -> dict[str, Any]:
    """Collate token rows: prompts for the encoder, completions for the decoder, each padded to a width of its own."""
    cut = [_cut(item, start) for item in items]
    return beside([decoded for _, decoded in cut], collate=functools.partial(_laid, cut, pad=pad, multiple=multiple))


def _cut(item: Item, start: int) -> tuple[list[int], Item]:
    """Part a row into the prompt and what the decoder reads, with the columns that stand beside it."""
    labels = item["labels"]
    begin = next((place for place, label in enumerate(labels) if label != IGNORED), len(labels))
    decoded = {
        **item,
        "input_ids": [start, *item["input_ids"][begin:]],
        "labels": [IGNORED, *labels[begin:]],
        "seq_lengths": [1 + len(labels) - begin],
    }
    if item.get("loss_weights") is not None:
        decoded["loss_weights"] = [0.0, *item["loss_weights"][begin:]]
    return item["input_ids"][:begin], decoded


def _laid(cut: Sequence[tuple[list[int], Item]], _: list[Item], *, pad: int, multiple: int) -> dict[str, torch.Tensor]:
    prompts, decoded = [prompt for prompt, _ in cut], [item for _, item in cut]
    inputs = [item["input_ids"] for item in decoded]
    return {
        "input_ids": _rows(prompts, pad, multiple),
        "attention_mask": _rows([[1] * len(prompt) for prompt in prompts], 0, multiple),
        "decoder_input_ids": _rows(inputs, pad, multiple),
        "decoder_attention_mask": _rows([[1] * len(ids) for ids in inputs], 0, multiple),
        "labels": _rows((item["labels"] for item in decoded), IGNORED, multiple),
    }


def _rows(rows: Iterable[Sequence[int]], filling: int, multiple: int) -> torch.Tensor:
    rows = list(rows)
    width = -(-max(map(len, rows)) // multiple) * multiple
    return torch.tensor([[*row, *[filling] * (width - len(row))] for row in rows])
