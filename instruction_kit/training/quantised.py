"""QLoRA: an adapter over a base whose weights are held in 4 or 8 bits.

In go the flags under TRL's names, out comes what transformers loads the base with. The base is never trained, so it
needs an adapter, which is saved as it is: merged into rounded weights it would not be the model that was tuned. What
bitsandbytes cannot do on the device at hand is refused before anything is loaded.
"""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

import torch
from transformers import BitsAndBytesConfig

LOADS = ("load_in_4bit", "load_in_8bit")
OF_4_BITS = ("bnb_4bit_quant_storage", "bnb_4bit_quant_type", "use_bnb_nested_quant")
INSTALL = "pip install 'instruction-kit[qlora]'"


def problems_of(values: Mapping[str, Any], given: set[str], *, device: str) -> Iterator[str]:
    """Say what is wrong with the flags, or with the device that they would be for."""
    asked = [name for name in LOADS if values[name]]
    if not values["load_in_4bit"]:
        yield from (f"--{name}: nothing reads it without --load_in_4bit true" for name in OF_4_BITS if name in given)
    if not asked:
        return
    if len(asked) > 1:
        yield "--load_in_4bit, --load_in_8bit: take one of them"
    if not values["use_peft"]:
        yield f"--{asked[0]}: weights of so few bits cannot be tuned themselves; add --use_peft true"
    if values["merge_adapter"]:
        yield f"--merge_adapter: it would be merged into the rounded weights of --{asked[0]}; leave it out"
    if find_spec("bitsandbytes") is None:
        yield f"--{asked[0]}: it needs bitsandbytes: {INSTALL}"
    elif device not in _devices():
        yield f"--{asked[0]}: bitsandbytes has no kernels for {device}, but for {', '.join(sorted(_devices()))}"


def quantisation_of(values: Mapping[str, Any], *, dtype: torch.dtype) -> BitsAndBytesConfig | None:
    """Take out of all flags how the base is held; its weights are unpacked into `dtype` where they are used."""
    if values["load_in_4bit"]:
        return BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_compute_dtype=dtype,
            bnb_4bit_quant_type=values["bnb_4bit_quant_type"],
            bnb_4bit_use_double_quant=values["use_bnb_nested_quant"],
            bnb_4bit_quant_storage=values["bnb_4bit_quant_storage"],
        )
    return BitsAndBytesConfig(load_in_8bit=True) if values["load_in_8bit"] else None  # type: ignore[no-untyped-call]


def keep_trainable(model: torch.nn.Module) -> None:
    """Keep bitsandbytes from laying weights out anew for inference, on CPUs, at the first forward that trains nothing.

    They stay so, and later steps then pass no gradient through them, with a warning at most.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            vars(module)["support_avx512bf16_for_cpu"] = False


def _devices() -> set[str]:
    import bitsandbytes

    return set(bitsandbytes.supported_torch_devices)
