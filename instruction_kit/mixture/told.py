"""Pydantic's verdict on a mixture, in words: which key, what is wrong, and the nearest valid name."""

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from instruction_kit.errors import nearest
from instruction_kit.mixture.rate import Budget, Equal, ExamplesProportional

_RATES: dict[str, type[BaseModel]] = {"examples_proportional": ExamplesProportional, "equal": Equal}


def told(error: ValidationError, *, keys: Sequence[str]) -> str:
    """Write one line for each problem; `keys` are the mixture's own."""
    lines = []
    for detail in error.errors(include_url=False):
        parts = [str(part) for part in detail["loc"]]
        where = ".".join(part for part in parts if not part.startswith(("function-", "tuple[", "literal[")))
        lines.append(f"{where}: {_why(detail, keys)}")
    return "\n".join(dict.fromkeys(lines))


def _why(detail: ErrorDetails, keys: Sequence[str]) -> str:
    message, location = detail["msg"], detail["loc"]
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key; {nearest(str(location[-1]), _siblings(location, keys))}"
        case "union_tag_invalid":
            tag = str(detail["ctx"]["tag"])
            return f"there is no kind {tag}; {nearest(tag, _RATES)}"
        case "union_tag_not_found":
            return f"give its kind, one of {', '.join(_RATES)}"
        case "tuple_type":
            return "give a list"
    return message[0].lower() + message[1:]


def _siblings(location: tuple[int | str, ...], keys: Sequence[str]) -> Sequence[str]:
    models: dict[str, type[BaseModel]] = {**_RATES, "budget": Budget}
    owner = next((models[str(part)] for part in reversed(location[:-1]) if str(part) in models), None)
    return list(owner.model_fields) if owner else keys
