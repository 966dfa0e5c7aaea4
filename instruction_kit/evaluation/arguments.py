"""The flags of a measurement: words or keyword arguments go in, checked values come out, all problems of them at once.

A flag that the tuning script has too keeps its name. Abbreviated flags are not read.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from instruction_kit.errors import EvaluationError, nearest
from instruction_kit.evaluation.report import MeasuredSplit
from instruction_kit.token.layout import read_variables

DESCRIPTION = "Measure a model on a built mixture: every template of every task, by rank classification."


def _as_text(value: object) -> object:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _as_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_variables(value: object) -> object:
    return read_variables(value) if isinstance(value, str) else value


Place = Annotated[str, BeforeValidator(_as_text)]
Variables = Annotated[dict[str, JsonValue], BeforeValidator(_as_variables)]
Splits = Annotated[tuple[MeasuredSplit, ...], BeforeValidator(_as_several), Field(min_length=1)]


class EvaluationArguments(BaseModel):
    """What to measure, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=())

    dataset_name: Place
    """the folder of a built mixture"""
    model_name_or_path: Place
    """the model to measure: a folder, or a name on the hub"""
    output_dir: Place
    """where report.json, report.md, report.png and rows.parquet are written"""
    split: Splits = ("held_out",)
    """one or several of: held_out (held-out tasks), seen (trained rows), validation (rows kept back from training)"""
    baseline: Place | None = None
    """the model before tuning, measured beside the other and in the other's layout"""
    per_device_eval_batch_size: int = Field(default=16, ge=1)
    """sequences in a batch, one for each candidate; it changes no score"""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """the type that the weights are loaded in"""
    device: str | None = None
    """cpu, cuda, cuda:1 or mps; without it cuda where there is one, else cpu"""
    layout: Literal["plain", "chat"] | None = None
    """how prompt and completion become tokens; without it the layout that the model was tuned in, else chat where its \
tokenizer has a chat template, else plain"""
    system_message: str | None = None
    """what begins every conversation of a chat layout that is asked for by name"""
    chat_template_kwargs: Variables | None = None
    """variables of the chat template, as JSON"""
    max_rows: int | None = Field(default=None, ge=1)
    """rows of each task, the same ones in every run; without it all"""
    model_revision: str | None = None
    """branch, tag or commit of the model on the hub"""
    attn_implementation: str | None = None
    """how attention is computed: eager, sdpa, flash_attention_2"""
    trust_remote_code: bool = False
    """run code that comes with the models"""


def settle(flags: Mapping[str, object]) -> EvaluationArguments:
    """Check values by the names of their flags.

    Raises:
        EvaluationError: names that are no flags, or values that cannot be; all of them at once.

    """
    names = EvaluationArguments.model_fields
    known = [f"--{name}" for name in names]
    problems = [f"--{name}: no such flag; {nearest(f'--{name}', known)}" for name in flags if name not in names]
    try:
        arguments = EvaluationArguments.model_validate({name: flags[name] for name in flags if name in names})
    except ValidationError as error:
        by_flag = {found["loc"][0]: found for found in reversed(error.errors())}  # the first of each says what is wrong
        problems.extend(_problem(name, found) for name, found in reversed(by_flag.items()))
        raise EvaluationError("\n".join(problems)) from error
    if problems:
        raise EvaluationError("\n".join(problems))
    return arguments


def parse(argv: Sequence[str]) -> EvaluationArguments:
    """Read a command line; every field of `EvaluationArguments` is a flag.

    Raises:
        EvaluationError: as `settle`, and words that belong to no flag.

    """
    known, rest = _parser().parse_known_args(argv)
    unknown = [word.partition("=")[0].removeprefix("--") for word in rest if word.startswith("--")]
    if rest and not unknown:
        raise EvaluationError(f"{' '.join(rest)}: belongs to no flag; --help lists the flags")
    return settle({**vars(known), **dict.fromkeys(unknown)})


def _parser() -> argparse.ArgumentParser:
    """Make the parser without checks of its own: the model has them, and tells all problems."""
    parser = argparse.ArgumentParser(prog="evaluate", description=DESCRIPTION, allow_abbrev=False)
    for name, field in EvaluationArguments.model_fields.items():
        text = f"{field.description}{_default(field.default) if not field.is_required() else ''}"
        several: dict[str, Any] = {"nargs": "+"} if isinstance(field.default, tuple) else {}
        switch: dict[str, Any] = {"nargs": "?", "const": "true"} if field.annotation is bool else {}
        parser.add_argument(f"--{name}", default=argparse.SUPPRESS, help=text, **several, **switch)
    return parser


def _default(default: object) -> str:
    if default is None:
        return ""
    return f" (default: {' '.join(default) if isinstance(default, tuple) else str(default).lower()})"


def _problem(name: int | str, found: Mapping[str, Any]) -> str:
    if found["type"] == "missing":
        return f"--{name}: it must be given"
    return f"--{name} {found['input']}: {found['msg'][0].lower()}{found['msg'][1:]}"
