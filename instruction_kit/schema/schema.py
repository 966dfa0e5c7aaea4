"""What an example of one kind of task is: a pydantic class that is declaration and reference in one.

In: a row as a dict. Out: a checked example, or pydantic's error. `reasons` turns that error into the pairs of field and
reason that ledgers count; `instruction_kit.schema.columns` derives the same verdicts for a whole frame.
"""

import re
from collections.abc import Iterator
from functools import lru_cache, reduce
from typing import Annotated, Any, ClassVar, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from instruction_kit.errors import SchemaError, nearest
from instruction_kit.schema.field import Choice, Free, Label, LongText, Shorten, Target, Text
from instruction_kit.schema.turn import Turn

Reasons = frozenset[tuple[str, str]]
"""(field, reason) for everything that is wrong with one row."""


class Schema(BaseModel):
    """The class that every schema extends; a subclass adds fields and says what its `target` is.

    Example:
        >>> from instruction_kit.schema import Label, Schema, Text
        >>> class Toxicity(Schema):
        ...     target = Label("label")
        ...     comment: Text
        ...     label: Text
        >>> Toxicity(comment="You are kind.", label="fine").label
        'fine'

    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    target: ClassVar[Target]
    """How the answer and the options follow from the fields."""

    rationale: Text | None = None
    """The written reasoning that leads to the answer."""

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        target = getattr(cls, "target", None)
        if not isinstance(target, Label | Choice | Free):
            raise SchemaError(
                f'{cls.__name__}: set `target` to Label("…"), Choice(options="…", answer="…") or Free("…")'
            )
        for name in vars(target).values():
            if name not in cls.model_fields:
                raise SchemaError(f"{cls.__name__}: target names the field {name}; {nearest(name, cls.model_fields)}")
        problems = [
            problem for name, field in cls.model_fields.items() for problem in _field_problems(name, field, target)
        ]
        if len(held := [name for name, field in cls.model_fields.items() if _holds_turns(field.annotation)]) > 1:
            problems.append(f"{' and '.join(held)} hold turns; one conversation stands before a row, so one field may")
        if problems:
            raise SchemaError(f"{cls.__name__}: {'; '.join(problems)}")

    @model_validator(mode="after")
    def _answer_among_options(self) -> Self:
        if isinstance(self.target, Choice):
            answer = getattr(self, self.target.answer)
            if not 0 <= answer < len(getattr(self, self.target.options)):
                raise PydanticCustomError("index", "not an index into the options", {"field": self.target.answer})
        return self

    @classmethod
    def folder(cls) -> str:
        """Name of the folder under `templates/` that holds this schema's phrasings.

        >>> from instruction_kit.schema import NaturalLanguageInference
        >>> NaturalLanguageInference.folder()
        'natural_language_inference'
        """
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    @lru_cache(maxsize=256)  # asked for every pair
    def shortenable(cls) -> tuple[str, ...]:
        """Fields that may be shortened when a prompt is over the budget."""
        return tuple(name for name, field in cls.model_fields.items() if _may_shorten(field))

    @classmethod
    @lru_cache(maxsize=256)
    def turns_field(cls) -> str | None:
        """The field that holds what was said before, a `list[Turn]`; prompts begin with it."""
        return next((name for name, field in cls.model_fields.items() if _holds_turns(field.annotation)), None)

    @classmethod
    def target_fields(cls) -> frozenset[str]:
        """Fields from which the answer and the options are made."""
        return frozenset(vars(cls.target).values())


def _holds_turns(annotation: Any) -> bool:
    return annotation == list[Turn] or any(_holds_turns(part) for part in get_args(annotation))


def _field_problems(name: str, field: FieldInfo, target: Target) -> Iterator[str]:
    if field.alias or field.validation_alias:
        yield f"{name} has an alias; a field has one name"
    if not field.is_required() and (field.default is not None or field.default_factory is not None):
        yield f"{name} has a default; a field is required, or may be missing: `{name}: … | None = None`"
    if name in vars(target).values():
        kind = get_origin(field.annotation) or field.annotation
        wanted = _target_types(name, target)
        if not field.is_required() or kind not in wanted:
            words = " or ".join(_TYPE_WORDS[kind] for kind in wanted)
            yield f"{name} is what the answer is made from; it must be required, and be {words}"


_TYPE_WORDS: dict[Any, str] = {str: "text", Literal: "a Literal of texts", int: "an integer", list: "a list of texts"}


def _target_types(name: str, target: Target) -> tuple[Any, ...]:
    if isinstance(target, Choice):
        return (list,) if name == target.options else (int,)
    return (str, Literal) if isinstance(target, Label) else (str, list)


def _may_shorten(field: FieldInfo) -> bool:
    if any(isinstance(mark, Shorten) for mark in field.metadata):
        return True
    parts = get_args(field.annotation)
    return any(get_origin(part) is Annotated and part == LongText for part in parts)


def reasons(schema: type[Schema], error: ValidationError) -> Reasons:
    """Turn pydantic's verdict on one row into (field, reason) pairs, in the words that ledgers use."""
    return frozenset(_reason(schema, detail) for detail in error.errors(include_url=False))


