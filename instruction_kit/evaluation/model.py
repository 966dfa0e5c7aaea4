"""A model to measure: a name or folder goes in; the model and its tokenizer come out.

A folder with an adapter
is loaded onto the base model that it names. Weights are loaded in the type that is asked for, never in the file's own.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import GENERATION_CONFIG_NAME

from instruction_kit.errors import EvaluationError

ADAPTER_FILE = "adapter_config.json"


class Loaded(NamedTuple):
    """A model on its device, with its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def load_model(
    name: str,
    *,
    dtype: str,
    device: str,
    revision: str | None = None,
    attn_implementation: str | None = None,
    trust_remote_code: bool = False,
) -> Loaded:
    """Load a model and its tokenizer from a folder or from the hub.

    Raises:
        EvaluationError: there is no language model, no tokenizer beside it, or no such device.

    """
    _check_folder(name)
    _check_device(device)
    where: dict[str, Any] = {"revision": revision, "trust_remote_code": trust_remote_code}
    how: dict[str, Any] = {"dtype": getattr(torch, dtype), "attn_implementation": attn_implementation}
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, **where)
        if (Path(name) / ADAPTER_FILE).is_file():
            model = _load_adapter(name, trust_remote_code=trust_remote_code, **how)
        else:
            model = _load_whole(name, **where, **how)
    except (OSError, ValueError, ImportError) as error:
        reason = " ".join(str(error).split())
        raise EvaluationError(
            f"{name}: no language model with its tokenizer can be loaded from there ({reason[:400]}); give a "
            "folder that holds both, such as the --output_dir of scripts/finetune.py, or the name of one on the hub"
        ) from error
    return Loaded(cast("Any", model).to(device), tokenizer)


def _load_whole(name: str, **keywords: Any) -> PreTrainedModel:
    where = {key: keywords[key] for key in ("revision", "trust_remote_code") if key in keywords}
    two_sided = AutoConfig.from_pretrained(name, **where).is_encoder_decoder
    kind = AutoModelForSeq2SeqLM if two_sided else AutoModelForCausalLM
    loaded = kind.from_pretrained(name, output_loading_info=True, **keywords)
    model, told = cast("tuple[PreTrainedModel, dict[str, Any]]", loaded)
    _check_weights(name, told["missing_keys"])
    return model


def _load_adapter(name: str, **keywords: Any) -> PreTrainedModel:
    """Load a folder's adapter onto the base model that it names; it generates as the folder says."""
    from peft import PeftConfig, PeftModel  # seconds to import, and few models have adapters

    told = PeftConfig.from_pretrained(name)
    base = str(told.base_model_name_or_path)
    try:
        model = _load_whole(base, revision=told.revision or "main", **keywords)
    except (OSError, ValueError) as error:
        raise EvaluationError(
            f"{name}: it is an adapter over {base}, and no model can be loaded from there "
            f"({' '.join(str(error).split())[:300]}); start where that name is found, or correct "
            f"`base_model_name_or_path` in {ADAPTER_FILE}"
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)  # PEFT reads the old name
            warnings.filterwarnings("ignore", "Model has `tie_word_embeddings", UserWarning)  # so it was tuned
            warnings.filterwarnings("error", "Found missing adapter keys", UserWarning)
            adapted = PeftModel.from_pretrained(model, name)
    except (RuntimeError, UserWarning) as error:
        reason = " ".join(str(error).split())[:300]
        raise EvaluationError(
            f"{name}: its adapter does not fit its base model {base} ({reason}); tune it again"
        ) from error
    if (Path(name) / GENERATION_CONFIG_NAME).is_file():
        model.generation_config = GenerationConfig.from_pretrained(name)
    return cast("PreTrainedModel", adapted.get_base_model())


def _check_device(device: str) -> None:
    """Say which devices there are before minutes of loading, and in fewer words than torch."""
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        there = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
        raise EvaluationError(f"--device {device}: it cannot be used here; there are: {', '.join(there)}") from error


def _check_weights(name: str, missing: Iterable[str]) -> None:
    """Refuse a checkpoint that would be filled up with random numbers."""
    absent = sorted(missing)
    if absent:
        raise EvaluationError(
            f"{name}: it lacks {len(absent)} weights of a language model ({', '.join(absent[:3])}), which would "
            "be measured as random numbers; give the folder of a whole model"
        )


def _check_folder(name: str) -> None:
    """Say what is wrong with a local folder in fewer words than the loaders do."""
    folder = Path(name)
    if not folder.is_dir():
        if name.startswith((".", "/", "~")) or name.count("/") > 1:
            raise EvaluationError(f"{name}: no such folder; give the folder of a model, or its name on the hub")
        return
    if not (folder / "config.json").is_file() and not (folder / ADAPTER_FILE).is_file():
        inside = sorted({path.parent.name for one in ("config.json", ADAPTER_FILE) for path in folder.glob(f"*/{one}")})
        there = (
            f"there are {', '.join(inside)} in it: give one of them" if inside else "give the folder of a saved model"
        )
        raise EvaluationError(f"{name}: no model there, it has neither config.json nor {ADAPTER_FILE}; {there}")
