"""The encoder that a layout asks for."""

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
