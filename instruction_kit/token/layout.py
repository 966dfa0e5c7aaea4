"""The layout of a model's text: what stands around prompt and completion, as texts of tokens.

A `Layout` is written beside a tuned model as `instruction_kit.json`, and whoever measures that model reads it there, so
that training and measuring cannot differ. Which layout a model has, `settle` says. Token texts are kept, not ids: a
person can read them, and a changed tokenizer shows. Text becomes ids elsewhere, in `instruction_kit.token.encoder` and
the modules after it.
"""

import json
from pathlib import Path
from typing import Literal, Self

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError, model_validator

from instruction_kit.build.commit import write_text
from instruction_kit.errors import TokenError

LAYOUT_FILE = "instruction_kit.json"
Kind = Literal["plain", "chat", "encoder_decoder"]


class Layout(BaseModel):
    """How one prompt and its completion become one text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    """`plain`: the beginning, the prompt, the completion, the stop token. `chat`: as the chat template writes it.
    `encoder_decoder`: the prompt is one text and the completion another, each begun and ended as the tokenizer does."""
    joiner: str
    """The text that ends every prompt of the mixture: part of a plain text, taken off in a chat."""
    bos: str | None
    """The token that begins every text, or None where there is none."""
    stop: str
    """The token that ends every completion, learnt in training and waited for in generation."""
    prompt_end: str | None = None
    """The token that ends a prompt which is a text of its own, or None where there is none."""
    template: str | None = None
    """Hash of the chat template."""
    system_message: str | None = None
    """What begins every conversation that has no system message of its own."""
    template_kwargs: dict[str, JsonValue] | None = None
    """Variables that the chat template is given."""

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if (self.kind == "chat") != (self.template is not None):
            raise ValueError("a chat layout has the hash of a chat template, a plain one has none")
        if self.kind != "chat" and (self.system_message or self.template_kwargs):
            raise ValueError("only a chat layout has a system message or variables of a chat template")
        if self.kind != "encoder_decoder" and self.prompt_end is not None:
            raise ValueError("only for an encoder a prompt ends in a token of its own")
        return self


def write_layout(model_folder: str | Path, layout: Layout) -> None:
    """Write the layout beside a saved model."""
    write_text(Path(model_folder) / LAYOUT_FILE, layout.model_dump_json(indent=2, exclude_defaults=True) + "\n")


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


def find_layout(name: str, *, revision: str | None = None) -> Layout | None:
    """Read the layout beside a model in a folder here, or on the hub: that may have been tuned by this kit too.

    Raises:
        TokenError: the file is there, and it is no layout.

    """
    if Path(name).is_dir():
        return read_layout(name)
    try:
        return read_layout(Path(hf_hub_download(name, LAYOUT_FILE, revision=revision)).parent)
    except EntryNotFoundError:  # also where there is no network and the cache has none
        return None