def check_row(schema: type[Schema], row: dict[str, Any]) -> Reasons:
    """Check one row against the class itself; empty means good.

    Raises:
        SchemaError: a validator of the class went wrong by itself instead of saying what is wrong with the row.

    """
    try:
        schema.model_validate(row)
    except ValidationError as error:
        return reasons(schema, error)
    except _SLIPS as error:
        told = f"{schema.__name__}: a validator raised {type(error).__name__}: {error}"
        raise SchemaError(f"{told}; what is wrong with a row is said with ValueError") from error
    return frozenset()


_SLIPS = (ArithmeticError, AttributeError, LookupError, NameError, TypeError)
"""What a validator's own code may raise; pydantic takes ValueError and AssertionError for verdicts on the row."""


_WORDS = {
    "missing": "missing",
    "blank": "blank",
    "string_type": "not text",
    "int_type": "not an integer",
    "bool_type": "not true or false",
    "list_type": "not a list",
    "model_type": "not a record",
    "float_type": "not a number",
}


def _reason(schema: type[Schema], detail: ErrorDetails) -> tuple[str, str]:
    where, context = detail["loc"], detail.get("ctx", {})
    field = str(where[0]) if where else str(context.get("field", "row"))
    item = _item(where)
    match detail["type"]:
        case "extra_forbidden" if item:
            return field, f"an item has an unknown key, {where[-1]}"
        case "value_error" | "assertion_error":
            words = str(context["error"])
        case _ if detail["input"] is None:
            words = "missing"
        case "literal_error":
            words = "not one of " + ", ".join(
                _choices(reduce(_within, where[1:], schema.model_fields[field].annotation))
            )
        case "too_short":
            words = f"fewer than {context['min_length']} items"
        case "too_long":
            words = f"more than {context['max_length']} items"
        case kind:
            words = _WORDS.get(kind, detail["msg"])
    return field, item + words


def _item(where: tuple[int | str, ...]) -> str:
    """Of what in a list a reason speaks, in words; nothing where it speaks of the field itself."""
    match where[1:]:
        case (int(), str(key)):
            return f"an item's {key} is "
        case (int(), *_):
            return "an item is "
    return ""


def _within(annotation: Any, key: int | str) -> Any:
    """The annotation of a key of the records that a field holds; else the annotation itself."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and key in annotation.model_fields:
        return annotation.model_fields[str(key)].annotation
    found = (_within(part, key) for part in get_args(annotation))
    return next(
        (inner for inner, part in zip(found, get_args(annotation), strict=True) if inner is not part), annotation
    )


def _choices(annotation: Any) -> list[str]:
    """What a Literal allows, wherever in the annotation it stands; pydantic's message cannot be taken apart again."""
    if get_origin(annotation) is Literal:
        return [str(choice) for choice in get_args(annotation)]
    return [choice for part in get_args(annotation) for choice in _choices(part)]
