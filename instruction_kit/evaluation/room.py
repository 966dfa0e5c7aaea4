"""What fits a model: prompts and outputs in tokens go in, the reason why one cannot be measured comes out.

Nothing is ever cut, so what does not fit is left out with its reason. An encoder-decoder reads a prompt at positions of
its own, so there each side has the whole room.
"""

from collections.abc import Sequence
from typing import NamedTuple

from transformers import PreTrainedModel

from instruction_kit.evaluation.batch import Scored
from instruction_kit.evaluation.generate import Generation
from instruction_kit.token.encoder import Encoded, Misfit


class Room(NamedTuple):
    """How many tokens a model can take."""

    positions: int | None
    """None where nothing bounds them."""
    two_sided: bool
    """Whether a prompt and an output do not share them."""

    def takes(self, prompt: int, output: int) -> bool:
        """Say whether a prompt and an output of so many tokens fit."""
        return self.positions is None or (max(prompt, output) if self.two_sided else prompt + output) <= self.positions


def room_of(model: PreTrainedModel) -> Room:
    """Read how much a model can take."""
    return Room(max_positions(model), two_sided=model.config.is_encoder_decoder)


def max_positions(model: PreTrainedModel) -> int | None:
    """Read how many positions a model has; None where its configuration sets no bound."""
    config = model.config.get_text_config()
    if hasattr(config, "relative_attention_num_buckets"):
        return None  # T5 has distances and no positions; what its n_positions says is how it was trained
    for name in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        found = getattr(config, name, None)
        if isinstance(found, int) and found > 0:
            return found
    return None


def too_long(sequences: Sequence[Scored], room: Room) -> str | None:
    """Say why a model cannot take sequences, if it cannot; the last token of each is only predicted."""
    if not all(room.takes(len(prompt), len(completion) - 1) for prompt, completion in sequences):
        return f"longer than the model's {room.positions} positions"
    return None if all(sequence.prompt for sequence in sequences) else "the prompt has no tokens"


def no_room(encoded: Encoded | Misfit, room: Room, how: Generation) -> str | None:
    """Say why a prompt cannot be answered, if it cannot: the rule looks at this prompt alone."""
    if isinstance(encoded, Misfit):
        return encoded.reason
    if not encoded.prompt:
        return "the prompt has no tokens"
    if not room.takes(len(encoded.prompt), how.max_new_tokens):
        return (
            f"its prompt leaves no room for {how.max_new_tokens} new tokens in the model's {room.positions} positions"
        )
    return None
