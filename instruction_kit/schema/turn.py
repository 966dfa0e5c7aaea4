"""A turn of a conversation: who speaks, and what is said.

In: a dict, as every conversation dataset has them. Out: a checked turn, or pydantic's error. The roles are those that
chat templates know; what a source calls them is mapped before.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from instruction_kit.schema.field import Text


class Turn(BaseModel):
    """One turn. `list[Turn]` in a schema holds what was said before the row's own prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    role: Literal["user", "assistant", "system"]
    content: Text
