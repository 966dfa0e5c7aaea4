"""The layout of a model's text: what stands around prompt and completion, as texts of tokens.

In goes a tokenizer, out comes a `Layout`; it is written beside a tuned model as `instruction_kit.json`, and whoever
measures that model reads it there, so that training and measuring cannot differ. Token texts are kept, not ids: a
person can read them, and a changed tokenizer shows. Text becomes ids elsewhere, in `instruction_kit.token.encode`.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from instruction_kit.build.commit import write_text
from instruction_kit.errors import TokenError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LAYOUT_FILE = "instruction_kit.json"


class Layout(BaseModel):
    """How one prompt and its completion become one text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["plain"]
    """`plain`: the beginning, the prompt, the completion, the stop token, and nothing between them."""
    joiner: str
    """The text that ends every prompt of the mixture; the prompts hold it already."""
    bos: str | None
    """The token that the model expects at the start, or None where its tokenizer adds none by itself."""
    stop: str
    """The token that ends every completion, learnt in training and waited for in generation."""


def layout_of(tokenizer: "PreTrainedTokenizerBase", *, joiner: str) -> Layout:
    """Find the plain layout that a tokenizer stands for.

    Raises:
        TokenError: it has no end-of-sequence token, or it begins a text with something other than its BOS token.

    """
    name = tokenizer.name_or_path or type(tokenizer).__name__
    if not isinstance(tokenizer.eos_token, str):
        raise TokenError(
            f"tokenizer {name}: it has no end-of-sequence token, so a model tuned with it could never learn to stop; "
            "set one first: tokenizer.eos_token = ..., then tokenizer.save_pretrained(FOLDER)"
        )
    return Layout(kind="plain", joiner=joiner, bos=_beginning(tokenizer, name), stop=tokenizer.eos_token)


def _beginning(tokenizer: "PreTrainedTokenizerBase", name: str) -> str | None:
    """Return the BOS text if the tokenizer puts one before a text by itself."""
    bare: list[int] = tokenizer("a", add_special_tokens=False)["input_ids"]
    full: list[int] = tokenizer("a", add_special_tokens=True)["input_ids"]
    before = next((size for size in range(len(full)) if full[size : size + len(bare)] == bare), len(full))
    if before == 0:
        return None
    if before == 1 and isinstance(tokenizer.bos_token, str) and full[0] == tokenizer.bos_token_id:
        return tokenizer.bos_token
    found = tokenizer.decode(full[:before], skip_special_tokens=False)
    raise TokenError(
        f"tokenizer {name}: it begins a text with {found!r}, where the plain layout knows only its BOS token "
        f"({tokenizer.bos_token!r}); take a causal language model whose tokenizer adds BOS or nothing"
    )


def write_layout(model_folder: str | Path, layout: Layout) -> None:
    """Write the layout beside a saved model."""
    write_text(Path(model_folder) / LAYOUT_FILE, layout.model_dump_json(indent=2) + "\n")


def read_layout(model_folder: str | Path) -> Layout | None:
    """Read the layout beside a model; None where this kit has not tuned it, or it is no folder here.

    Raises:
        TokenError: the file is there, and it is no layout.

    """
    path = Path(model_folder) / LAYOUT_FILE
    if not path.is_file():
        return None
    try:
        return Layout.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, ValidationError) as error:
        raise TokenError(f"{path}: not a layout ({error}); tune the model again, or remove the file") from error
