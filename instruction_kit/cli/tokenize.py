"""`tokenize`: a built folder as token shards, for a tokenizer that is named; and what became of each task's pairs."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from instruction_kit.build.manifest import read_manifest
from instruction_kit.cli.console import table
from instruction_kit.errors import MissingExtraError, TokenError
from instruction_kit.token.encode import encoder_of, is_encoder_decoder
from instruction_kit.token.encoder import Encoder
from instruction_kit.token.layout import Kind, find_layout
from instruction_kit.token.record import TokenRecord
from instruction_kit.token.settle import Asked, read_variables, settle


def encoder_for(built: Path, tokenizer: str, *, asked: Asked) -> Encoder:
    """Put a tokenizer under the layout that tuning its model would take.

    Raises:
        MissingExtraError: transformers is not installed.
        TokenError: there is no such tokenizer, or it cannot have this layout.

    """
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtraError("tokenizing", extra="tune") from error
    joiner = str(read_manifest(built).mixture["joiner"])
    try:
        loaded = AutoTokenizer.from_pretrained(tokenizer)
    except (OSError, ValueError) as error:
        why = str(error).strip().split("\n")[0]
        mend = "name a folder that holds one, or a repository of the hub"
        raise TokenError(f"--tokenizer {tokenizer}: no tokenizer can be read from it ({why}); {mend}") from error
    recorded, two_sided = find_layout(tokenizer), asked.kind == "encoder_decoder" or _two_sided(tokenizer)
    return encoder_of(
        loaded,
        settle(loaded, name=tokenizer, joiner=joiner, asked=asked, recorded=recorded, encoder_decoder=two_sided),
    )


def _two_sided(tokenizer: str) -> bool:
    """Say whether the model that a tokenizer belongs to is an encoder-decoder; where there is no model, it is not."""
    try:
        return is_encoder_decoder(tokenizer)
    except (OSError, ValueError):
        return False


def asked_for(layout: Kind | None, system_message: str | None, variables: str | None) -> Asked:
    """Read the layout that the command line asks for.

    Raises:
        TokenError: it cannot be.

    """
    try:
        asked = Asked(layout, system_message, None if variables is None else read_variables(variables))
    except ValueError as error:
        raise TokenError(str(error)) from error
    if problems := asked.problems():
        raise TokenError("\n".join(problems))
    return asked


def record_lines(record: TokenRecord) -> Iterator[RenderableType]:
    """Say what was written: each task's pairs and tokens, how full and how mixed the rows are, and by which engine."""
    rows = [
        (
            name,
            *(f"{number:,}" for number in (task.pairs, task.prompt_tokens, task.loss_tokens, task.longest)),
            f"{sum(task.dropped.values()):,}",
        )
        for name, task in record.tasks.items()
    ]
    yield table(("task", ">pairs", ">prompt", ">trained", ">longest", ">dropped"), rows, title="Tokens by task")
    for name, task in record.tasks.items():
        yield from (Text(f"{name}: {pairs:,} pairs dropped, {why}") for why, pairs in task.dropped.items())
    mixing, engine = record.mixing, record.engine
    packed = f"in {record.rows:,} packs, filled to {mixing.fill:.1%}" if record.identity.packing else "one in a row"
    yield Text(f"\n{record.pairs:,} pairs, {packed}")
    yield Text(f"task entropy {mixing.task_entropy:.2f} bits a row, {mixing.task_entropy_of_all:.2f} over all")
    checked = f", {engine.checked:,} texts checked against the tokenizer itself" if engine.checked else ""
    yield Text(f"ids by {engine.name} {engine.version}{checked}")
