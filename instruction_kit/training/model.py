"""The model and the tokenizer that a run begins with, loaded in one way and checked against the tokens.

In goes a `ModelSource`, a folder or an id of the hub; out come a tokenizer and a language model, a decoder alone or one
with an encoder, whose weights all come from the checkpoint, in the precision that was named. Nothing is resized, added
or guessed.
"""

from pathlib import Path
from typing import Any, cast

import torch
from accelerate import PartialState
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from instruction_kit.errors import TrainingError
from instruction_kit.token.encode import is_encoder_decoder
from instruction_kit.token.encoder import Encoder
from instruction_kit.token.record import TokenRecord
from instruction_kit.training.quantised import keep_trainable
from instruction_kit.training.request import ModelSource


def load_tokenizer(source: ModelSource) -> PreTrainedTokenizerBase:
    """Load a model's tokenizer."""
    try:
        loaded = AutoTokenizer.from_pretrained(
            source.name, revision=source.revision, trust_remote_code=source.trust_remote_code
        )
    except (OSError, ValueError) as error:
        raise TrainingError(_not_loaded("tokenizer", source, error)) from error
    return cast("PreTrainedTokenizerBase", loaded)


def load_model(source: ModelSource) -> PreTrainedModel:
    """Load a causal language model, or an encoder-decoder.

    Raises:
        TrainingError: there is none, it is an adapter, or weights are missing in the checkpoint.

    """
    if (Path(source.name) / "adapter_config.json").is_file():
        raise TrainingError(
            f"model {source.name}: it is an adapter over another model; merge the two and save that first"
        )
    shared = {"revision": source.revision, "trust_remote_code": source.trust_remote_code}
    try:
        config = AutoConfig.from_pretrained(source.name, **shared)
        kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
        model, told = cast(
            "tuple[PreTrainedModel, dict[str, Any]]",
            kind.from_pretrained(
                source.name,
                dtype=source.dtype,
                attn_implementation=source.attn_implementation,
                output_loading_info=True,
                **_held(source),
                **shared,
                **source.init_kwargs,
            ),
        )
    except (OSError, ValueError) as error:
        raise TrainingError(_not_loaded("model", source, error)) from error
    if told["missing_keys"]:
        missing = ", ".join(sorted(told["missing_keys"])[:5])
        raise TrainingError(
            f"model {source.name}: the checkpoint lacks {len(told['missing_keys'])} weights ({missing}), which would "
            "start from random numbers; take a checkpoint of a language model"
        )
    keep_trainable(model)
    if source.quantisation is None and getattr(model, "is_quantized", False):
        raise TrainingError(
            f"model {source.name}: its weights are quantised, which bars tuning them; take the full ones"
        )
    return model


def has_encoder(source: ModelSource) -> bool:
    """Say whether a model is an encoder-decoder."""
    try:
        return is_encoder_decoder(source.name, revision=source.revision, trust_remote_code=source.trust_remote_code)
    except (OSError, ValueError) as error:
        raise TrainingError(_not_loaded("model", source, error)) from error


def _held(source: ModelSource) -> dict[str, Any]:
    """Say how the weights are held; those of few bits are made on the device of this process."""
    if source.quantisation is None:
        return {}
    return {"quantization_config": source.quantisation, "device_map": {"": PartialState().device}}


def check_fit(model: PreTrainedModel, record: TokenRecord, encoder: Encoder) -> None:
    """Refuse tokens that the model has no embedding or no position for."""
    name = model.config._name_or_path or type(model).__name__  # noqa: SLF001 - transformers has no public name for it
    embeddings = cast("torch.Tensor", model.get_input_embeddings().weight).shape[0]
    largest = max(record.largest_id, encoder.tokenizer.pad_token_id or 0)
    if largest >= embeddings:
        raise TrainingError(
            f"model {name}: it has {embeddings} embeddings, and its tokenizer gives the id {largest}; "
            "take the tokenizer that belongs to the model, or resize the model and save it first"
        )
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    longest = min(record.identity.max_length, max(task.longest for task in record.tasks.values()))
    if positions is not None and longest > positions:
        raise TrainingError(
            f"model {name}: it has {positions} positions, and pairs have up to {longest} tokens; "
            f"take --max_length {positions}, and a `budget` in the mixture if that drops too much"
        )


def set_special_tokens(model: PreTrainedModel, encoder: Encoder) -> None:
    """Write what begins, ends and fills a text into the model's configs.

    Generation stops at the stop token and at nothing else. The filling token is the tokenizer's only where it is
    another one: written as the stop token, it has made tuned models answer with nothing.
    """
    tokenizer, stop = encoder.tokenizer, encoder.stop_id
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id != stop else None
    for config in (model.generation_config, model.config.get_text_config()):
        config.bos_token_id, config.eos_token_id, config.pad_token_id = tokenizer.bos_token_id, stop, pad


def remove_whole(folder: Path) -> None:
    """Remove the weights of a whole model from the folder of a run: they would be loaded for what is tuned now."""
    for pattern in ("config.json", "model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors"):
        for path in folder.glob(pattern):
            path.unlink()


def is_finite(model: torch.nn.Module) -> bool:
    """Say whether every weight is a number."""
    with torch.no_grad():
        return all(bool(torch.isfinite(weight).all()) for weight in model.parameters())


def _not_loaded(what: str, source: ModelSource, error: Exception) -> str:
    first = str(error).strip().splitlines()[0]
    return (
        f"{what} {source.name}: it cannot be loaded ({first}); --model_name_or_path takes a folder that "
        "save_pretrained wrote, or the id of a language model on a hub that can be reached"
    )
