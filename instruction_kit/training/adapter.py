"""LoRA: what is trained of a model beside its own weights, which stay as they are.

In go the LoRA flags under TRL's names, out comes an `Adapter`; it puts itself on a model, which then trains nothing
else, and a model with one becomes a whole model again by merging. It is part of a run's record, since a checkpoint of
one adapter is no beginning for another. What PEFT or TRL would train wrongly or not at all is refused: an adapter over
an embedding or over the output layer, and a name that stands for no part of the model.
"""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.tuners_utils import BaseTunerLayer
from pydantic import BaseModel, ConfigDict
from torch import nn
from transformers import PreTrainedModel

from instruction_kit.errors import TrainingError, nearest

ALL_LINEAR = "all-linear"
"""PEFT's word for every linear layer but the output layer."""


class Adapter(BaseModel):
    """The settings of one LoRA adapter; PEFT's own defaults are not used where TRL has a flag."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lora_r: int
    lora_alpha: int
    lora_dropout: float
    lora_target_modules: list[str] | None
    """Ends of the names of modules, or one regular expression, or `all-linear`; None: PEFT's choice for the model."""
    lora_target_parameters: list[str] | None
    lora_modules_to_save: list[str] | None
    """Ends of the names of modules that are trained whole, and saved with the adapter."""
    use_rslora: bool
    use_dora: bool
    load_in_4bit: bool = False
    """Whether the weights under the adapter are held in 4 bits; see `quantised`."""
    load_in_8bit: bool = False


FLAGS = frozenset(Adapter.model_fields) - {"load_in_4bit", "load_in_8bit"}


def adapter_of(values: Mapping[str, Any]) -> Adapter:
    """Take the flags of an adapter out of all flags."""
    return Adapter.model_validate({name: values[name] for name in Adapter.model_fields})


def problems_of(values: Mapping[str, Any], given: set[str]) -> list[str]:
    """Say what is wrong with the flags of an adapter, and which would be ignored without one."""
    if not values["use_peft"]:
        if values["adapter_per"] is not None:
            return ["--adapter_per: a model that is tuned whole has no adapter; add --use_peft true"]
        ignored = [name for name in sorted((FLAGS | {"merge_adapter"}) & given) if values[name] is not False]
        return [f"--{name}: nothing reads it without --use_peft true" for name in ignored]
    problems = list(_problems_of_several(values)) if values["adapter_per"] is not None else []
    sizes = [name for name in ("lora_r", "lora_alpha") if values[name] <= 0]
    problems += [f"--{name} {values[name]}: it must be above 0" for name in sizes]
    if not 0 <= values["lora_dropout"] < 1:
        problems.append(f"--lora_dropout {values['lora_dropout']}: it must be 0 or more, and below 1")
    return problems


def _problems_of_several(values: Mapping[str, Any]) -> Iterator[str]:
    """Say what does not go with one adapter for each cluster."""
    if values["adapter_per"] != "cluster":
        yield f"--adapter_per {values['adapter_per']}: there are: cluster"
    if values["merge_adapter"]:
        yield "--merge_adapter: each adapter would become a whole model; leave it out, and merge one of them afterwards"
    asked = values["resume_from_checkpoint"]
    if asked is not None and asked.lower() not in ("true", "false"):
        yield f"--resume_from_checkpoint {asked}: each cluster has checkpoints of its own; true goes on with all"


