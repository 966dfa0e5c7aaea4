"""What a folder of token shards says of itself: `tokens.json`, written last.

It tells what the shards were made from (the built mixture, the tokenizer, the layout, `max_length`, this code), so that
a later run can tell whether they are still the right ones, and what became of each task's pairs. It holds no clock, no
host and no path outside the folder.
"""

import json
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from instruction_kit.build.commit import write_text
from instruction_kit.errors import TokenError
from instruction_kit.token.layout import Layout

FORMAT_VERSION: Literal[1] = 1
RECORD = "tokens.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Identity(_Frozen):
    """What decides every token: equal identities mean equal rows in equal order."""

    built: str
    """Fingerprint of the built mixture."""
    tokenizer: str
    """Hash of the tokenizer's vocabulary and rules."""
    max_length: int
    """The most tokens of a prompt with its completion."""
    layout: Layout


class TaskTokens(_Frozen):
    """What became of one task's pairs; pairs = rows + all that was dropped."""

    rows: int
    prompt_tokens: int
    loss_tokens: int
    """Tokens that the model is trained to give, stop tokens included."""
    longest: int
    """The longest pair in tokens, dropped ones included."""
    dropped: dict[str, int]
    """Reason -> pairs."""


class TokenShard(_Frozen):
    """One file of token rows."""

    path: str
    rows: int
    sha256: str


class TokenRecord(_Frozen):
    """The whole of `tokens.json`."""

    format_version: Literal[1]
    code: str
    """Hash of the modules that write tokens."""
    identity: Identity
    rows: int
    largest_id: int
    """The largest token id: the model's embedding must be larger."""
    tasks: dict[str, TaskTokens]
    shards: list[TokenShard]


class Difference(NamedTuple):
    """One thing that two identities do not share."""

    name: str
    there: str
    here: str


def differences(there: Identity, here: Identity) -> list[Difference]:
    """List in what two identities differ, in the words that a user knows."""
    words = {"built": "built mixture", "tokenizer": "tokenizer", "max_length": "max_length", "layout": "layout"}
    return [
        Difference(word, _brief(getattr(there, field)), _brief(getattr(here, field)))
        for field, word in words.items()
        if getattr(there, field) != getattr(here, field)
    ]


def _brief(value: object) -> str:
    if isinstance(value, Layout):
        return value.model_dump_json(exclude_defaults=True)
    return value[:12] if isinstance(value, str) else str(value)


def write_record(folder: Path, record: TokenRecord) -> None:
    """Write the record of a folder whose shards are all in place."""
    write_text(folder / RECORD, record.model_dump_json(indent=2) + "\n")


def read_record(folder: Path) -> TokenRecord | None:
    """Read the record; None where there is none, so where the shards are not whole.

    Raises:
        TokenError: the file is there, and it is no record of this format.

    """
    path = folder / RECORD
    if not path.is_file():
        return None
    try:
        return TokenRecord.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, ValidationError) as error:
        raise TokenError(f"{path}: not a record of token shards ({error}); remove the folder {folder}") from error
