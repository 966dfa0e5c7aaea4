"""The encoder that a layout asks for, and what decides a tokenizer's ids."""

import hashlib
import json
from typing import TYPE_CHECKING

from instruction_kit.token.chat import ChatEncoder
from instruction_kit.token.encoder import Encoder
from instruction_kit.token.layout import Layout
from instruction_kit.token.plain import PlainEncoder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def encoder_of(tokenizer: "PreTrainedTokenizerBase", layout: Layout) -> Encoder:
    """Put a tokenizer under a layout.

    Raises:
        TokenError: it is not a tokenizer that the layout can have been written with.

    """
    return (ChatEncoder if layout.kind == "chat" else PlainEncoder)(tokenizer, layout)


def tokenizer_hash(tokenizer: "PreTrainedTokenizerBase") -> str:
    """Hash what decides a tokenizer's ids: its vocabulary and rules, not how it pads, cuts or is called."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    rules = json.loads(backend.to_str()) if backend is not None else {"class": type(tokenizer).__name__}
    content = {
        **{key: value for key, value in rules.items() if key not in ("padding", "truncation")},
        "ids": sorted(tokenizer.get_vocab().items()),
        "bos": tokenizer.bos_token,
        "eos": tokenizer.eos_token,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
