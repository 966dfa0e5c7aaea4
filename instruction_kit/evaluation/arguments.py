"""The flags of a measurement: words or keyword arguments go in, checked values come out, all problems of them at once.

A flag that the tuning script has too keeps its name. Abbreviated flags are not read.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError, model_validator

from instruction_kit.errors import EvaluationError, nearest
from instruction_kit.evaluation.figures import rows_for
from instruction_kit.evaluation.report import MeasuredSplit
from instruction_kit.token.layout import Kind
from instruction_kit.token.settle import read_variables

DESCRIPTION = "Measure a model on a built mixture: every task under each of its templates."


Wanted = Literal["rank", "generate", "zero_shot_cot"]
"""`rank` gives ranks and likelihoods; `generate` answers, behind reasons where the template writes some."""


def _as_text(value: object) -> object:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _as_several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_variables(value: object) -> object:
    return read_variables(value) if isinstance(value, str) else value


Place = Annotated[str, BeforeValidator(_as_text)]
Variables = Annotated[dict[str, JsonValue], BeforeValidator(_as_variables)]
Protocols = Annotated[tuple[Wanted, ...], BeforeValidator(_as_several), Field(min_length=1)]
Splits = Annotated[tuple[MeasuredSplit, ...], BeforeValidator(_as_several), Field(min_length=1)]


class EvaluationArguments(BaseModel):
    """What to measure, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=())

    dataset_name: Place
    """the folder of a built mixture"""
    model_name_or_path: Place
    """the model to measure: a folder, or a name on the hub"""
    output_dir: Place
    """where report.json, .html, .md, .png and rows.parquet are written"""
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
    layout: Kind | None = None
    """how prompt and completion become tokens; without it the layout that the model was tuned in, else chat where its \
tokenizer has a chat template, else plain"""
    system_message: str | None = None
    """what begins every conversation of a chat layout that is asked for by name"""
    chat_template_kwargs: Variables | None = None
    """variables of the chat template, as JSON"""
    protocol: Protocols = ("rank",)
    """one or several of: rank (candidates are ranked; without any, the likelihood of the reference), generate (an \
answer is written and read back, behind reasons where the template has some), zero_shot_cot (reasons by a trigger)"""
    max_new_tokens: int = Field(default=256, ge=1)
    """generate: the longest output, in tokens"""
    num_samples: int = Field(default=1, ge=1)
    """generate: outputs of each prompt, of which the commonest answer counts (self-consistency); needs a temperature"""
    temperature: float = Field(default=0.0, ge=0)
    """generate: 0 takes the likeliest token"""
    seed: int = 0
    """generate: decides what is drawn at a temperature"""
    rows_per_task: int | None = Field(default=None, ge=1)
    """rows of each task, the same ones in every run; without it all"""
    precision: float | None = Field(default=None, gt=0, lt=1)
    """instead of rows_per_task: as many rows as make the 95% interval of a share at most so wide to either side"""
    model_revision: str | None = None
    """branch, tag or commit of the model on the hub"""
    attn_implementation: str | None = None
    """how attention is computed: eager, sdpa, flash_attention_2"""
    trust_remote_code: bool = False
    """run code that comes with the models"""

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.rows_per_task is not None and self.precision is not None:
            raise ValueError("--precision settles the number of rows; leave --rows_per_task out")
        if self.num_samples > 1 and not self.temperature:
            raise ValueError(f"--num_samples {self.num_samples} would be the same output again; give --temperature 0.7")
        if self.num_samples > 1 and "generate" not in self.protocol:
            raise ValueError(f"--num_samples {self.num_samples} is for answers that vote; add --protocol generate")
        if self.num_samples > 1 and "zero_shot_cot" in self.protocol:
            raise ValueError(
                f"--num_samples {self.num_samples} is for --protocol generate, and zero_shot_cot takes one sample; "
                "measure them in runs of their own"
            )
        if self.temperature and {*self.protocol} == {"rank"}:
            raise ValueError(f"--temperature {self.temperature}: by rank nothing is generated; add --protocol generate")
        return self

    @property
    def num_rows(self) -> int | None:
        """Rows of each task that are measured; None for all. Fixed before anything is seen."""
        return self.rows_per_task if self.precision is None else rows_for(self.precision)

    @property
    def generation(self) -> dict[str, Any]:
        """How texts are generated, by the names of the flags; nothing where none are."""
        if {*self.protocol} == {"rank"}:
            return {}
        how = {"max_new_tokens": self.max_new_tokens, "num_samples": self.num_samples}
        return {**how, "temperature": self.temperature, "seed": self.seed}


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
        found = reversed(error.errors())
        by_flag = {(one["loc"] or ("",))[0]: one for one in found}  # the first of each says what is wrong
        problems.extend(_problem(name, one) for name, one in reversed(by_flag.items()))
        raise EvaluationError("\n".join(problems)) from error
    if problems:
        raise EvaluationError("\n".join(problems))
    return arguments


def parse(argv: Sequence[str]) -> EvaluationArguments:
    """Read a command line; every field of `EvaluationArguments` is a flag.

    Raises:
        EvaluationError: as `settle`, and words that belong to no flag.

    """
    known, rest = _parser().parse_known_args([_underscored(word) for word in argv])
    unknown = [word.partition("=")[0].removeprefix("--") for word in rest if word.startswith("--")]
    if rest and not unknown:
        raise EvaluationError(f"{' '.join(rest)}: belongs to no flag; --help lists the flags")
    return settle({**vars(known), **dict.fromkeys(unknown)})


def _underscored(word: str) -> str:
    """Read `--rows-per-task` as `--rows_per_task`."""
    name, equals, value = word.partition("=")
    return (name.replace("-", "_").replace("__", "--", 1) if name.startswith("--") else name) + equals + value


def _parser() -> argparse.ArgumentParser:
    """Make the parser without checks of its own: the model has them, and tells all problems."""
    parser = argparse.ArgumentParser(prog="evaluate", description=DESCRIPTION, allow_abbrev=False)
    for name, field in EvaluationArguments.model_fields.items():
        text = f"{field.description}{_default(field.default) if not field.is_required() else ''}"
        several: dict[str, Any] = {"nargs": "+"} if isinstance(field.default, tuple) else {}
        switch: dict[str, Any] = {"nargs": "?", "const": "true"} if field.annotation is bool else {}
        parser.add_argument(f"--{name}", default=argparse.SUPPRESS, help=text.replace("%", "%%"), **several, **switch)
    return parser


def _default(default: object) -> str:
    if default is None:
        return ""
    return f" (default: {' '.join(default) if isinstance(default, tuple) else str(default).lower()})"


def _problem(name: int | str, found: Mapping[str, Any]) -> str:
    if not name:
        return str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "missing":
        return f"--{name}: it must be given"
    return f"--{name} {found['input']}: {found['msg'][0].lower()}{found['msg'][1:]}"
