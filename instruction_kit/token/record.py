"""What a folder of token shards says of itself: `tokens.json`, written last.

It tells what the shards were made from (the built mixture, the tokenizer, the layout, `max_length`, packing, weights,
this code), so that a later run can tell whether they are still the right ones, what became of each task's pairs, and
which engine encoded them. It holds no clock, no host and no path outside the folder.
"""

import json
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from instruction_kit.build.commit import write_text
from instruction_kit.errors import TokenError
from instruction_kit.token.layout import Layout
from instruction_kit.token.weigh import Weighing

FORMAT_VERSION: Literal[2] = 2
RECORD = "tokens.json"
Split = Literal["train", "validation"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Identity(_Frozen):
    """What decides every token: equal identities mean equal rows in equal order."""

    built: str
    """Fingerprint of the built mixture."""
    tokenizer: str
    """Hash of the tokenizer's vocabulary and rules."""
    max_length: int
    """The most tokens of a prompt with its completion, and of a pack."""
    packing: bool
    """Whether pairs share rows."""
    weighing: Weighing
    """What weighs how much in the loss."""
    split: Split = "train"
    """Of the config `train` of the built mixture."""
    cluster: str | None = None
    """Of which cluster the pairs are; None: of all."""
    layout: Layout


class TaskTokens(_Frozen):
    """What became of one task's pairs: some are in the shards, the others were dropped."""

    pairs: int
    """In the shards."""
    prompt_tokens: int
    loss_tokens: int
    """Tokens that the model is trained to give, stop tokens included."""
    longest: int
    """The longest pair in tokens, dropped ones included."""
    dropped: dict[str, int]
    """Reason -> pairs."""


class EngineRecord(_Frozen):
    """What turned texts into ids; another engine gives the same."""

    name: str
    version: str
    checked: int
    """How many texts were also encoded by the tokenizer itself, with equal ids; 0 where that is the engine."""


class Mixing(_Frozen):
    """How rows are filled, and with what."""

    fill: float
    """Tokens over what all rows could hold; without packing it says how long pairs are."""
    task_entropy: float
    """Mean over rows of how a row's tokens divide over tasks, in bits: 0 where each row is of one task."""
    task_entropy_of_all: float
    """The same for all rows as one: the most that a row can be expected to have."""


class TokenShard(_Frozen):
    """One file of token rows."""

    path: str
    rows: int
    sha256: str


class TokenRecord(_Frozen):
    """The whole of `tokens.json`."""

    format_version: Literal[2]
    code: str
    """Hash of the modules that write tokens."""
    identity: Identity
    engine: EngineRecord
    rows: int
    """Rows of all shards: packs, or pairs where these are not packed."""
    pairs: int
    mixing: Mixing
    largest_id: int
    """The largest token id: the model's embedding must be larger."""
    task_names: list[str]
    """What the numbers in `task_ids` count in."""
    tasks: dict[str, TaskTokens]
    shards: list[TokenShard]


class Difference(NamedTuple):
    """One thing that two identities do not share."""

    name: str
    there: str
    here: str


def differences(there: Identity, here: Identity) -> list[Difference]:
    """List in what two identities differ, in the words that a user knows."""
    words = {"built": "built mixture", "weighing": "weights"}
    return [
        Difference(words.get(field, field), _brief(getattr(there, field)), _brief(getattr(here, field)))
        for field in Identity.model_fields
        if getattr(there, field) != getattr(here, field)
    ]


def _brief(value: object) -> str:
    if isinstance(value, BaseModel):
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
