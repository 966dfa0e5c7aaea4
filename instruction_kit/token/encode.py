"""The encoder that a layout asks for, and whether a model asks for the layout of an encoder-decoder."""

from pathlib import Path
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


def is_encoder_decoder(name: str, *, revision: str | None = None, trust_remote_code: bool = False) -> bool:
    """Say whether the model of a folder, or of the hub, is an encoder-decoder; a tokenizer alone is none.

    Raises:
        OSError, ValueError: there is no configuration, or none that transformers knows.

    """
    from transformers import AutoConfig

    if Path(name).is_dir() and not (Path(name) / "config.json").is_file():
        return False
    found = AutoConfig.from_pretrained(name, revision=revision, trust_remote_code=trust_remote_code)
    return bool(found.is_encoder_decoder)