def put_on(model: PreTrainedModel, adapter: Adapter, *, revision: str | None) -> PeftModel:
    """Freeze a model and put a fresh adapter on it; its weights are drawn from the global random state.

    Args:
        model: the model; it is changed in place.
        adapter: the settings.
        revision: branch, tag or commit of the model on the hub, so that the same is found again.

    Raises:
        TrainingError: a name stands for no part of the model, or for one that LoRA cannot train here.

    """
    _check_names(model, adapter)
    linear = _linear(model)
    settings = LoraConfig(
        task_type="SEQ_2_SEQ_LM" if model.config.is_encoder_decoder else "CAUSAL_LM",
        r=adapter.lora_r,
        lora_alpha=adapter.lora_alpha,
        lora_dropout=adapter.lora_dropout,
        target_modules=_targets(adapter.lora_target_modules),
        target_parameters=adapter.lora_target_parameters,
        modules_to_save=adapter.lora_modules_to_save,
        use_rslora=adapter.use_rslora,
        use_dora=adapter.use_dora,
        ensure_weight_tying=_saves_tied(model, adapter),
        bias="none",
    )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)  # PEFT reads the old name
            warnings.filterwarnings("ignore", "Model has `tie_word_embeddings", UserWarning)  # refused below, or tied
            adapted = cast("PeftModel", get_peft_model(model, settings, revision=revision))
    except (ValueError, NotImplementedError, TypeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise TrainingError(
            f"the adapter does not fit the model: {reason}; name what it should stand on: --lora_target_modules "
            f"{ALL_LINEAR}, or names of modules of this model ({', '.join(linear)})"
        ) from error
    _refuse_embeddings(adapted)
    if isinstance(settings.target_modules, set):  # PEFT's own by now: its order, another in each run, is written
        settings.target_modules = sorted(settings.target_modules)
    return adapted


def take_off(adapted: PeftModel) -> PreTrainedModel:
    """Take an adapter off: the model under it is again what it was, layers that were trained whole included."""
    for name in list(adapted.peft_config):
        adapted.delete_adapter(name)  # else PEFT leaves the trained copies of such layers in the model
    return cast("PreTrainedModel", adapted.unload())


def merge(adapted: PeftModel) -> PreTrainedModel:
    """Add an adapter to the weights under it; the model is changed in place and is a whole one afterwards.

    Raises:
        TrainingError: the sums are no numbers.

    """
    try:
        return cast("PreTrainedModel", adapted.merge_and_unload(safe_merge=True))
    except ValueError as error:
        raise TrainingError(
            f"the adapter cannot be merged ({error}); the last checkpoint holds it as it is: tune in float32, "
            "or go on without --merge_adapter"
        ) from error


def _targets(names: Sequence[str] | None) -> list[str] | str | None:
    """Read one name of letters and dots as a name, as PEFT reads several: it takes one alone for an expression."""
    if names is None or len(names) > 1:
        return None if names is None else list(names)
    return names[0] if names[0] == ALL_LINEAR or re.search(r"[^\w.]", names[0]) else list(names)


def _check_names(model: PreTrainedModel, adapter: Adapter) -> None:
    """Refuse names that PEFT would pass over, all at once."""
    modules, parameters = ([name for name, _ in named()] for named in (model.named_modules, model.named_parameters))
    targets = _targets(adapter.lora_target_modules)
    asked = {
        "lora_target_modules": (targets if isinstance(targets, list) else [], modules),
        "lora_target_parameters": (adapter.lora_target_parameters or [], parameters),
        "lora_modules_to_save": (adapter.lora_modules_to_save or [], modules),
    }
    problems = [
        f"--{flag} {name}: no part of the model is called so; {nearest(name, _ends(known, name.count('.') + 1))}"
        for flag, (names, known) in asked.items()
        for name in names
        if not any(_ends_with(whole, name) for whole in known)
    ]
    if problems:
        raise TrainingError("\n".join(problems))


def _ends(names: Sequence[str], parts: int) -> set[str]:
    """Take the last parts of names, without those of numbered layers."""
    return {".".join(name.split(".")[-parts:]) for name in names if not name.rpartition(".")[2].isdigit()} - {""}


def _linear(model: PreTrainedModel) -> list[str]:
    _, head = _embeddings(model)
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Linear) and module is not head]
    return sorted(_ends(names, 1))


def _ends_with(name: str, end: str) -> bool:
    return name == end or name.endswith(f".{end}")


def _saves_tied(model: PreTrainedModel, adapter: Adapter) -> bool:
    """Say whether one of two tied embeddings is trained whole: PEFT would part them in silence."""
    if not getattr(model.config.get_text_config(), "tie_word_embeddings", False):
        return False
    embeddings = _embeddings(model)
    names = [name for name, module in model.named_modules() if any(module is layer for layer in embeddings)]
    return any(_ends_with(name, end) for name in names for end in adapter.lora_modules_to_save or [])


def _embeddings(model: PreTrainedModel) -> tuple[nn.Module, nn.Module]:
    """Return the layer that takes tokens in and the one that gives them out."""
    return model.get_input_embeddings(), cast("nn.Module", model.get_output_embeddings())  # type: ignore[no-untyped-call]


def _refuse_embeddings(adapted: PeftModel) -> None:
    """Refuse an adapter over an embedding: TRL never trains one over the output layer, and merging a tied one is wrong.

    The loss multiplies by the output layer's own weight, past an adapter on it. Where both embeddings are one weight,
    merging an adapter into the first would change the second too.
    """
    base = cast("PreTrainedModel", adapted.get_base_model())
    layers = _embeddings(base)
    for name, module in base.named_modules():
        if any(module is layer for layer in layers) and isinstance(module, BaseTunerLayer):
            raise TrainingError(
                f"--lora_target_modules: they take in {name}, an embedding or the output layer, where an adapter would "
                "not be trained or not be merged right; train it whole: "
                f"--lora_modules_to_save {name.rpartition('.')[2]}"
            )
